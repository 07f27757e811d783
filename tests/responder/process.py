"""The responder as the process that an operator would have, and what the kernel knows about it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence

import psutil

import loopback
from loopback import Net, Node, find_program, wait_until
from loopback.doors import door
from loopback.responder import PORT, Address
from responder.client import Answer, ask

ENVIRONMENT = {"PATH": os.environ["PATH"]}
MAX_AGE = 0.1  # the default of xha.conf, in seconds
ACCOUNT = "xha"
# The loop, what reads the database, and what writes the history; the commit probe's come where there is a node.
THREADS = 3
BUSY_MACHINE = 10.0  # seconds that an answer may be late on a busy machine: times are reported, and fail no test
# A busy machine must not count as a server that hangs; a test that freezes one uses PROMPT, or a deadline of its own.
PATIENT = "deadline = 5s\nhang_reset = 5s"
PROMPT = "deadline = 2s\nhang_reset = 2s"


def command(*arguments: str) -> list[str]:
    """Return the command with which a test starts the responder.

    If the test is root, the responder gets no capability, so that it cannot read a file without permission, like the
    user xha.
    """
    plain = [door("xha-responder"), *arguments]
    if os.geteuid() != 0:
        return plain
    return [find_program("setpriv", "util-linux"), "--bounding-set=-all", "--inh-caps=-all", *plain]


def _with_times(lines: str) -> str:
    """Return the section's lines, with the default times for those that they do not set."""
    said = {line.partition("=")[0].strip() for line in lines.splitlines()}
    times = PROMPT if "deadline" in said else PATIENT
    return "\n".join([lines, *(line for line in times.splitlines() if line.partition(" ")[0] not in said)])


class Responder(loopback.Responder):
    """A responder that a test queries, and whose descriptors, threads and memory it watches."""

    def __init__(  # noqa: PLR0913 - what makes one responder differ from another
        self,
        net: Net,
        name: str,
        node: Node | None = None,
        *,
        responder: str = "",
        database: str = "",
        client: str | None = None,
        listen: Sequence[Address] = (),
        wrapper: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        **sections: str,
    ) -> None:
        super().__init__(
            net,
            net.directory / "responders" / name,
            list(listen) or [(net.next_address(), PORT)],
            node.socket if node and "host" not in database else None,
            client=client or f"[client]\nuser = {ACCOUNT}\n",
            database=database,
            responder=_with_times(responder),
            command=[*wrapper, *command()],
            env={**ENVIRONMENT, **(env or {})},
            **sections,
        )

    def ask(self, path: str = "/", **options: object) -> Answer:
        return ask(self.address, path, **options)  # type: ignore[arg-type]

    def verdict(self) -> tuple[int, str]:
        """The status and reason code of /ready for the next probe."""
        answer = self.ask("/ready")
        return answer.status, answer.code

    def outlive_reading(self) -> None:
        """Wait until no finished reading may be used any more: the next probe causes a new one."""
        time.sleep(MAX_AGE + 0.01)

    def next_verdict(self) -> tuple[int, str]:
        """The verdict that the very next probe gets after a change; the test may not retry."""
        self.outlive_reading()
        return self.verdict()

    def wait_verdict(self, status: int, code: str, seconds: float = 20) -> None:
        """Wait until a probe gets this answer; for changes that a database makes in its own time."""
        wait_until(
            lambda: self.verdict() == (status, code), seconds, lambda: f"{code}, it is {self.verdict()}\n{self.tail()}"
        )

    def lines(self, text: str = "") -> list[str]:
        """Its log lines that contain this text."""
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
        """Check that the block leaves no descriptor and no thread behind, and at most this much memory."""
        self.settle()
        descriptors, threads, resident = self.descriptors, self.threads, self.resident_bytes
        yield
        wait_until(
            lambda: self.descriptors <= descriptors,
            30,
            lambda: f"{self.descriptors} descriptors, {descriptors} before",
        )
        assert self.threads == threads
        assert self.resident_bytes - resident < megabytes * 1e6

    def settle(self) -> None:
        """Wait until earlier clients are gone and the history is open: no descriptor that is open then comes later."""
        self.ask()
        wait_until(self._is_alone, 30, "earlier clients are gone")
        if str(self.history_file) in self.config.read_text():
            wait_until(self._writes_history, 30, "its history is open")

    def _writes_history(self) -> bool:
        return str(self.history_file) in [one.path for one in psutil.Process(self.pid).open_files()]

    def _is_alone(self) -> bool:
        return not [one for one in psutil.Process(self.pid).net_connections("inet") if one.status != "LISTEN"]
