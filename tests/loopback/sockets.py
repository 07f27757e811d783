"""What the kernel says about listening sockets: that disturbs nothing, while a connection would be a client."""

from __future__ import annotations

import ipaddress
import socket
import sys
from pathlib import Path

LISTEN = "0A"  # TCP_LISTEN, include/net/tcp_states.h


def listening_addresses() -> set[str]:
    """Every IPv4 address of this network namespace on which a socket listens."""
    rows = (row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:])
    packed = (bytes.fromhex(row[1].partition(":")[0]) for row in rows if row[3] == LISTEN)
    return {str(ipaddress.IPv4Address(one[::-1] if sys.byteorder == "little" else one)) for one in packed}


def is_listening(address: str, port: int) -> bool:
    """Whether a socket of this network namespace listens on exactly this address (`::` is an address of its own)."""
    ip = ipaddress.ip_address(address)
    table = Path("/proc/net/tcp6" if ip.version == 6 else "/proc/net/tcp")
    wanted = f"{_kernel_hex(ip.packed)}:{port:04X}"
    rows = (row.split() for row in table.read_text().splitlines()[1:])
    return any(row[1] == wanted and row[3] == LISTEN for row in rows)


def _kernel_hex(packed: bytes) -> str:
    """Return an address in the form of /proc/net: 32-bit words in the machine's byte order."""
    words = (packed[at : at + 4] for at in range(0, len(packed), 4))
    return "".join((word[::-1] if sys.byteorder == "little" else word).hex() for word in words).upper()


def accepts(path: Path) -> bool:
    """Whether a process accepts connections on this unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0
