"""Where a resource's server is looked for: in every directory that it has used, and in the one that it would use now.

The parameters and the option file say what the next start will use. A server that runs is where it was started.
"""

from __future__ import annotations

import os

from ...adapters.datadir.users import Search
from ...adapters.mysqld.trust import trust_of
from ...adapters.process.procfs import look
from ...core.galera.known_servers import KnownServer
from ...core.text.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...adapters.files.agent_rundir import RunDir
    from ...adapters.mysqld.program import Program
    from ...adapters.mysqld.trust import Trust
    from ...adapters.process.procfs import Process
    from ...core.monitor.keeper_status import KeeperStatus
    from ...core.ocf.galera_settings import Settings


def whole_search(run: RunDir, settings: Settings, keeper: KeeperStatus | None) -> Search:
    """Return a search of every directory that is remembered, that the keeper named, and that the settings mean now."""
    from ...adapters.mysqld.program import guess_datadir
    from ...adapters.mysqld.trust import guess_trust

    trust = guess_trust(settings)
    known = _read_known(run, trust)
    present, unknown = guess_datadir(settings)
    named = (*(one.datadir for one in known), keeper.datadir if keeper else "", present)
    directories = tuple(dict.fromkeys(path for path in named if path))
    return Search(directories, trust.with_known_servers(known), known, unknown)


def _read_known(run: RunDir, trust: Trust) -> tuple[KnownServer, ...]:
    """Return what is remembered, and the servers that say themselves that this resource launched them."""
    from ...adapters.datadir.launched import find_launched

    written = run.read_known_servers()
    pids = {one.pid for one in written}
    return (*written, *(one for one in find_launched(run.file("notify"), trust) if one.pid not in pids))


def find_state(known: Iterable[KnownServer], settings: Settings, datadir: str) -> str:
    """Return the directory in which the server of a data directory keeps its saved state, "" if that is not known.

    It is remembered with the server. The options say it where they still lead to that data directory.
    """
    from ...adapters.mysqld.program import Unusable, find_program, read_options

    remembered = next((one.state for one in known if one.datadir == datadir and one.state), "")
    if remembered:
        return remembered
    try:
        program = read_options(find_program(settings))[0]
    except (Unusable, OSError):
        return ""
    return program.state if program.datadir == os.path.normpath(datadir) else ""


def search_known_servers(run: RunDir) -> Search | None:
    """Return a search of what a keeper that lives has written down: it knows the program; None where it has not."""
    from ...adapters.mysqld.trust import OURS

    known = run.read_known_servers()
    directories = tuple(dict.fromkeys(one.datadir for one in known))
    return Search(directories, OURS.with_known_servers(known), known) if known else None


def find_moved(run: RunDir, program: Program) -> KnownServer | None:
    """Return a server of this resource that still runs, and was started on another data directory than this one."""
    return next((one for one in _alive(run, program) if one.datadir != program.datadir), None)


def find_used_state(run: RunDir, program: Program) -> str:
    """Return the directory in which a server that runs on the program's data keeps its state; else the program's own.

    The options may name another one by now. That counts when the server is gone.
    """
    used = (one.state for one in _alive(run, program) if one.datadir == program.datadir)
    return next(filter(None, used), program.state)


def _alive(run: RunDir, program: Program) -> list[KnownServer]:
    return [one for one in _read_known(run, trust_of(program)) if one.pid and look(one.pid, one.started)]


class KnownServers:
    """What is written down of the server that a keeper is in charge of, until it is gone: it outlives the keeper."""

    def __init__(self, run: RunDir, program: Program) -> None:
        self._run, self._trust = run, trust_of(program)
        paths = tuple(sorted(self._trust.programs))
        self._own = KnownServer(program.datadir, paths, program.account.uid, state=program.state)
        known = tuple(one for one in run.read_known_servers() if one.datadir == program.datadir)
        self.search = Search((program.datadir,), self._trust.with_known_servers(known), known)
        if not known:
            self.note(None)

    def note(self, process: Process | None) -> None:
        """Remember that this server uses the directory, None that none does. Others are remembered while they run."""
        pid, started = (process.pid, process.started) if process else (0, 0)
        own = self._own._replace(pid=pid, started=started)
        others = [one for one in self._run.read_known_servers() if one.datadir != own.datadir]
        kept = [*(one for one in others if one.pid and look(one.pid, one.started)), own]
        self._run.write_known_servers(kept)
        self.search = self.search._replace(known=(own,))
