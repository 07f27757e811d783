"""Resident processes that a test starts with a fault in them, beside files that another account wrote."""

from __future__ import annotations

import contextlib
import os
import pwd
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from loopback import Daemon, Net, is_listening
from loopback.doors import CHECKOUT, door
from loopback.files import put
from responder.client import ask
from responder.process import ENVIRONMENT

# The interpreter as for xha's programs, with a few lines of the test before the program's own.
BEGIN = "import sys\n\nsys.path.insert(0, {lib!r})\n{lines}\nfrom xha.doors.{module} import main\n\nsys.exit(main())\n"
PORT = 49000
FAULT = "a fault of xha's own while "


def with_lines(module: str, lines: str) -> list[str]:
    """Return the command of a program with a fault: `lines` run before it."""
    return [sys.executable, "-I", "-c", BEGIN.format(lib=str(CHECKOUT / "lib"), lines=lines, module=module)]


@contextlib.contextmanager
def account(name: str) -> Iterator[None]:
    """Do something as another account, including its groups."""
    entry = pwd.getpwnam(name)
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(entry.pw_gid)
    os.seteuid(entry.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


class Site:
    """A host's directory: xha.conf, the records of its services, which `nobody` may write, and its two residents."""

    def __init__(self, net: Net, directory: Path) -> None:
        directory.mkdir(parents=True)
        directory.chmod(0o755)
        self.net, self.directory = net, directory
        self.records = directory / "services"
        self.records.mkdir()
        self.records.chmod(0o755)
        os.chown(self.records, *_ids("nobody"))
        self.config = directory / "xha.conf"
        self.address = (net.next_address(), PORT)
        self.started: list[Daemon] = []
        self.write("")

    def write(self, text: str, responder: str = "") -> None:
        put(
            self.config,
            f"[database]\nsocket = /no/such/socket\n[responder]\nservices_directory = {self.records}\n"
            f"disabled_file = {self.directory}/disabled\n{responder}\n{text}",
            0o644,
        )

    def responder(
        self, lines: str = "", *, wrapper: Sequence[str] = (), listen: Sequence[str] = (), waits: bool = True
    ) -> Daemon:
        """Start a responder on the site's address and others."""
        program = with_lines("responder", lines) if lines else [door("xha-responder")]
        addresses = [f"--listen={host}:{PORT}" for host in (self.address[0], *listen)]
        daemon = self._start([*wrapper, *program, "--config", str(self.config), *addresses], "responder")
        if waits:
            daemon.wait_ready(lambda: is_listening(*self.address), 30, "the responder listens")
        return daemon

    def runner(self, lines: str = "", *, wrapper: Sequence[str] = ()) -> Daemon:
        """Start xha-services."""
        program = with_lines("services_daemon", lines) if lines else [door("xha-services")]
        return self._start([*wrapper, *program, "--config", str(self.config)], "runner")

    def _start(self, argv: list[str], name: str) -> Daemon:
        daemon = Daemon(self.net, argv, self.directory / f"{name}-{len(self.started)}.log", env=ENVIRONMENT)
        self.started.append(daemon)
        daemon.start()
        return daemon

    def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        answer = ask(self.address, path, method)
        return answer.status, answer.body

    def close(self) -> None:
        for daemon in self.started:
            daemon.kill()


def faults(daemon: Daemon) -> list[str]:
    """The lines of a log that report an exception."""
    return [line for line in daemon.log.read_text(errors="replace").splitlines() if FAULT in line]


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _ids(name: str) -> tuple[int, int]:
    entry = pwd.getpwnam(name)
    return entry.pw_uid, entry.pw_gid


MakeSite = Callable[[], Site]
