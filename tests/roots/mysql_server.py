"""MySQL Server, without Galera: what its client protocol does and MariaDB's does not."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql

from loopback import Daemon, Died, Net
from loopback.server_root import SERVER_USER, launching_user, server_command
from responder.certificates import Authority

OPTIONS = (
    "--no-defaults",
    "--mysqlx=OFF",
    "--performance-schema=OFF",
    "--innodb-buffer-pool-size=16M",
    "--innodb-use-native-aio=OFF",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--secure-file-priv=NULL",  # its default is a directory that only the whole package makes
)
PORT = 3306


class MySQL(Daemon):
    """One mysqld with a new data directory. root has no password."""

    def __init__(self, net: Net, directory: Path, address: str) -> None:
        super().__init__(net, [], directory / "error.log", user=launching_user())
        self.address, self.port = address, PORT
        self.directory, self.datadir = directory, directory / "data"
        self.socket = directory / "mysqld.sock"

    def start(self) -> None:
        self.directory.mkdir()
        self.datadir.mkdir()
        for path in (self.directory, self.datadir):
            shutil.chown(path, SERVER_USER, SERVER_USER)
        self.authority = Authority(self.directory / "tls")
        certificate, key = self.authority.certify("mysql", self.address)
        program = [*server_command("mysqld", "mysql-server-core"), *OPTIONS, f"--datadir={self.datadir}"]
        with self.log.open("wb") as output:
            done = subprocess.run(
                [*program, "--initialize-insecure"], stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
            )
        if done.returncode != 0:
            raise Died(f"mysqld --initialize-insecure exited with {done.returncode}:\n{self.tail()}")
        tls = [f"--ssl-ca={self.authority.ca}", f"--ssl-cert={certificate}", f"--ssl-key={key}"]
        where = [f"--socket={self.socket}", f"--bind-address={self.address}", f"--port={PORT}"]
        self.argv = [*program, *where, *tls, f"--pid-file={self.directory}/mysqld.pid"]
        super().start()
        self.wait_ready(self._answers, 120, "mysqld answers")

    def _answers(self) -> bool:
        try:
            return bool(self.sql("SELECT 1"))
        except pymysql.MySQLError:
            return False

    def sql(self, statement: str) -> tuple[tuple[Any, ...], ...]:
        """Run one statement as root and return its rows."""
        connection = pymysql.connect(user="root", unix_socket=str(self.socket), autocommit=True, read_timeout=30)
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute(statement)
            return tuple(cursor.fetchall())

    def version(self) -> str:
        return str(self.sql("SELECT VERSION()")[0][0])

    @contextlib.contextmanager
    def setting(self, name: str, value: str, normal: str) -> Iterator[None]:
        """A global variable that has another value for a while."""
        self.sql(f"SET GLOBAL {name} = {value}")
        try:
            yield
        finally:
            self.sql(f"SET GLOBAL {name} = {normal}")

    @contextlib.contextmanager
    def account(self, user: str, how: str) -> Iterator[None]:
        """An account for a while: `account("'xha'@'%'", "IDENTIFIED BY 'secret'")`."""
        self.sql(f"DROP USER IF EXISTS {user}")
        self.sql(f"CREATE USER {user} {how}")
        try:
            yield
        finally:
            self.sql(f"DROP USER {user}")
