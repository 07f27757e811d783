"""Real MariaDB Galera nodes: one cluster is a few mysqld processes on addresses of one claimed network.

Every node has the ports that it would have on a host of its own (3306, 4567, 4568, 4444), so that HAProxy's
configuration and the node's options are those of production. The nodes are small and run without fsync: the tests
examine what they report and how they fail, not whether they survive a power failure.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pymysql

from loopback.addresses import Net
from loopback.daemon import Daemon, Died, MissingProgram, find_program
from loopback.server_root import ROOT, SERVER_USER, launching_user, server_command, server_user

PORT = 3306
PROVIDERS = ("/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so")
START_SECONDS = 180.0

LOG_FILE_SIZE = "--innodb-log-file-size=4M"  # the default's 96 MB would be copied with every state transfer
OPTIONS = (
    "--bind-address={address}",
    f"--port={PORT}",
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
    "--performance-schema=OFF",
    "--max-connections=60",
    "--innodb-buffer-pool-size=16M",
    LOG_FILE_SIZE,
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=OFF",
    "--innodb-use-native-aio=OFF",
    "--aria-pagecache-buffer-size=8M",
    "--key-buffer-size=1M",
    "--binlog-format=ROW",
    "--innodb-autoinc-lock-mode=2",
    "--wsrep-on=ON",
    "--wsrep-node-name={name}",
    "--wsrep-node-address={address}",
    "--wsrep-sst-receive-address={address}:4444",
    "--wsrep-slave-threads=1",
)
PROVIDER_OPTIONS = "gmcast.listen_addr=tcp://{address}:4567;ist.recv_addr={address}:4568;gcache.size=16M"


def find_provider() -> str:
    for path in PROVIDERS:
        if Path(ROOT + path).exists():
            return path
    raise MissingProgram("Galera's provider library is not installed: apt-get install galera-4, or make deps")


def empty_datadir(net: Net) -> Path:
    """A newly installed data directory, made once per network: nodes start from copies of it."""
    pristine = net.directory / "empty-datadir"
    if not pristine.exists():
        server_command("mariadbd", "mariadb-server")
        log = net.directory / "mariadb-install-db.log"
        # A directory of its own: every server that starts removes the temporary tables of all others in its tmpdir.
        scratch = net.directory / "scratch"
        scratch.mkdir(exist_ok=True)
        scratch.chmod(0o1777)
        command = [
            *server_command("mariadb-install-db", "mariadb-server"),
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--force",  # whether this machine can resolve its own name or not
            LOG_FILE_SIZE,
            f"--datadir={pristine}",
            f"--tmpdir={scratch}",
            *([f"--user={SERVER_USER}"] if launching_user() else []),
        ]
        pristine.mkdir()
        if server_user():
            shutil.chown(pristine, SERVER_USER, SERVER_USER)
        with log.open("wb") as output:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
        if done.returncode != 0:
            shutil.rmtree(pristine, ignore_errors=True)
            raise Died(f"mariadb-install-db exited with {done.returncode}:\n{log.read_text(errors='replace')}")
    return pristine


class Node(Daemon):
    """One mysqld. `directory` contains all of it: datadir, socket, pid file, error log, temporary files.

    by_file: its options are in a file, as in production, and not on its command line.
    """

    def __init__(  # noqa: PLR0913 - what makes a node differ from its neighbours
        self,
        net: Net,
        directory: Path,
        address: str,
        *,
        name: str = "node-1",
        members: Sequence[str] = (),
        sst_method: str = "rsync",
        options: Iterable[str] = (),
        provider_options: str = "",
        by_file: bool = False,
    ) -> None:
        super().__init__(net, [], directory / "error.log", user=launching_user())
        self.name = name
        self.address = address
        self.port = PORT
        self.directory = directory
        self.datadir = directory / "data"
        self.socket = directory / "mysqld.sock"
        self.pid_file = directory / "mysqld.pid"
        self.error_log = self.log
        self.options = list(options)
        self.by_file = by_file
        self._accounts: dict[str, str] = {}  # by account: how it logs in
        self._fixed = [
            *(option.format(address=address, name=name) for option in OPTIONS),
            f"--datadir={self.datadir}",
            f"--socket={self.socket}",
            f"--pid-file={self.pid_file}",
            f"--tmpdir={directory}",
            f"--wsrep-provider={find_provider()}",
            f"--wsrep-provider-options={PROVIDER_OPTIONS.format(address=address)};{provider_options}",
            f"--wsrep-cluster-name={net.prefix}",
            f"--wsrep-cluster-address=gcomm://{','.join(members or [address])}",
            f"--wsrep-sst-method={sst_method}",
        ]

    def bring_up(self) -> None:
        """Start it as a cluster of its own, and wait until it is synced."""
        self.bootstrap()
        self.wait_synced()

    def bootstrap(self) -> None:
        """Start it as the first member of a new cluster. Returns before it is synced."""
        grastate = self.datadir / "grastate.dat"
        if grastate.exists():  # the operator's own step: without it Galera refuses a node that was not the last one
            text = grastate.read_text()
            grastate.write_text(text.replace("safe_to_bootstrap: 0", "safe_to_bootstrap: 1"))
        self.start("--wsrep-new-cluster")

    def start(self, *extra: str) -> None:
        """Start it to join the nodes that it finds; returns before it is synced. `extra`: options for this start."""
        self._make_directory()
        options = [*self._fixed, *self.options, *extra]
        given = self._write_options(options) if self.by_file else ["--no-defaults", *options]
        self.argv = [*server_command("mariadbd", "mariadb-server"), *given]
        super().start()

    def _write_options(self, options: list[str]) -> list[str]:
        """Put the options into a file, and return what names it.

        A state transfer by mariabackup hands the server's command line on to its own tool, which refuses options that
        it does not know. Of a file it reads its own groups only.
        """
        path = self.directory / "my.cnf"
        path.write_text("\n".join(["[mysqld]", *(word[2:] for word in options), ""]))
        return [f"--defaults-file={path}"]

    def wait_synced(self, seconds: float = START_SECONDS) -> None:
        """Wait until the node reports Synced and ready. Otherwise NotInTime or Died, with the end of its log."""
        self.wait_ready(self.is_synced, seconds, f"{self.name} ({self.address}) is Synced")

    def is_synced(self) -> bool:
        try:
            status = self.status("wsrep_local_state_comment", "wsrep_ready")
        except pymysql.MySQLError:
            return False
        return status == {"wsrep_local_state_comment": "Synced", "wsrep_ready": "ON"}

    def tells(self, query: str) -> tuple[tuple[Any, ...], ...] | None:
        """The rows of a query, None while it is refused: a busy machine's member is out of its group for a moment."""
        try:
            return self.sql(query)
        except pymysql.MySQLError:
            return None

    def answers(self) -> bool:
        """Whether it answers a query, with Galera or without."""
        return bool(self.tells("SELECT 1"))

    def kill(self) -> None:
        """Kill mysqld and its state transfer with SIGKILL, like a power failure."""
        super().kill()
        self.socket.unlink(missing_ok=True)

    def restart(self, *extra: str) -> None:
        """Stop it if it runs, start it (the only node as its own first member), and wait until it is Synced."""
        self.stop()
        if self._is_alone():
            self.bootstrap()
        else:
            self.start(*extra)
        self.wait_synced()

    def mend(self) -> None:
        """Bring it back to Synced, whatever a test did to it."""
        if self.is_running():
            self.thaw()
            self.wait_synced()
        else:
            self.restart()

    def connect(self, **options: Any) -> pymysql.Connection[Any]:
        """A connection as root over the unix socket, in autocommit, unless `options` say otherwise.

        Without TLS: for each connection that may have it, PyMySQL loads the system's authorities. That was 19 ms of
        processor time, 100 times what the query of a wait takes, 50 times a second.
        """
        defaults: dict[str, Any] = {
            "user": "root",
            "unix_socket": str(self.socket),
            "autocommit": True,
            "ssl_disabled": True,
        }
        return pymysql.connect(**{"connect_timeout": 10, "read_timeout": 30, **defaults, **options})

    def sql(self, statement: str, *parameters: object) -> tuple[tuple[Any, ...], ...]:
        """Run one statement as root and return its rows."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return tuple(cursor.fetchall())

    def set_provider_option(self, name: str, value: str) -> None:
        """Set an option of the provider, as `evs.evict`. Where each is a variable, as in MariaDB 11.8, set that."""
        try:
            self.sql(f"SET GLOBAL wsrep_provider_options = '{name}={value}'")
        except pymysql.MySQLError as error:
            if error.args[0] != 1210:
                raise
            self.sql(f"SET GLOBAL wsrep_provider_{name.replace('.', '_')} = %s", value)

    @contextlib.contextmanager
    def full(self, limit: int, **account: str) -> Iterator[None]:
        """While the block runs, no connection is left for an account without privileges. limit: at least 10."""
        before = self.sql("SELECT @@max_connections")[0][0]
        with contextlib.closing(self.connect()) as root, root.cursor() as cursor, contextlib.ExitStack() as stack:
            cursor.execute(f"SET GLOBAL max_connections = {limit}")
            stack.callback(cursor.execute, f"SET GLOBAL max_connections = {before}")
            refused = 0
            while refused < 10:  # connections of earlier tests end when the server notices that their clients are gone
                try:
                    stack.enter_context(contextlib.closing(self.connect(**account)))
                    refused = 0
                except pymysql.MySQLError:
                    refused += 1
                    time.sleep(0.05)
            yield

    def status(self, *names: str) -> dict[str, str]:
        """These status variables, by SHOW, which also works on a node that refuses queries."""
        wanted = ", ".join(f"'{name}'" for name in names)
        return dict(self.sql(f"SHOW GLOBAL STATUS WHERE Variable_name IN ({wanted})"))

    def set_provider_seconds(self, option: str, seconds: float) -> None:
        """Set a provider option that is a time: `set_provider_seconds("evs.suspect_timeout", 40)`."""
        if self.sql("SHOW GLOBAL VARIABLES LIKE 'wsrep_provider_evs_version'"):  # each option is a variable of its own
            self.sql(f"SET GLOBAL wsrep_provider_{option.replace('.', '_')} = {float(seconds)}")
        else:
            self.sql(f"SET GLOBAL wsrep_provider_options = '{option}=PT{seconds:g}S'")

    def create_account(self, account: str, how: str = "") -> None:
        """`create_account("xha@localhost", "IDENTIFIED VIA unix_socket")`: again is no fault, otherwise is one.

        Files of tests share a server: who gave the account of another file a password of its own would lock it out.
        """
        before = self._accounts.setdefault(account, how)
        assert before == how, f"{account} of {self.address} is another test's: take an account of your own"
        self.sql(f"CREATE OR REPLACE USER {account} {how}")

    def _is_alone(self) -> bool:
        return f"--wsrep-cluster-address=gcomm://{self.address}" in self._fixed

    def _make_directory(self) -> None:
        if self.datadir.exists():
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o755)
        shutil.copytree(empty_datadir(self.net), self.datadir)
        user = server_user()
        if user:
            for path in (self.directory, self.datadir, *self.datadir.rglob("*")):
                shutil.chown(path, user, user)


class Arbitrator(Daemon):
    """One garbd: a member of the group that votes, and has no data."""

    def __init__(self, net: Net, directory: Path, address: str, members: Sequence[str]) -> None:
        directory.mkdir(parents=True)
        argv = [
            find_program("garbd", "galera-arbitrator-4"),
            f"--address=gcomm://{','.join(members)}",
            f"--group={net.prefix}",
            f"--options=gmcast.listen_addr=tcp://{address}:4567",
            f"--workdir={directory}",
        ]
        super().__init__(net, argv, directory / "garbd.log")
