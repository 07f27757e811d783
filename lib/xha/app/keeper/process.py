"""The keeper as a process: who it is, whether it lives, starting and ending it."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time

from ...adapters.process.procfs import look
from ...core.monitor.keeper_status import Phase
from ...core.text.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

    from ...adapters.files.agent_rundir import RunDir
    from ...adapters.process.procfs import Process
    from ...core.monitor.keeper_status import KeeperStatus
    from ...core.ocf.api import Instance

LOCK = "keeper.lock"
TERM_SECONDS = 3.0
# What the agent's environment has that a keeper needs; the passwords among the parameters are not.
_KEPT = ("PATH", "LANG", "OCF_ROOT", "OCF_RESOURCE_INSTANCE", "OCF_RESOURCE_TYPE", "HA_LOGFACILITY", "PYTHONPATH")
_META = "OCF_RESKEY_CRM_meta_on_node", "OCF_RESKEY_crm_feature_set"


class Locked:
    """Holds the keeper's lock for a block, if nobody else does, or not for longer than patience: the block hears.

    make: its file is made where there is none. Who only looks does without: it may be that /run cannot be written.
    :raises OSError: where it cannot be opened.
    """

    def __init__(self, run: RunDir, patience: float = 0.0, *, make: bool = True) -> None:
        self._patience, self._descriptor = patience, -1
        flags = os.O_CLOEXEC | os.O_NOFOLLOW
        if make:
            run.make()
            self._descriptor = os.open(run.file(LOCK), flags | os.O_RDWR | os.O_CREAT, 0o600)
            return
        try:
            self._descriptor = os.open(run.file(LOCK), flags | os.O_RDONLY)
        except FileNotFoundError:  # nobody can hold it
            return

    def __enter__(self) -> bool:
        until = time.monotonic() + self._patience
        free = self._try()
        while not free and time.monotonic() < until:
            time.sleep(0.05)
            free = self._try()
        return free

    def __exit__(self, *error: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def _try(self) -> bool:
        if self._descriptor < 0:
            return True
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def find_keeper(run: RunDir) -> Process | None:
    """Return the keeper that wrote the last status, None if it is gone."""
    return _find(run.read_keeper_status())


def _find(said: KeeperStatus | None) -> Process | None:
    return look(said.pid, said.started) if said and said.pid else None


def end_this_keeper(keeper: Process) -> bool:
    """End this very process, by SIGKILL if need be, and return whether it is gone; a later keeper is left alone.

    :raises OSError: where that cannot be told.
    """
    from ...adapters.lifecycle.terminate import send

    for number, seconds in ((signal.SIGTERM, TERM_SECONDS), (signal.SIGKILL, TERM_SECONDS)):
        send(keeper, number)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if look(keeper.pid, keeper.started) is None:
                return True
            time.sleep(0.05)
    return False


def await_other_keeper(run: RunDir, before: Process | None, seconds: float) -> Process | None:
    """Return the keeper that is at work, and is not the one of before; None where none is for so many seconds.

    One that gives up says so with its first words, and is there for a moment: two looks have to find the same one.

    :raises OSError: where its process cannot be looked at.
    """
    until, last = time.monotonic() + seconds, None
    while True:
        said = run.read_keeper_status()
        keeper = None if said is not None and said.phase is Phase.FAILED else _find(said)
        if keeper is not None and (before is None or (keeper.pid, keeper.started) != (before.pid, before.started)):
            if last == (keeper.pid, keeper.started):
                return keeper
            last = (keeper.pid, keeper.started)
        if time.monotonic() >= until:
            return None
        time.sleep(0.5)


def launch_keeper(instance: Instance) -> subprocess.Popen[bytes]:
    """Start a keeper, and return its process; one that finds the lock taken ends at once."""
    return launch(instance, "keeper")


def launch(instance: Instance, action: str) -> subprocess.Popen[bytes]:
    """Start one of the agent's own actions, in a session of its own."""
    import subprocess

    environment = {name: os.environ[name] for name in (*_KEPT, *_META) if name in os.environ}
    environment["OCF_RESOURCE_INSTANCE"] = instance.name
    return subprocess.Popen(  # noqa: S603 - this very program
        [os.path.abspath(sys.argv[0]), action],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=environment,
        start_new_session=True,
    )


def end_keeper(run: RunDir) -> bool:
    """End the keeper, by SIGKILL if need be, and return whether none is left: its lock tells.

    :raises OSError: where that cannot be told.
    """
    from ...adapters.lifecycle.terminate import send

    for number, seconds in ((signal.SIGTERM, TERM_SECONDS), (signal.SIGKILL, TERM_SECONDS)):
        keeper = find_keeper(run)
        if keeper is not None:
            send(keeper, number)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with Locked(run, make=False) as free:
                if free:
                    return True
            time.sleep(0.05)
    return False
