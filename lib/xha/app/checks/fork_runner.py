"""Runs checks in processes of their own: each has a deadline, and one that hangs delays nothing else.

The parent has one thread and has imported everything once. A child's timer ends a check that hangs, with a message that
says what it waited for. If the timer does not help, the parent kills the child's process group 0.2 s later. A child
gets no more memory than a check needs, whatever a library collects. It leaves no core file, because it holds passwords.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from ...adapters.network.epoll import reason
from ...adapters.process.alarm import Overdue, current_step, start_timer, stop_timer
from ...adapters.process.daemons import seconds_since_start
from ...adapters.process.descriptors import point_at_null
from ...adapters.process.fate import describe_end, wait_fate
from ...adapters.process.privileges import limit_core, limit_memory
from ...adapters.process.procfs import read_process
from ...core.services.model.result import Status, failed, parse_result, unknown
from ...core.text.numbers import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...core.services.model.result import Level, Result
    from ...core.services.settings import ServiceConfig

KILL_DELAY = 0.2
_ENDING = (signal.SIGTERM, signal.SIGINT)
_MAX_ANSWER = 1 << 16
_LONGEST = 2000
# The exit status of a child that ends by an exception that no check should raise (EX_SOFTWARE, sysexits.h).
_DIED = 70
# The bytes that a check may allocate in addition to what its parent has imported.
_MEMORY = 32 << 20


class Job(NamedTuple):
    """One check to run. grace: seconds since the start of the service's process while a failure is a warning."""

    service: ServiceConfig
    level: Level
    grace: float = 0.0


def load_checks(jobs: Iterable[Job], *, stays: bool = False) -> None:
    """Import what the checks need, so that no child has to. A failed import is reported by the child of that check.

    A process that ends with these checks imports what their levels need, as a check's module tells in LIBRARIES. One
    that stays imports all of it, once.
    """
    for module, level in dict.fromkeys((job.service.row.module, job.level) for job in jobs):
        with contextlib.suppress(Exception):
            for library, first in getattr(_import(module), "LIBRARIES", {}).items():
                if stays or (first is not None and level >= first):
                    import_module(f"xha.adapters.{library}")


def _import(module: str) -> object:
    return import_module(f"xha.app.checks.{module}")


def job_of(service: ServiceConfig, level: Level | None = None, grace: float | None = None) -> Job:
    """Return the check of a service: at the given level, else at that of its section, else at the kind's default."""
    row = service.row
    wanted = level if level is not None else service.level if service.level is not None else row.default_level
    # If the kind has no such level, its next lower level proves all that it can.
    wanted = max((one for one in row.levels if one <= wanted), default=min(row.levels))
    return Job(service, wanted, service.grace if grace is None else grace)


