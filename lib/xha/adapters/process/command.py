"""Runs a program and reads its output, with one deadline and one budget of bytes for the whole.

subprocess.communicate has only the deadline: it keeps everything that an endless program prints (measured: 1 GB in 1
s).
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Callable

_CHUNK = 1 << 16
# How long a killed program is waited for, in seconds.
_KILL_SECONDS = 0.5
DIRECTORIES = "/usr/sbin:/usr/bin:/sbin:/bin"


class Output(NamedTuple):
    """The result of a program. code is -N if signal N ended it."""

    code: int
    out: str
    err: str


class Unanswered(Exception):
    """A program did not end in its time."""


class Overlong(Exception):
    """A program printed more than it may; the text says so."""

    def __init__(self, program: str, budget: int) -> None:
        super().__init__(f"{os.path.basename(program)} prints more than {budget >> 10} KiB")


def run_command(
    words: Sequence[str],
    seconds: float,
    budget: int,
    *,
    environment: Mapping[str, str] | None = None,
    own_session: bool = False,
) -> Output:
    """Run a program without input, and return its output when it has ended.

    seconds: for the whole run. budget: bytes of standard output and error together. environment: None for that of this
    process. own_session: everything that the program started is killed with it; otherwise it stays in this process
    group, which the caller's parent may end as a whole.

    The program is killed before any of these errors is raised.

    :raises OSError: if it cannot be started.
    :raises Unanswered: if it has not ended after `seconds`.
    :raises Overlong: if it prints more than the budget.
    """
    until = time.monotonic() + seconds
    process = subprocess.Popen(  # noqa: S603 - the callers' programs, and no shell
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        env=environment,
        start_new_session=own_session,
        preexec_fn=_restored_limit(),  # noqa: PLW1509 - a caller has one thread, or no such limit
    )
    try:
        said = _read(process, words[0], until, budget)
        code = process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise Unanswered from None
    finally:
        _end(process, own_session)
    return Output(code, *(text.decode("utf-8", "replace") for text in said))


def _read(process: subprocess.Popen[bytes], program: str, until: float, budget: int) -> tuple[bytearray, bytearray]:
    """Return the output of both pipes, read until they are closed."""
    assert process.stdout is not None
    assert process.stderr is not None
    said = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    out, err = said.values()
    poller = select.poll()
    for number in said:
        poller.register(number, select.POLLIN)
    while said:
        left = until - time.monotonic()
        if left <= 0:
            raise Unanswered
        for number, _ in poller.poll(left * 1000):
            chunk = os.read(number, _CHUNK)
            if not chunk:
                poller.unregister(number)
                del said[number]
                continue
            said[number] += chunk
            if len(out) + len(err) > budget:
                raise Overlong(program, budget)
    return out, err


def _end(process: subprocess.Popen[bytes], own_session: bool) -> None:
    """Close the pipes, and kill the program if it still runs."""
    for pipe in (process.stdout, process.stderr):
        assert pipe is not None
        pipe.close()
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            if own_session:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        # even SIGKILL does not end it while a disk does not answer
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_KILL_SECONDS)


def _restored_limit() -> Callable[[], None] | None:
    """Return a function that restores a child's memory limit; None if this process has no limit of its own.

    A check has a limit (app/checks/fork_runner.py), and an Erlang VM needs more memory than that.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if soft == hard:
        return None
    return lambda: resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
