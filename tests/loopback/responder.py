"""xha's own responder, resident on port 49000 of one address, as `make venv` puts it on .venv/bin."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

from loopback.addresses import Net
from loopback.daemon import Daemon
from loopback.doors import door
from loopback.sockets import is_listening

PORT = 49000

CONFIG = """\
[database]
defaults_file = {directory}/client.cnf
socket = {socket}
[responder]
disabled_file = {directory}/disabled
{responder}
"""


class Responder(Daemon):
    """A responder on `address` for the database behind `socket`. `responder` are lines for that section.

    Its configuration stands in `directory`, so that the machine's own /etc/xha has no say.
    """

    def __init__(  # noqa: PLR0913 - an address, a database and how to get in
        self,
        net: Net,
        directory: Path,
        address: str,
        socket: Path,
        *,
        user: str = "root",
        password: str = "",
        responder: str = "",
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.address = address
        self.config = directory / "xha.conf"
        self.option_file = directory / "client.cnf"
        self.disabled_file = directory / "disabled"
        self.config.write_text(CONFIG.format(directory=directory, socket=socket, responder=responder))
        self.option_file.touch(mode=0o600)
        self.option_file.write_text(f"[client]\nuser = {user}\npassword = '{password}'\n")
        argv = [door("xha-responder"), "--config", str(self.config), "--listen", f"{address}:{PORT}"]
        super().__init__(net, argv, directory / "responder.log")

    def start(self) -> None:
        super().start()
        self.wait_ready(lambda: is_listening(self.address, PORT), 10, f"a responder listens on {self.address}")

    def get(self, path: str = "/", timeout: float = 5) -> tuple[int, str]:
        """Ask for this path; returns status and body."""
        connection = http.client.HTTPConnection(self.address, PORT, timeout=timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def node(self) -> dict[str, Any]:
        """What it says at /node."""
        _, body = self.get("/node")
        answer: dict[str, Any] = json.loads(body)
        return answer

    def verdict(self) -> str:
        """The code of its verdict, now."""
        return str(self.node()["verdict"]["code"])
