"""A real xinetd that serves the given stanzas."""

from __future__ import annotations

from pathlib import Path

from loopback.addresses import Net
from loopback.daemon import Daemon, find_program
from loopback.sockets import is_listening


class Xinetd(Daemon):
    """xinetd in the foreground with this configuration; its own messages are in `log`."""

    def __init__(self, net: Net, directory: Path, config: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        log = directory / "xinetd.log"
        path = directory / "xinetd.conf"
        path.write_text(config)
        # -dontfork implies -stayalive: it does not end when its last service is switched off
        argv = [find_program("xinetd", "xinetd"), "-dontfork", "-f", str(path), "-filelog", str(log)]
        super().__init__(net, [*argv, "-pidfile", str(directory / "xinetd.pid")], log)

    def wait_listening(self, address: str, port: int) -> None:
        """Wait until it listens there. This asks the kernel, because a connection would start the service."""
        self.wait_ready(lambda: is_listening(address, port), 30, f"xinetd listens on {address}:{port}")
