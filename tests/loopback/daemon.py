"""One real daemon: its process, its log, and waiting for its reactions."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Callable, TypeVar

from loopback.addresses import Net

KEEPER = Path(__file__).with_name("keeper.py")
TAIL_LINES = 25
ERROR_LINES = 8
SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.25
T = TypeVar("T")
D = TypeVar("D", bound="Disposable")


class MissingProgram(RuntimeError):
    """A program that the test needs is not installed; the message names its Debian package."""


class NotInTime(AssertionError):
    """A condition did not become true before its deadline."""


class Died(RuntimeError):
    """A daemon ended although it was not asked to."""


def find_program(name: str, package: str) -> str:
    """Return the program's path. Daemons are in sbin, which an ordinary user's PATH does not contain."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin")
    if path is None:
        raise MissingProgram(f"{name} is not installed: apt-get install {package}, or make deps")
    return path


def wait_until(condition: Callable[[], T], seconds: float, what: str | Callable[[], str]) -> T:
    """Call the condition until its result is true, and return that. `what` names the condition in a failure.

    Between two calls it pauses for as long as the call took, within bounds: a condition that starts a program each time
    would otherwise take a processor from what is waited for.
    """
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        answer = condition()
        if answer:
            return answer
        now = time.monotonic()
        if now > deadline:
            raise NotInTime(f"not within {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(min(max(now - began, SHORTEST_PAUSE), LONGEST_PAUSE))


class Disposable:
    """An object that `with` starts and kills; it is also killed if its start fails."""

    def start(self) -> None:
        raise NotImplementedError

    def kill(self) -> None:
        raise NotImplementedError

    def bring_up(self) -> None:
        """What `with` does first; it may be more than start()."""
        self.start()

    def __enter__(self: D) -> D:
        try:
            self.bring_up()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()


class Daemon(Disposable):
    """A process in the foreground of a keeper: it ends with its owner, and so do its children.

    It is detached from the caller's terminal, pipes and session; its output goes to `log`. If the test is root, it runs
    as `user` from its first instruction on.
    """

    def __init__(
        self,
        net: Net,
        argv: Sequence[str],
        log: Path,
        *,
        user: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.net = net
        self.argv = list(argv)
        self.log = log
        self.user = user
        self.env = env
        self._keeper: subprocess.Popen[bytes] | None = None
        self._pid = 0

    @property
    def pid(self) -> int:
        if self._keeper is None:
            raise Died(f"{self.argv[0]} was not started")
        return self._pid

    def start(self) -> None:
        if self.is_running():
            raise RuntimeError(f"{self.argv[0]} runs already, pid {self.pid}")
        report_read, report_write = os.pipe()
        keeper = [sys.executable, "-IS", str(KEEPER), str(os.getpid()), str(report_write), self.user or ""]
        with self.log.open("ab") as log, open(report_read, "rb") as report:
            self._keeper = subprocess.Popen(
                [*keeper, *self.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(report_write, self.net.fileno()),
                start_new_session=True,
                env=self.env,
            )
            os.close(report_write)
            pid = report.read()
        if not pid:
            self._keeper.wait()
            raise Died(f"could not start {self.argv[0]}:\n{self.tail()}")
        self._pid = int(pid)

    def is_running(self) -> bool:
        return self._keeper is not None and self._keeper.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None before its start and while it runs; 128 + N if signal N ended it."""
        return None if self._keeper is None else self._keeper.poll()

    def signal(self, number: signal.Signals) -> None:
        if not self.is_running():
            raise Died(f"{self.argv[0]} does not run any more (exit code {self.exit_code}):\n{self.tail()}")
        with contextlib.suppress(ProcessLookupError):  # it has been collected, and wait_ready reports it in a moment
            os.kill(self.pid, number)

    def freeze(self) -> None:
        """Stop it with SIGSTOP: the kernel still accepts connections for it, but nothing answers them.

        Returns when every thread has stopped: each does so when it runs next, and may answer until then.
        """
        self.signal(signal.SIGSTOP)
        wait_until(self._has_stopped, 30, lambda: f"every thread of {self.argv[0]} has stopped")

    def _has_stopped(self) -> bool:
        tasks = Path(f"/proc/{self.pid}/task")
        try:
            states = {(one / "stat").read_text().rpartition(")")[2].split()[0] for one in tasks.iterdir()}
        except (
            FileNotFoundError,
            ProcessLookupError,
        ):  # a thread has ended, or the daemon, which the next call reports
            return not tasks.exists()
        return states <= {"T", "Z", "X"}

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Have it stopped in a block."""
        self.freeze()
        try:
            yield
        finally:
            self.thaw()

    def kill(self) -> None:
        """Kill it, and wait until it and every process that it started have ended."""
        if self.is_running():
            self.signal(signal.SIGKILL)
            self.wait_ended(60)

    def stop(self, seconds: float = 30) -> None:
        """Ask it to end, as an init system does. If it does not, kill it and raise NotInTime."""
        if not self.is_running():
            return
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.wait_ended(seconds)
        finally:
            self.kill()

    def wait_ended(self, seconds: float) -> None:
        wait_until(lambda: not self.is_running(), seconds, lambda: f"{self.argv[0]} ends\n{self.tail()}")

    def wait_ready(self, condition: Callable[[], T], seconds: float, what: str) -> T:
        """Wait until this daemon is useful; its end or the deadline raises, with the end of its log."""

        def ready() -> T:
            if not self.is_running():
                raise Died(f"{what}: {self.argv[0]} ended with {self.exit_code}:\n{self.tail()}")
            return condition()

        return wait_until(ready, seconds, lambda: f"{what}\n{self.tail()}")

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The end of its log, for a failure's message, and the errors before it: much may be said after them."""
        try:
            text = self.log.read_text(errors="replace")
        except FileNotFoundError:
            return f"(no {self.log})"
        said = text.splitlines()
        errors = [line for line in said[:-lines] if "ERROR" in line][-ERROR_LINES:]
        return "\n".join(f"  {self.log.name}: {line}" for line in (*errors, *said[-lines:]))
