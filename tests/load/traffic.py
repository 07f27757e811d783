"""The tables of the load, and the writers that work on them."""

from __future__ import annotations

import threading
import time

import pymysql

from loopback import Node

SETUP = (
    "CREATE DATABASE load_test",
    "CREATE TABLE load_test.small (id INT AUTO_INCREMENT PRIMARY KEY, n INT, pad VARCHAR(120), KEY (n))",
    "CREATE TABLE load_test.big (id INT AUTO_INCREMENT PRIMARY KEY, n INT, pad VARCHAR(120), KEY (n))",
    # An applier finds each row of a table without a key by reading the whole table.
    "CREATE TABLE load_test.keyless (n INT, pad VARCHAR(120))",
)
PAUSE_SECONDS = 0.01
BACKOFF_SECONDS = 0.5
KEYLESS_ROWS = 3000


def create_tables(node: Node) -> None:
    for statement in SETUP:
        node.sql(statement)
    rows = f"SELECT seq, REPEAT('x', 100) FROM load_test.seq_1_to_{KEYLESS_ROWS}"
    node.sql(f"INSERT INTO load_test.keyless {rows}")


def fill(node: Node, rows: int) -> None:
    """Bring load_test.big to this many rows."""
    missing = rows - node.sql("SELECT COUNT(*) FROM load_test.big")[0][0]
    while missing > 0:
        some = min(missing, 20000)
        node.sql(f"INSERT INTO load_test.big (n, pad) SELECT seq, REPEAT('x', 100) FROM load_test.seq_1_to_{some}")
        missing -= some


class Writer(threading.Thread):
    """Commits small transactions on one node until `stop` is set. `committed` and `failed` count them."""

    def __init__(self, node: Node, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.node, self.stop_asked = node, stop
        self.committed = self.failed = 0
        self.slowest = 0.0

    def run(self) -> None:
        connection = None
        while not self.stop_asked.is_set():
            began = time.monotonic()
            try:
                connection = connection or self.node.connect(read_timeout=120)
                with connection.cursor() as cursor:
                    cursor.execute("INSERT INTO load_test.small (n, pad) VALUES (%s, 'y')", (self.committed,))
                    cursor.execute("UPDATE load_test.small SET n = n + 1 ORDER BY id DESC LIMIT 5")
            except (pymysql.MySQLError, OSError):
                # A conflict between writers, or a node that a disturbance has stopped.
                self.failed += 1
                connection = None
                self.stop_asked.wait(BACKOFF_SECONDS)
            else:
                self.committed += 1
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.stop_asked.wait(PAUSE_SECONDS)
