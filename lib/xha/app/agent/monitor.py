"""monitor: look, judge, and launch a keeper where a server has none. Of the end of a server it notes that it told.

Depth 0 looks at processes and at what the keeper and the server wrote down; it imports neither PyMySQL nor psutil.
Where no keeper lives, it asks the server itself, too.
Depth 10 asks the server itself, depth 20 also a table, and looks at the disk.
"""

from __future__ import annotations

import os
import time

from ...adapters.files.agent_rundir import RunDir
from ...adapters.process.age import age_of
from ...adapters.process.procfs import look
from ...core.monitor.health import ENDED, DatadirUse, Graces, Symptoms, judge_health
from ...core.ocf.api import ExitCode
from ...core.text.light_typing import TYPE_CHECKING
from ..keeper.process import Locked, launch_keeper

if TYPE_CHECKING:
    from ...adapters.datadir.users import Search
    from ...adapters.process.procfs import Process
    from ...core.galera.status_file import ServerStatus
    from ...core.monitor.health import Health
    from ...core.monitor.keeper_status import KeeperStatus
    from ...core.ocf.api import Instance, Outcome
    from ...core.ocf.galera_settings import Settings

# Between the two looks that tell a server that is held from one that is passing through.
_SECOND_LOOK = 1.0
# Between the two that tell a program that uses the data from one that glanced at them; and how long they may take.
_GLIMPSE, _LOOK_SECONDS = 0.2, 8.0
_TABLE_QUERY = "SELECT 1 FROM mysql.user LIMIT 1"
_NOT_ALLOWED = (1044, 1142, 1143)


def monitor(settings: Settings, instance: Instance) -> Outcome:
    """Return how the node is (core/monitor/health.py has the table)."""
    run = RunDir(instance.name)
    seen = _see(run, settings, instance)
    health = judge_health(seen)
    if health.launch_keeper and not instance.is_probe:
        if run.read_settings() is None:
            run.make()
            run.write_settings(settings)
        launch_keeper(instance)
    if health.rule == ENDED and not instance.is_probe:
        return _tell_end(run, seen).outcome
    return health.outcome


def _tell_end(run: RunDir, seen: Symptoms) -> Health:
    """Tell Pacemaker that the server has ended, unless its keeper just did: one end is one failure."""
    from ...adapters.pacemaker.failure_claims import claim_failure
    from ...core.pacemaker.telling import FailureClaim

    server = seen.keeper.server if seen.keeper else ""
    try:
        told = bool(server) and claim_failure(run, server, FailureClaim(False, seen.now)).holds(seen.now)
    except OSError:  # where nothing can be written, the keeper could tell nothing either
        told = False
    return judge_health(seen._replace(told=told))


def is_well(settings: Settings, instance: Instance) -> bool:
    """Return whether a monitor at depth 0 would be 0 now. False also where it cannot be told without waiting."""
    run = RunDir(instance.name)
    keeper = run.read_keeper_status()
    server = look(keeper.server_pid, keeper.server_started) if keeper and keeper.server_pid else None
    if server is None or server.stopped:
        return False
    seen = _see(run, settings, instance)
    health = judge_health(seen)
    return seen.alive and health.outcome.code is ExitCode.SUCCESS and not health.launch_keeper


def _see(run: RunDir, settings: Settings, instance: Instance) -> Symptoms:
    keeper, alive = run.read_keeper_status(), True
    try:
        alive = _is_alive(run)
        is_gone = alive and keeper is not None and keeper.pid and look(keeper.pid, keeper.started) is None
        if is_gone:  # the lock was its own if it ended just now
            alive = _is_alive(run)
        server, state, occupant = _find(run, settings, keeper, alive=alive)
        if is_gone and alive:
            keeper = None  # the word of the one before: a new keeper has said nothing yet
    except OSError as error:
        server, state, occupant = None, DatadirUse.UNSEEN, error.strerror or str(error)
    graces = Graces(settings.sst_stall, settings.rejoin_grace, settings.hang_grace)
    seen = Symptoms(
        server=state,
        server_pid=server.pid if server else 0,
        server_since=time.monotonic() - age_of(server.started) if server else 0.0,
        alive=alive,
        keeper=keeper,
        now=time.monotonic(),
        status=_read_status(run, server) if server else None,
        occupant=occupant,
        graces=graces,
    )
    # Nobody has asked a server without a keeper, as one that was started outside: then even depth 0 does.
    wanted = instance.level >= 10 or not alive or keeper is None
    return _ask(seen, settings, instance) if seen.server is DatadirUse.RUNNING and wanted else seen


