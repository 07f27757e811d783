"""The laboratory's client: writers behind the VIP, and the count of what became of each row."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab.host import Host
from lab.laboratory import Laboratory, environment
from lab.measure import FRESH, PERSISTENT, Attempt, Row, parse_journal
from lab.place import BALANCER_PORT, DATABASE_PASSWORD, DATABASE_USER, VIP
from lab.shell import Result, run
from lab.waiting import wait_until

TABLE = """
CREATE DATABASE IF NOT EXISTS lab;
CREATE OR REPLACE TABLE lab.acknowledged (writer INT, number INT, PRIMARY KEY (writer, number)) ENGINE=InnoDB;
"""
FIRST_WRITE_SECONDS = 60
KINDS = (PERSISTENT, FRESH, PERSISTENT, FRESH)
LAST_BYTES = 32 * 1024


class Client:
    """Writers at work. `attempts` may be read at any time, also after the writers were stopped."""

    def __init__(self, journal: Path, process: subprocess.Popen[bytes]) -> None:
        self.journal, self.process = journal, process

    def attempts(self) -> list[Attempt]:
        with open(self.journal, encoding="utf-8") as lines:
            return parse_journal(lines)

    def wrote_since(self, moment: float) -> bool:
        """Whether one of the last few hundred writes was acknowledged after `moment` (monotonic)."""
        with open(self.journal, "rb") as lines:
            lines.seek(max(0, lines.seek(0, os.SEEK_END) - LAST_BYTES))
            last = lines.read().decode().splitlines(keepends=True)
        return any(attempt.at > moment and attempt.error is None for attempt in parse_journal(last))

    def stop(self) -> None:
        """Let every writer end its attempt. Answers until then count."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)


@contextmanager
def writing(lab: Laboratory, kinds: Sequence[str] = KINDS, port: int = BALANCER_PORT) -> Iterator[Client]:
    """Run writers of these kinds through the VIP's `port` during the block, which begins with rows acknowledged."""
    wait_until(
        "the client to make its table through the VIP",
        lambda: through_vip(lab, TABLE, port).ok,
        timeout=FIRST_WRITE_SECONDS,
        every=0.5,
    )
    journal = lab.place.root / f"writers-{time.monotonic_ns()}.jsonl"
    process = subprocess.Popen(
        [
            "nsenter",
            f"--net={lab.place.namespace('client')}",
            sys.executable,
            "-m",
            "lab.writers",
            f"{VIP}:{port}",
            str(journal),
            *kinds,
        ],
        env=environment(),
        stdin=subprocess.DEVNULL,
    )
    client = Client(journal, process)
    try:
        begun = time.monotonic()
        wait_until(
            "the first acknowledged write, or the writers' end",
            lambda: process.poll() is not None or client.wrote_since(begun),
            timeout=FIRST_WRITE_SECONDS,
        )
        yield client
    finally:
        client.stop()


def through_vip(lab: Laboratory, sql: str, port: int = BALANCER_PORT) -> Result:
    """Run `sql` from the client through the VIP, as an application would."""
    return run(
        [
            "nsenter",
            f"--net={lab.place.namespace('client')}",
            "mariadb",
            f"--host={VIP}",
            f"--port={port}",
            f"--user={DATABASE_USER}",
            f"--password={DATABASE_PASSWORD}",
            "--connect-timeout=3",
            "-NBe",
            sql,
        ],
        timeout=15,
        check=False,
    )


def read_rows(host: Host) -> frozenset[Row]:
    """Return every row that `host` itself holds, once it has applied all it received. Raises `CommandFailed`."""
    answer = host.sh(
        "mariadb -NBe 'SET SESSION wsrep_sync_wait=1; SELECT writer, number FROM lab.acknowledged'", timeout=30
    )
    return frozenset(
        (int(writer), int(number)) for writer, number in (line.split() for line in answer.out.splitlines())
    )


def missing(acknowledged: frozenset[Row], host: Host) -> int:
    """Return how many acknowledged writes are not on `host`. Anything but 0 is lost data."""
    return len(acknowledged - read_rows(host))
