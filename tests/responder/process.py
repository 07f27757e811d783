"""The responder as the process that an operator would have, and what the kernel knows of it."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from loopback import Daemon, Net, Node, find_program, is_listening, wait_until
from responder.client import Address, Answer, ask

CHECKOUT = Path(__file__).parents[2]
DOOR = CHECKOUT / "xinetd" / "xha-responder"
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT / "lib"), "PYTHONDONTWRITEBYTECODE": "1"}
PORT = 49000  # where HAProxy looks for it; most tests' responders share one address and have a port each
HOST = 60
_ports = itertools.count(10000)
MAX_AGE = 0.1  # the default of xha.conf, in seconds
ACCOUNT = "xha"


def command(*arguments: str) -> list[str]:
    """How a test starts the responder: the checkout's own door, by the interpreter that runs the tests.

    Started as root it gets no capability, so that a file without permission is as closed to it as to the user xha.
    """
    plain = [sys.executable, str(DOOR), *arguments]
    if os.geteuid() != 0:
        return plain
    return [find_program("setpriv", "util-linux"), "--bounding-set=-all", "--inh-caps=-all", *plain]


class Responder(Daemon):
    """A responder with a directory of its own: xha.conf, client.cnf, the disabled file and its log."""

    def __init__(  # noqa: PLR0913 - what makes one responder differ from another
        self,
        net: Net,
        name: str,
        node: Node | None = None,
        *,
        responder: str = "",
        policy: str = "",
        database: str = "",
        client: str | None = None,
        listen: Sequence[Address] = (),
        wrapper: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = net.directory / "responders" / name
        self.directory.mkdir(parents=True)
        self.disabled = self.directory / "disabled"
        self.config = self.directory / "xha.conf"
        self.client = self.directory / "client.cnf"
        self.addresses = list(listen) or [(net.address(HOST), next(_ports))]
        self.client.write_text(client or f"[client]\nuser = {ACCOUNT}\n")
        self.client.chmod(0o640)
        where = f"socket = {node.socket}" if node and "host" not in database else ""
        self.settings = (
            f"[database]\ndefaults_file = {self.client}\n{where}\n{database}\n"
            f"[policy]\n{policy}\n"
            f"[responder]\ndisabled_file = {self.disabled}\n{responder}\n"
            + ("" if "hang_reset" in responder else "hang_reset = 1s\n")
        )
        self.config.write_text(self.settings)
        argv = [*wrapper, *command("--config", str(self.config), *self._listen_options())]
        super().__init__(net, argv, self.directory / "log", env={**ENVIRONMENT, **(env or {})})

    def _listen_options(self) -> list[str]:
        return [f"--listen={f'[{host}]' if ':' in host else host}:{port}" for host, port in self.addresses if port]

    def start(self) -> None:
        super().start()
        self.wait_listening()

    def wait_listening(self) -> None:
        self.wait_ready(lambda: all(is_listening(*address) for address in self.addresses), 20, "it listens")

    @property
    def address(self) -> Address:
        return self.addresses[0]

    def ask(self, path: str = "/", **options: object) -> Answer:
        return ask(self.address, path, **options)  # type: ignore[arg-type]

    def verdict(self) -> tuple[int, str]:
        """Status and reason code of /ready, as the next probe has it."""
        answer = self.ask("/ready")
        return answer.status, answer.code

    def outlive_reading(self) -> None:
        """Until no finished reading may answer any more: the next probe has a new one taken."""
        time.sleep(MAX_AGE + 0.01)

    def next_verdict(self) -> tuple[int, str]:
        """What the very next probe is told of a change that has just been made: no second chance."""
        self.outlive_reading()
        return self.verdict()

    def wait_verdict(self, status: int, code: str, seconds: float = 20) -> None:
        """Until a probe is answered so; for what a database does in its own time."""
        wait_until(
            lambda: self.verdict() == (status, code), seconds, lambda: f"{code}, it is {self.verdict()}\n{self.tail()}"
        )

    def lines(self, text: str = "") -> list[str]:
        """What it has logged, the lines with this text."""
        return [line for line in self.log.read_text().splitlines() if text in line]

    def count(self, metric: str) -> float:
        """One sample of /metrics."""
        rows = (line.split() for line in self.ask("/metrics").body.splitlines())
        return next(float(row[1]) for row in rows if row[0] == metric)

    @property
    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    @property
    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/task"))

    @property
    def resident_bytes(self) -> int:
        return int(psutil.Process(self.pid).memory_info().rss)

    @contextlib.contextmanager
    def no_growth(self, megabytes: float = 8) -> Iterator[None]:
        """What happens in here leaves no descriptor and no thread behind, and no more memory than that."""
        self.ask()
        wait_until(self._is_alone, 10, "earlier clients are gone")
        descriptors, threads, resident = self.descriptors, self.threads, self.resident_bytes
        yield
        wait_until(
            lambda: self.descriptors <= descriptors,
            10,
            lambda: f"{self.descriptors} descriptors, {descriptors} before",
        )
        assert self.threads == threads
        assert self.resident_bytes - resident < megabytes * 1e6

    def _is_alone(self) -> bool:
        return not [one for one in psutil.Process(self.pid).net_connections("inet") if one.status != "LISTEN"]
