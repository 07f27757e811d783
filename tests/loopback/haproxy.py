"""A real HAProxy, its view of the servers, and the seed document's `listen mysql` section for it."""

from __future__ import annotations

import csv
import re
import socket
from collections.abc import Sequence
from pathlib import Path

from loopback.addresses import Net
from loopback.daemon import Daemon, wait_until
from loopback.server_root import service_command
from loopback.sockets import accepts
from seed import listen_mysql_for

PREAMBLE = """\
global
  stats socket {socket} level admin
  log stdout format raw daemon info
  {extra}
defaults
  log global
  timeout connect 5s
"""


def listen_mysql(bind: str, nodes: Sequence[str], inter: str | None = None) -> str:
    """The seed's section on `bind` (ADDRESS:PORT) for three nodes; `inter` replaces every check interval."""
    section = listen_mysql_for(bind, nodes)
    if inter is not None:
        section = re.sub(r"\b(inter|fastinter|downinter) \S+", rf"\1 {inter}", section)
    return section


class HAProxy(Daemon):
    """HAProxy with these sections below this module's preamble; `extra_global` are lines for its global section.

    has_master: with a master process, whose socket is `master`, and a worker below it.
    """

    def __init__(
        self, net: Net, directory: Path, sections: str, *, extra_global: Sequence[str] = (), has_master: bool = False
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.socket = directory / "haproxy.sock"
        config = directory / "haproxy.cfg"
        config.write_text(PREAMBLE.format(socket=self.socket, extra="\n  ".join(extra_global)) + sections)
        self.master = directory / "master.sock"
        argv = [*service_command("haproxy", "haproxy"), "-db", "-f", str(config)]
        argv += ["-W", "-S", str(self.master)] if has_master else []
        super().__init__(net, argv, directory / "haproxy.log")

    def start(self) -> None:
        super().start()
        self.wait_ready(lambda: accepts(self.socket), 30, "HAProxy answers on its stats socket")

    def command(self, line: str) -> str:
        """Return HAProxy's answer to one command of its runtime API."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(5)
            connection.connect(str(self.socket))
            connection.sendall(line.encode() + b"\n")
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        return answer.decode()

    def show_stat(self) -> list[dict[str, str]]:
        """`show stat`: a dict for each frontend, server and backend, without the mark of a check in progress."""
        lines = self.command("show stat").lstrip("# ").splitlines()
        rows = list(csv.DictReader(line for line in lines if line))
        return [{**row, "check_status": row["check_status"].lstrip("* ")} for row in rows]

    def server(self, name: str) -> dict[str, str]:
        """One server's row: `status` (UP, DOWN, UP 1/3...), `check_status` (L7OK, L7STS...), `last_chk`..."""
        return next(row for row in self.show_stat() if row["svname"] == name)

    def wait_status(self, name: str, status: str, seconds: float = 90) -> None:
        """Wait until a check has ended, and HAProxy shows this status for the server: it takes one for UP before.

        On a failure, its log tells what it saw instead.
        """

        def is_seen() -> bool:
            row = self.server(name)
            return row["status"] == status and row["check_status"] not in {"", "INI"}

        wait_until(is_seen, seconds, lambda: f"{name} is {status}, it is {self.server(name)}\n{self.tail()}")
