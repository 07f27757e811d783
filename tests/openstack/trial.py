"""Tries the faults one after the other on one cloud, and keeps the results."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from loopback import NotInTime
from openstack.cloud import Cloud, progress
from openstack.faults import Fault
from openstack.looking import AT_A_TIME, DAEMONS, DEADLINE, GONE, Look, Watcher
from openstack.packages import HOME
from openstack.settings import WORKERS
from xha.core.services.model.result import Level

RESULTS = HOME / "results.json"
MEND_SECONDS = 300.0
# Packages of the machine itself, with which the other rows of the page were tested.
OTHERS = ("mariadb-server", "galera-4", "rabbitmq-server", "haproxy", "memcached", "pacemaker", "corosync")


class Seen(NamedTuple):
    """The result of one check under one fault. moment: `first`, `again` after the deep checks, `later`."""

    fault: str
    moment: str
    service: str
    level: str
    status: str
    blame: str | None
    duration_ms: int
    proved: str
    message: str

    @property
    def short(self) -> tuple[str, str | None]:
        return self.status, self.blame

    def __str__(self) -> str:
        blame = f" {self.blame}" if self.blame else ""
        return f"{self.service} {self.level} {self.moment}: {self.status}{blame}, {self.duration_ms} ms: {self.message}"


class Trial(NamedTuple):
    """One fault: the results under it, and after how many seconds all was well again. None: not without a restart.

    load: how many processes wanted the machine's cores meanwhile, as an average over a minute.
    """

    fault: str
    title: str
    seen: tuple[Seen, ...]
    mended: float | None
    load: float | None


class Record(NamedTuple):
    """One run."""

    date: str
    versions: dict[str, str]
    machine: str
    trials: tuple[Trial, ...]


def try_faults(cloud: Cloud, faults: Sequence[Fault]) -> Record:
    """Try the faults in their order. The results are on disk after each fault."""
    watcher = Watcher(cloud)
    record = Record(time.strftime("%Y-%m-%d"), read_versions(cloud), describe_machine(), ())
    with progress("the first looks, until all is well"):
        for _ in range(2 * WORKERS):  # a worker's first request with a token takes ten times as long as others
            wait_well(watcher, None)
    for fault in faults:
        trial = try_fault(cloud, watcher, fault)
        record = record._replace(trials=(*record.trials, trial))
        save(record)
    return record


def try_fault(cloud: Cloud, watcher: Watcher, fault: Fault) -> Trial:
    with progress(f"{fault.name}: looking"), fault.happen(cloud):
        seen = keep(fault, "first", look_once(watcher, fault))
        if fault.again:
            seen += keep(fault, "again", watcher.look(Level.PROTOCOL, fault.services))
        if fault.later:
            time.sleep(fault.later)
            seen += keep(fault, "later", look_once(watcher, fault))
        load = round(os.getloadavg()[0], 1)
    with progress(f"{fault.name}: until all is well again"):
        began = time.monotonic()
        mended: float | None = None
        try:
            wait_well(watcher, fault)
            mended = round(time.monotonic() - began, 1)
        except NotInTime as error:
            print(error)
            cloud.restart(*dict.fromkeys(DAEMONS[name] for name in fault.services if DAEMONS[name] in cloud.daemons))
            wait_well(watcher, None)
    return Trial(fault.name, fault.title, tuple(seen), mended, load)


def look_once(watcher: Watcher, fault: Fault) -> list[Look]:
    """Look at every level. A single service is checked at all levels at once, because a frozen one makes each wait."""
    names = (*fault.services, *GONE) if fault.name == "none" else fault.services
    if len(names) > 1:
        return [one for level in Level for one in watcher.look(level, names)]
    with ThreadPoolExecutor(len(Level)) as pool:
        return [one for looks in pool.map(lambda level: watcher.look(level, names), Level) for one in looks]


def wait_well(watcher: Watcher, fault: Fault | None) -> None:
    """Wait until every check is green at its deepest level. :raises NotInTime: naming those that are not."""
    deadline = time.monotonic() + MEND_SECONDS
    left = list(watcher.look(Level.DEEP, *([fault.services] if fault else [])))
    while left:
        left = [one for one in left if one.short != ("ok", None)]
        if left and time.monotonic() > deadline:
            raise NotInTime(f"not well within {MEND_SECONDS:g} s:\n" + "\n".join(map(str, left)))
        if left:
            left = watcher.look(Level.DEEP, [one.service for one in left])


def keep(fault: Fault, moment: str, looks: Sequence[Look]) -> list[Seen]:
    return [
        Seen(
            fault.name,
            moment,
            one.service,
            one.level.word,
            one.result.status.value,
            one.result.blame,
            one.result.duration_ms,
            one.result.proved,
            one.result.message,
        )
        for one in looks
    ]


def read_versions(cloud: Cloud) -> dict[str, str]:
    """The versions of the unpacked packages, and of those of the machine."""
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package}=${Version}\\n", *OTHERS], capture_output=True, text=True, check=False
    )
    others = dict(line.split("=", 1) for line in done.stdout.splitlines())
    return {**cloud.place.tree.versions, **others}


def describe_machine() -> str:
    distribution = platform.freedesktop_os_release().get("PRETTY_NAME", "an unknown system")
    return f"{distribution}, {os.cpu_count()} cores; a deadline of {DEADLINE:g} s, {AT_A_TIME} checks at a time"


def save(record: Record, path: Path = RESULTS) -> None:
    trials = [{**one._asdict(), "seen": [seen._asdict() for seen in one.seen]} for one in record.trials]
    path.write_text(json.dumps({**record._asdict(), "trials": trials}, indent=1))


def load(path: Path = RESULTS) -> Record:
    document: dict[str, Any] = json.loads(path.read_text())
    trials = tuple(
        Trial(one["fault"], one["title"], tuple(Seen(**seen) for seen in one["seen"]), one["mended"], one.get("load"))
        for one in document["trials"]
    )
    return Record(document["date"], document["versions"], document["machine"], trials)
