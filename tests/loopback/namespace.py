"""A network namespace of its own, as one host has it: lo, and an eth0 with an address."""

from __future__ import annotations

from pathlib import Path

from loopback.addresses import Net
from loopback.daemon import Daemon, find_program

SETUP = """
set -e
ip link set lo up
ip link add eth0 type veth peer name eth1
ip address add "$1" dev eth0
ip link set eth0 up
ip link set eth1 up
touch "$2"
exec sleep infinity
"""


class Namespace(Daemon):
    """The namespace, for as long as this process holds it. `address` is that of eth0, with its prefix's length."""

    def __init__(self, net: Net, directory: Path, address: str) -> None:
        directory.mkdir(parents=True)
        self._ready = directory / "ready"
        find_program("ip", "iproute2")
        unshare = [find_program("unshare", "util-linux"), "--net", "/bin/sh", "-c", SETUP]
        super().__init__(net, [*unshare, "namespace", address, str(self._ready)], directory / "log")

    def start(self) -> None:
        super().start()
        self.wait_ready(self._ready.exists, 60, "the network namespace is set up")

    def enter(self, *command: str) -> list[str]:
        """The command line that runs a command in this namespace."""
        return [find_program("nsenter", "util-linux"), f"--net=/proc/{self.pid}/ns/net", "--", *command]
