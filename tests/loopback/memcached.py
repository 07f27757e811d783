"""A real memcached."""

from __future__ import annotations

import os
from pathlib import Path

from loopback.addresses import Net
from loopback.daemon import Daemon
from loopback.server_root import service_command
from loopback.sockets import accepts, is_listening

PORT = 11211


class Memcached(Daemon):
    """memcached on an address of the network, or with `place` on a unix socket; options are memcached's own."""

    def __init__(
        self, net: Net, directory: Path, *options: str, place: Path | None = None, address: str | None = None
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.address, self.place = address or net.next_address(), place
        where = ["-s", str(place)] if place else ["-l", self.address, "-p", str(PORT), "-U", "0"]
        argv = [*service_command("memcached", "memcached"), *where, *options]
        argv += ["-u", "nobody"] if os.geteuid() == 0 else []
        super().__init__(net, argv, directory / "memcached.log")

    def start(self) -> None:
        super().start()
        if self.place:
            self.wait_ready(lambda: self.place is not None and accepts(self.place), 30, "memcached accepts")
        else:
            self.wait_ready(lambda: is_listening(self.address, PORT), 30, "memcached listens")
