"""A real memcached."""

from __future__ import annotations

import os
from pathlib import Path

from loopback.addresses import Net
from loopback.daemon import Daemon
from loopback.server_root import service_command
from loopback.sockets import is_listening

PORT = 11211


class Memcached(Daemon):
    """memcached on an address of the network; options are memcached's own."""

    def __init__(self, net: Net, directory: Path, *options: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.address = net.next_address()
        argv = [*service_command("memcached", "memcached"), "-l", self.address, "-p", str(PORT), "-U", "0", *options]
        argv += ["-u", "nobody"] if os.geteuid() == 0 else []
        super().__init__(net, argv, directory / "memcached.log")

    def start(self) -> None:
        super().start()
        self.wait_ready(lambda: is_listening(self.address, PORT), 30, "memcached listens")
