"""xha's own responder with a directory of its own: its settings, the disabled and the drain file, its log."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loopback.addresses import Net
from loopback.daemon import Daemon
from loopback.doors import door
from loopback.files import put
from loopback.sockets import is_listening

PORT = 49000
Address = tuple[str, int]


class Responder(Daemon):
    """A responder for the database behind `socket`; the machine's own /etc/xha is not used.

    `client` is the text of its option file. `policy`, `database` and `responder` are lines for those sections of
    xha.conf. `command` runs the program if it is not simply the checkout's.
    """

    def __init__(  # noqa: PLR0913 - what makes one responder differ from another
        self,
        net: Net,
        directory: Path,
        listen: Sequence[Address],
        socket: Path | None,
        *,
        client: str,
        policy: str = "",
        database: str = "",
        responder: str = "",
        command: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        directory.mkdir(parents=True)
        self.directory = directory
        self.addresses = list(listen)
        self.disabled = directory / "disabled"
        self.drain = directory / "drain"
        self.commit_file = directory / "commit.json"
        self.history_file = directory / "history"
        self.config = directory / "xha.conf"
        self.client = directory / "client.cnf"
        put(self.client, client, 0o640)
        self.settings = (
            f"[database]\ndefaults_file = {self.client}\n{f'socket = {socket}' if socket else ''}\n{database}\n"
            f"[policy]\n{policy}\n[responder]\ndisabled_file = {self.disabled}\ndrain_file = {self.drain}\n"
            f"commit_file = {self.commit_file}\n"
            f"{'' if 'history_file' in responder else f'history_file = {self.history_file}'}\n{responder}\n"
        )
        put(self.config, self.settings)
        listening = [f"--listen={f'[{host}]' if ':' in host else host}:{port}" for host, port in listen if port]
        argv = [*(command or [door("xha-responder")]), "--config", str(self.config), *listening]
        super().__init__(net, argv, directory / "responder.log", env=env)

    def start(self) -> None:
        super().start()
        self.wait_listening()

    def wait_listening(self) -> None:
        self.wait_ready(lambda: all(is_listening(*address) for address in self.addresses), 60, "it listens")

    @property
    def address(self) -> Address:
        return self.addresses[0]

    def node(self) -> dict[str, Any]:
        """Return its answer at /node. Raises OSError and http.client.HTTPException if there is none."""
        connection = http.client.HTTPConnection(*self.address, timeout=5)
        try:
            connection.request("GET", "/node")
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
            return answer
        finally:
            connection.close()
