"""The process that writes like a user: `python -m lab.writers ADDRESS:PORT JOURNAL`, until SIGTERM.

Each writer inserts one row at a time, every row once, and reports every attempt as one JSON line in JOURNAL: when it
ended (seconds, CLOCK_MONOTONIC, the same for every process of the machine), its number, and its error or none. No
attempt is repeated. A failed row may be committed or not. An acknowledged row must never be lost.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from typing import TextIO

import pymysql

from lab.place import DATABASE_PASSWORD, DATABASE_USER

CONNECT_SECONDS, ANSWER_SECONDS = 3, 10
PAUSE_SECONDS = 0.05
# How long an application waits after an error before it tries again.
BACKOFF_SECONDS = 0.5
PERSISTENT, FRESH = "persistent", "fresh"
STYLES = (PERSISTENT, FRESH, PERSISTENT, FRESH)


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
            error = self.attempt(row)
            self.journal.note(at=time.monotonic(), writer=self.number, row=row, style=self.style, error=error)
            self.stop_asked.wait(BACKOFF_SECONDS if error else PAUSE_SECONDS)

    def attempt(self, row: int) -> str | None:
        """Write one row. Return None if the server acknowledged it, otherwise the kind of error."""
        try:
            self.connection = self.connection or connect(self.address)
            with self.connection.cursor() as cursor:
                cursor.execute("INSERT INTO lab.acknowledged (writer, number) VALUES (%s, %s)", (self.number, row))
        except (pymysql.MySQLError, OSError) as error:
            self.hang_up()
            return kind_of(error)
        if self.style == FRESH:
            self.hang_up()
        return None

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
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS,
        write_timeout=ANSWER_SECONDS,
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
        threads = [Writer(number, style, address, journal, stop) for number, style in enumerate(STYLES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