def _find(
    run: RunDir, settings: Settings, keeper: KeeperStatus | None, *, alive: bool
) -> tuple[Process | None, DatadirUse, str]:
    """Return the server, how it is, and in words who else uses the data.

    The keeper's word counts where it still holds; else whoever is found where a server may be.
    :raises OSError: where that cannot be told.
    """
    if keeper and keeper.server_pid:
        server = look(keeper.server_pid, keeper.server_started)
        if server is not None:
            return server, _judge_process(server), ""
    from ...adapters.datadir.users import find_server
    from ..keeper.known_servers import search_known_servers, whole_search

    search = (search_known_servers(run) if alive else None) or whole_search(run, settings, keeper)
    server = find_server(search)
    state = _judge_process(server)
    other = "" if alive or state is not DatadirUse.ABSENT else _find_other(search)
    return server, DatadirUse.OTHER if other else state, other


def _find_other(search: Search) -> str:
    """Tell who else uses the data, of whatever account: seen in two looks, as programs glance at them, our own too."""
    from ...adapters.datadir.users import find_lock, find_others

    until = time.monotonic() + _LOOK_SECONDS
    for pause in (0.0, _GLIMPSE):
        time.sleep(pause)
        found = [*map(str, find_others(search, until)), *filter(None, map(find_lock, search.directories))]
        if not found:
            return ""
    return found[0]


def _judge_process(server: Process | None) -> DatadirUse:
    if server is None:
        return DatadirUse.ABSENT
    if server.recovering:
        return DatadirUse.RECOVERY
    if not server.stopped:
        return DatadirUse.RUNNING
    time.sleep(_SECOND_LOOK)
    again = look(server.pid, server.started)
    if again is None:
        return DatadirUse.ABSENT
    return DatadirUse.STOPPED if again.stopped else DatadirUse.RUNNING


def _is_alive(run: RunDir) -> bool:
    if not os.path.isdir(run.path):
        return False
    with Locked(run, make=False) as free:
        return not free


def _read_status(run: RunDir, server: Process) -> ServerStatus | None:
    text = run.read_status(server)
    if not text:
        return None
    from ...core.galera.status_file import parse_status_file

    return parse_status_file(text)


def _ask(seen: Symptoms, settings: Settings, instance: Instance) -> Symptoms:
    """Ask the server, in half of the time that Pacemaker gives, and 10 s at most."""
    from ...adapters.mysql.agent_login import find_target
    from ...adapters.network.unix_listeners import find_listening
    from ...core.galera.reading import Reading
    from ..node.local_reader import SQL_SECONDS, find_socket, make_reader

    known = seen.known.socket if seen.known else ""
    socket = find_socket(settings, known or find_listening(seen.server_pid))
    seconds = min(SQL_SECONDS, instance.timeout / 4)
    reader = make_reader(lambda: find_target(settings, socket), seconds)
    snapshot = reader.take_once()
    group = (snapshot.reading.status.wsrep_cluster_status or "") if isinstance(snapshot.reading, Reading) else ""
    seen = seen._replace(verdict=snapshot.verdict, cluster_status=group)
    if instance.level < 20 or not isinstance(snapshot.reading, Reading):
        return seen
    space = _space(settings, snapshot.reading.variables.datadir, seconds)
    return seen._replace(query_error=_query(settings, socket, seconds), disk_free=space[0], disk_size=space[1])


def _space(settings: Settings, datadir: str | None, seconds: float) -> tuple[int | None, int | None]:
    """Return the free and the whole room of the disk, in bytes; None where they are not known.

    The server names the directory, so its account looks: storage that does not answer must not hold root.
    """
    from ...adapters.files.as_account import act_as
    from ...adapters.mysqld.program import Unusable, find_account

    def look_at_it() -> bytes:
        found = os.statvfs(datadir or "/var/lib/mysql")
        return f"{found.f_bavail * found.f_frsize} {found.f_blocks * found.f_frsize}".encode()

    try:
        free, size = act_as(find_account(settings.user, settings.group), look_at_it, seconds).split()
    except (Unusable, OSError):
        return None, None
    return int(free), int(size)


def _query(settings: Settings, socket: str, seconds: float) -> str:
    from ...adapters.mysql.agent_login import execute, find_target
    from ...adapters.mysql.session import ReadError
    from ...core.text.values import ConfigError

    try:
        execute(find_target(settings, socket), _TABLE_QUERY, seconds)
    except ReadError as error:
        # An account that may not read the table has still been answered.
        return "" if any(f"(error {errno})" in str(error) for errno in _NOT_ALLOWED) else str(error)
    except ConfigError:
        return ""  # the reading has said so
    return ""
