"""The process that writes like a user: `python -m lab.writers ADDRESS:PORT JOURNAL KIND...`, until SIGTERM.

Each writer inserts and commits one row at a time, every row once, and reports every attempt as one JSON line in
JOURNAL: when it ended (seconds, CLOCK_MONOTONIC, the same for every process of the machine), its number, its error or
none, and whether it is unknown if the row is committed: COMMIT was sent, and no answer came, or one that leaves it
open. Any other failed row is not committed. No attempt is repeated. An acknowledged row must never be lost.

A KIND is how an application connects. `fresh`: a connection for each row. `pool`: one that is tested before each use,
and replaced if the test fails, like SQLAlchemy's pool_pre_ping. `persistent`: one that is replaced after an error.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import TextIO

import pymysql

from lab.measure import FRESH, POOL
from lab.place import DATABASE_PASSWORD, DATABASE_USER

CONNECT_SECONDS, ANSWER_SECONDS = 3, 10
PAUSE_SECONDS = 0.05
# How long an application waits after an error before it tries again.
BACKOFF_SECONDS = 0.5
# What a server answers to COMMIT when it has not committed: no Primary component, a lock's time-out, a conflict with
# another node. After any other error the row may be committed.
NOT_COMMITTED = (1047, 1205, 1213)


class Journal:
    """One line for each attempt, written at once, because nothing else remains if we are killed."""

    def __init__(self, file: TextIO) -> None:
        self.file, self.lock = file, threading.Lock()

    def note(self, **entry: object) -> None:
        with self.lock:
            self.file.write(json.dumps(entry) + "\n")
            self.file.flush()


class Writer(threading.Thread):
    def __init__(
        self, name: int, style: str, address: tuple[str, int], journal: Journal, stop: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self.number, self.style, self.address, self.journal, self.stop_asked = name, style, address, journal, stop
        self.connection: pymysql.Connection | None = None

    def run(self) -> None:
        row = 0
        while not self.stop_asked.is_set():
            row += 1
            error, unknown = self.attempt(row)
            self.journal.note(
                at=time.monotonic(), writer=self.number, row=row, style=self.style, error=error, unknown=unknown
            )
            self.stop_asked.wait(BACKOFF_SECONDS if error else PAUSE_SECONDS)

    def attempt(self, row: int) -> tuple[str | None, bool]:
        """Write one row. Return the kind of error, None if the server acknowledged it, and whether it is unknown."""
        committing = False
        try:
            connection = self.connection = self.usable()
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO lab.acknowledged (writer, number) VALUES (%s, %s)", (self.number, row))
            committing = True
            connection.commit()
        except (pymysql.MySQLError, OSError) as error:
            self.hang_up()
            return kind_of(error), committing and error.args[:1] not in [(number,) for number in NOT_COMMITTED]
        if self.style == FRESH:
            self.hang_up()
        return None, False

    def usable(self) -> pymysql.Connection:
        """The connection for the next row. Of a pool's, the one that passed the test, or a new one."""
        if self.connection is not None and self.style == POOL:
            with suppress(pymysql.MySQLError, OSError):
                self.connection.ping(reconnect=False)
                return self.connection
            self.hang_up()
        return self.connection or connect(self.address)

    def hang_up(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection._force_close()  # close() may wait for a server that no longer answers


def connect(address: tuple[str, int]) -> pymysql.Connection:
    return pymysql.connect(
        host=address[0],
        port=address[1],
        user=DATABASE_USER,
        password=DATABASE_PASSWORD,
        autocommit=False,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS,
        write_timeout=ANSWER_SECONDS,
        ssl_disabled=True,  # or each connection loads the system's authorities, 19 ms of processor time
    )


def kind_of(error: Exception) -> str:
    """Return an error's number and the start of its text, without what differs from one time to the next."""
    number = error.args[0] if error.args else ""
    text = str(error.args[1]) if len(error.args) > 1 else str(error)
    return f"{number} {text.split('(')[0].strip()}"[:70].strip()


def main() -> None:
    host, _, port = sys.argv[1].rpartition(":")
    address = (host, int(port))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with open(sys.argv[2], "a", encoding="utf-8") as file:
        journal = Journal(file)
        threads = [Writer(number, style, address, journal, stop) for number, style in enumerate(sys.argv[3:])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
