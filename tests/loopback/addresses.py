"""Claims a 127.x.y.0/24 that nothing else on this machine uses, and a directory that belongs to it.

The claim is an abstract unix socket with the network's name. The kernel lets one process bind it, separates it per
network namespace exactly as it does the addresses, and frees it when its last holder ends, however it ends. So there is
no lock file that could become stale or belong to another user. Every daemon's keeper holds the claim too: a network is
free only when the last of its daemons has ended.

The directory is the machine's, whatever the network namespace: it is locked, so that a run in another namespace takes
another number.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from loopback.sockets import listening_addresses

# 127.49.0.0/24 to 127.49.255.0/24: far from 127.0.0.1, where a machine's own services listen.
PREFIX = "127.49"
FIRST_FREE_HOST = 100  # below it, addresses are given by number to a cluster's nodes
# Ports for ::1 and the wildcards, which every network shares: above what the kernel gives to clients
# (ip_local_port_range ends at 60999), whose connections are in the way of a wildcard's socket.
FIRST_PORT = 61000
PORTS = 16


class NoFreeNet(RuntimeError):
    """Every network is claimed, which only leaked daemons or 256 simultaneous runs can cause."""


class Net:
    """One claimed network: addresses, and a directory that every user may enter (mysqld runs as mysql)."""

    def __init__(self, number: int, claim_socket: socket.socket, directory: Path) -> None:
        self.prefix = f"{PREFIX}.{number}"
        self.directory = directory
        self._socket = claim_socket
        self._hosts = itertools.cycle(range(FIRST_FREE_HOST, 255))
        first_port = FIRST_PORT + PORTS * number
        self._ports = itertools.cycle(range(first_port, first_port + PORTS))

    def address(self, host: int) -> str:
        """The address with this last number, 1 to 254."""
        if not 1 <= host <= 254:
            raise ValueError(f"no host {host} in {self.prefix}.0/24")
        return f"{self.prefix}.{host}"

    def next_address(self) -> str:
        """An address on which nothing listens, and that was not given for as long as possible."""
        busy = listening_addresses()
        free = (self.address(host) for host in itertools.islice(self._hosts, 255 - FIRST_FREE_HOST))
        for address in free:
            if address not in busy:
                return address
        raise NoFreeNet(f"daemons listen on every address of {self.prefix}.0/24")

    def next_port(self) -> int:
        """A port of this network's own that is free on every address of the machine, IPv4's and IPv6's."""
        for port in itertools.islice(self._ports, PORTS):
            with (
                contextlib.suppress(OSError),
                socket.create_server(("0.0.0.0", port)),
                socket.create_server(("::", port), family=socket.AF_INET6),
            ):
                return port
        raise NoFreeNet(f"daemons listen on every port of {self.prefix}.0/24")

    def fileno(self) -> int:
        """The descriptor of the claim, for a keeper to hold."""
        return self._socket.fileno()


@contextlib.contextmanager
def claim() -> Iterator[Net]:
    """Claim a free network until the block ends; its directory is then removed."""
    for number in range(256):
        claim_socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with claim_socket:
            try:
                claim_socket.bind(f"\0xha-loopback-{PREFIX}.{number}")
            except OSError:
                continue
            with _taken_directory(number) as directory:
                if directory is None:
                    continue
                yield Net(number, claim_socket, directory)
            return
    raise NoFreeNet(f"all of {PREFIX}.0.0/16 is claimed: look for daemons that a test has left behind")


@contextlib.contextmanager
def _taken_directory(number: int) -> Iterator[Path | None]:
    """An empty directory for this network while the block runs, or None where another user has its name.

    The name is that of the network, so that the next claim of the network removes what a killed run left behind.
    """
    directory = Path(tempfile.gettempdir()) / f"xha-{PREFIX}.{number}"
    with contextlib.ExitStack() as stack:
        try:
            with contextlib.suppress(FileExistsError):
                directory.mkdir(mode=0o755)
            held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            stack.callback(os.close, held)
            if os.fstat(held).st_uid != os.geteuid():
                raise PermissionError
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.stat(directory), os.fstat(held)):  # its last user has just removed it
                raise FileNotFoundError
            _empty(directory)
            os.fchmod(held, 0o755)  # whatever the umask says: another user has to get in
        except OSError:
            yield None
            return
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        yield directory


def _empty(directory: Path) -> None:
    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
