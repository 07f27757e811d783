"""A server that xha's adapters start. Its configuration is a file, as on a host, and it does not outlive its test."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loopback import Net, Node, wait_until
from loopback.server_root import server_user
from xha.adapters.datadir.contents import DataDirectory
from xha.adapters.datadir.users import Search
from xha.adapters.lifecycle.launch import launch, recover
from xha.adapters.lifecycle.terminate import terminate
from xha.adapters.mysqld.error_log import read_log
from xha.adapters.mysqld.program import Program, find_program, read_options
from xha.adapters.mysqld.trust import trust_of
from xha.adapters.process.procfs import Process, look
from xha.core.galera.error_log import find_errors
from xha.core.galera.position import Position
from xha.core.galera.recovery import Recovery
from xha.core.ocf.galera_settings import Settings

# Kills every process with a working directory below the first argument, once its standard input is closed. xha starts
# servers that outlive it, and a killed test must leave none.
SWEEPER = """
import os, signal, sys
sys.stdin.read()
for name in filter(str.isdigit, os.listdir("/proc")):
    try:
        if os.readlink(f"/proc/{name}/cwd").startswith(sys.argv[1] + "/"):
            os.kill(int(name), signal.SIGKILL)
    except OSError:
        pass
"""


class Sweeper:
    """Kills what was started below a directory, however its owner ends."""

    def __init__(self, net: Net, directory: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-IS", "-c", SWEEPER, str(directory)],
            stdin=subprocess.PIPE,
            pass_fds=(net.fileno(),),
            start_new_session=True,
        )

    def sweep(self) -> None:
        self._process.communicate()


class Server(Node):
    """A node whose server xha starts. Its files are those of a Node, its options are in my.cnf."""

    def __init__(
        self, net: Net, directory: Path, address: str, *, members: Sequence[str] = (), lines: str = ""
    ) -> None:
        super().__init__(net, directory, address, members=members)
        self._make_directory()
        self.config = directory / "my.cnf"
        self.configure(lines)
        self.files = DataDirectory(str(self.datadir))
        self.process: Process | None = None
        self._log_began = 0

    def configure(self, lines: str = "") -> None:
        """Write a new my.cnf with these additional lines."""
        words = [word[2:] for word in self._fixed]
        self.config.write_text("\n".join(["[mysqld]", *words, f"log_error={self.directory}/server.log", lines, ""]))
        self.config.chmod(0o644)

    def settings(self, **changes: Any) -> Settings:
        return Settings(config=str(self.config), user=server_user() or "mysql", group="")._replace(**changes)

    def program(self, **changes: Any) -> Program:
        return read_options(find_program(self.settings(**changes)))[0]

    def recover(self, seconds: float = 30) -> Recovery:
        return recover(self.program(), time.monotonic() + seconds)

    def launch(self, position: Position | None = None, **how: Any) -> Process:
        """Launch it, and return at once."""
        program = self.program()
        self._log_began = Path(program.log).stat().st_size if Path(program.log).exists() else 0
        self.process = launch(program, position, **how)
        return self.process

    def form(self, **how: Any) -> Process:
        """Make it form a cluster of its own from its recovered position, and wait until it is Synced."""
        position = self.recover().position
        process = self.launch(position if position and position.real else None, bootstrap=True, **how)
        self.await_synced()
        return process

    def lives(self) -> bool:
        return self.process is not None and look(self.process.pid, self.process.started) is not None

    def await_synced(self) -> None:
        def ready() -> bool:
            assert self.lives(), self.errors()
            return self.is_synced()

        wait_until(ready, 60, lambda: f"{self.name} is Synced: {self.errors()}")

    def await_end(self, seconds: float = 30) -> None:
        wait_until(lambda: not self.lives(), seconds, "the server ends")

    def errors(self) -> tuple[str, ...]:
        """The errors of the last launch."""
        program = self.program()
        return find_errors(read_log(program.account, program.log, self._log_began))

    def end(self, seconds: float = 30, **how: Any) -> tuple[Any, ...]:
        return terminate(self.search, time.monotonic() + seconds, **how)

    @property
    def search(self) -> Search:
        """Where its server is searched, and which processes are trusted as it."""
        return Search((str(self.datadir),), trust_of(find_program(self.settings())))