class Child:
    """A running check. It is over when its result has arrived, when its process has died, or when its time is up.

    :raises OSError: if no process can be made for it.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.began = time.monotonic()
        self.ends = self.began + job.service.deadline + KILL_DELAY
        read_end, write_end = os.pipe()
        try:
            self.pid = os.fork()
        except OSError:
            os.close(read_end)
            os.close(write_end)
            raise
        if not self.pid:
            _be_child(job, write_end, (*_open, read_end))
        _open.add(read_end)
        os.close(write_end)
        # The parent and the child both set the group, because either may run first.
        with contextlib.suppress(OSError):
            os.setpgid(self.pid, self.pid)
        self.fd = read_end
        self._answer = b""

    def read(self) -> bool:
        """Read what the child has written. Return whether that was all."""
        chunk = os.read(self.fd, _MAX_ANSWER)
        self._answer += chunk
        return not chunk or self._answer.endswith(b"\n") or len(self._answer) > _MAX_ANSWER

    def end(self) -> Result:
        """Kill what is left of the check, and return the result."""
        seconds = time.monotonic() - self.began
        is_starved = False
        with contextlib.suppress(OSError):  # it is killed whatever can be read about it
            process = read_process(self.pid)
            is_starved = process is not None and process.state == "R"
        # One that has closed its pipe without a result is ending by itself: how is asked before it is killed.
        fate = "" if self._answer or seconds >= self.job.service.deadline else wait_fate(self.pid)
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
        _open.discard(self.fd)
        os.close(self.fd)
        _reap(self.pid)
        return self._result(seconds, fate, is_starved=is_starved)._replace(duration_ms=round(seconds * 1000))

    def _result(self, seconds: float, fate: str, *, is_starved: bool) -> Result:
        name, level = self.job.service.name, self.job.level
        with contextlib.suppress(ValueError):
            return parse_result(parse_json(self._answer.decode("utf-8", "replace")))
        if seconds >= self.job.service.deadline:
            if is_starved:  # it is ready to run and gets no CPU: that says nothing about the service
                return unknown(name, level, f"no end after {seconds:.1f} s: this host has no time to run the check")
            return failed(name, level, f"no end after {seconds:.1f} s, the check was killed")
        said = f"the check itself died{describe_end(fate)}"
        if self._answer:
            said = f"the check wrote {len(self._answer)} bytes that are no result: this is a fault of xha's"
        return unknown(name, level, said)


def _reap(pid: int) -> None:
    """Wait for a child, but only a moment for one that cannot die (during a disk error)."""
    with contextlib.suppress(ChildProcessError):
        for _ in range(50):
            if os.waitpid(pid, os.WNOHANG) != (0, 0):
                return
            time.sleep(0.002)
        _lost.add(pid)


# Children that did not end in time, and the descriptors from which results are read.
_lost: set[int] = set()
_open: set[int] = set()


def collect_lost() -> None:
    """Wait for the children that did not end in time."""
    for pid in tuple(_lost):
        try:
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                continue
        except ChildProcessError:
            pass
        _lost.discard(pid)


def _be_child(job: Job, write_end: int, others: Iterable[int]) -> None:
    """Run the check, write its result, and exit without running any code of the parent.

    others: the descriptors that belong to its siblings.
    """
    code = _DIED
    try:
        for fd in others:
            os.close(fd)
        os.setpgid(0, 0)
        limit_core()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        point_at_null(0, 1, 2)  # the output of a library is no result
        _write(write_end, _run(job))
        code = 0
    except MemoryError:
        _write(write_end, unknown(job.service.name, job.level, f"the check needs more than {_MEMORY >> 20} MiB"))
    finally:
        os._exit(code)


def _write(write_end: int, result: Result) -> None:
    document = result._replace(message=result.message[:_LONGEST], proved=result.proved[:_LONGEST]).document()
    # Half a surrogate pair, as in an argument of another process, is written as a question mark.
    os.write(write_end, json.dumps(document, ensure_ascii=False).encode("utf-8", "replace") + b"\n")


def _run(job: Job) -> Result:
    """Return the result of a check. Its time may be up at any line until the timer is stopped, and once."""
    try:
        start_timer(job.service.deadline)
        limit_memory(_MEMORY)
        result = _check(job)
        stop_timer()
        return result
    except Overdue:
        step = current_step()
        said = f"no end after {job.service.deadline:g} s{f', waiting for {step.what}' if step.what else ''}"
        return failed(job.service.name, job.level, said, blame=step.blame, proved=step.proved)


def _check(job: Job) -> Result:
    name, level, settings = job.service.name, job.level, job.service.settings
    try:
        result: Result = _import(job.service.row.module).check(settings, level)  # type: ignore[attr-defined]
        return _apply_grace(job, result) if result.is_down and job.grace else result
    except MemoryError:
        step = current_step()
        said = f"needs more than the {_MEMORY >> 20} MiB of a check for {step.what}: nothing is known of it"
        return unknown(name, level, said, proved=step.proved)
    except Exception as error:
        return unknown(name, level, f"the check itself failed ({type(error).__name__}): this is a fault of xha's")


def _apply_grace(job: Job, result: Result) -> Result:
    age = seconds_since_start(job.service.settings.process)
    if age is None or age > job.grace:
        return result
    message = f"starting since {age:.0f} s, {job.grace:g} s of grace: {result.message}"
    return result._replace(status=Status.WARNING, message=message)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay Ctrl-C and SIGTERM until the end of the block.

    A child is then in the list of the process that ends it from its beginning until it has ended.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run_jobs(jobs: Iterable[Job]) -> Iterator[tuple[ServiceConfig, Result]]:
    """Run checks in parallel, and yield each result as it arrives."""
    children: list[Child] = []
    try:
        for job in jobs:
            try:
                with uninterrupted():
                    children.append(Child(job))
            except OSError as error:
                said = f"the check could not be started: {reason(error)}"
                yield job.service, unknown(job.service.name, job.level, said)
        while children:
            for child in wait_children(children, max(0.0, min(child.ends for child in children) - time.monotonic())):
                with uninterrupted():
                    children.remove(child)
                    result = child.end()
                yield child.job.service, result
    finally:
        for child in children:
            child.end()


def wait_children(children: list[Child], seconds: float) -> list[Child]:
    """Return the children that are over, after at most `seconds`."""
    poll = select.poll()
    for child in children:
        poll.register(child.fd, select.POLLIN)
    ready = {fd for fd, _ in poll.poll(seconds * 1000)}
    now = time.monotonic()
    return [child for child in children if (child.fd in ready and child.read()) or child.ends <= now]
