"""The keeper as a process: who it is, whether it lives, starting and ending it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from ...adapters.procfs import look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...adapters.procfs import Process
    from ...adapters.rundir import RunDir
    from ...core.ocf import Instance

LOCK = "keeper.lock"
TERM_SECONDS = 3.0
# What the agent's environment has that a keeper needs; the passwords among the parameters are not.
_KEPT = ("PATH", "LANG", "OCF_ROOT", "OCF_RESOURCE_INSTANCE", "OCF_RESOURCE_TYPE", "HA_LOGFACILITY", "PYTHONPATH")
_META = "OCF_RESKEY_CRM_meta_on_node", "OCF_RESKEY_crm_feature_set"


@contextlib.contextmanager
def locked(run: RunDir, patience: float = 0.0) -> Iterator[bool]:
    """Hold the keeper's lock for the block, if nobody else does, or not for longer than patience: yields whether."""
    run.make()
    descriptor = os.open(run.file(LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        until = time.monotonic() + patience
        free = _try_lock(descriptor)
        while not free and time.monotonic() < until:
            time.sleep(0.05)
            free = _try_lock(descriptor)
        yield free
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def find_keeper(run: RunDir) -> Process | None:
    """Return the keeper that wrote the last bulletin, None if it is gone."""
    bulletin = run.read_bulletin()
    return look(bulletin.pid, bulletin.started) if bulletin and bulletin.pid else None


def launch_keeper(instance: Instance) -> None:
    """Start a keeper; one that finds the lock taken ends at once."""
    launch(instance, "keeper")


def launch(instance: Instance, action: str) -> None:
    """Start one of the agent's own actions, in a session of its own."""
    import subprocess

    environment = {name: os.environ[name] for name in (*_KEPT, *_META) if name in os.environ}
    environment["OCF_RESOURCE_INSTANCE"] = instance.name
    subprocess.Popen(  # noqa: S603 - this very program
        [os.path.abspath(sys.argv[0]), action],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=environment,
        start_new_session=True,
    )


def end_keeper(run: RunDir) -> bool:
    """End the keeper, by SIGKILL if need be, and return whether none is left: its lock tells."""
    from ...adapters.ending import send

    for number, seconds in ((signal.SIGTERM, TERM_SECONDS), (signal.SIGKILL, TERM_SECONDS)):
        keeper = find_keeper(run)
        if keeper is not None:
            send(keeper, number)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with locked(run) as free:
                if free:
                    return True
            time.sleep(0.05)
    return False
