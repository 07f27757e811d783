"""stop: the keeper, state transfers and mysqld end, as one tree; 0 only if nothing is left.

Pacemaker may start the resource on another host next (clone-max, standby, migration-threshold). So what is known of
where the data end here is left behind for the others, who could not ask.
docs/decisions/0038-a-stop-after-a-crash-says-where-the-data-end.md
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from ...adapters.datadir.contents import DataDirectory
from ...adapters.datadir.users import CannotLook, Use, find_servers
from ...adapters.files.agent_rundir import WRITER_FILE, RunDir
from ...adapters.lifecycle.terminate import await_writers, terminate
from ...adapters.mysqld.program import Unusable, find_account
from ...adapters.network.unix_listeners import find_listening
from ...adapters.pacemaker.cluster import ClusterUnreachable
from ...adapters.pacemaker.standalone import connect
from ...adapters.process.procfs import read_boot_id
from ...core.election.compose_report import close_record
from ...core.election.position_report import PositionReport, State, is_looking, parse_position_report
from ...core.galera.lineage import History, StopRecord
from ...core.galera.position import NO_SEQNO, Kind, Position
from ...core.monitor.keeper_status import DEAF_SECONDS, Phase
from ...core.node.codes import Code
from ...core.ocf.api import ExitCode, Outcome
from ..keeper.known_servers import find_state, whole_search
from ..keeper.peers import release_token
from ..keeper.process import end_keeper, launch
from .sweep import may_be_deleted

if TYPE_CHECKING:
    from ...adapters.datadir.users import Occupant, Search
    from ...adapters.pacemaker.cluster import Pacemaker
    from ...adapters.pacemaker.standalone import Standalone
    from ...core.galera.position import GvwState
    from ...core.monitor.keeper_status import KeeperStatus
    from ...core.ocf.api import Instance
    from ...core.ocf.galera_settings import Settings

# What is kept of the operation's time for the verdict and the records behind it, in seconds.
_RESERVE = 5.0
# How long ago a keeper that lives has written its status at most; it writes one every 1.5 s.
_SPOKE_SECONDS = 30.0
_STOPPED = "stopped"
# What a keeper says only while it knows where the data of the stopped server end. Any other says nothing of them: one
# looks, could not look, or has failed, also before it has published anything.
_KNOWS_THE_END = (Phase.ENDED, Phase.WAITING, Phase.REFUSING, Phase.HELD, Phase.FORMING)


def stop(settings: Settings, instance: Instance) -> Outcome:
    """End everything, and leave the record of where the data end."""
    begun = time.monotonic()
    deadline = begun + max(2 * _RESERVE, instance.timeout) - _RESERVE
    run = RunDir(instance.name)
    keeper_status = run.read_keeper_status()
    if keeper_status is not None and keeper_status.ready:  # a stop after a failure is not planned
        from .drain import drain_before_stop

        drain_before_stop(settings, instance, run, keeper_status)
    try:
        if not end_keeper(run):
            return Outcome(ExitCode.GENERIC, f"the keeper of {run.path} does not end, not even by SIGKILL")
        search = whole_search(run, settings, keeper_status)
        served = [one for one in find_servers(search) if one.use is Use.SERVER]
        directory = _open(search, settings, served[0].directory) if served else None
        view = _read_view(directory)
        left = _end(search, deadline, keeper_status, served)
        if left:
            return Outcome(ExitCode.GENERIC, f"{left[0]} survives SIGKILL: the host needs to be fenced, or looked at")
        writer = await_writers(search, deadline)
    except CannotLook as error:
        return Outcome(ExitCode.GENERIC, str(error))
    except OSError as error:
        return Outcome(ExitCode.GENERIC, f"what runs cannot be told: {error.strerror or error}")
    if writer:
        return Outcome(ExitCode.GENERIC, f"{writer}, and is not the resource's to end: end it")
    with contextlib.suppress(OSError):  # a /run that is full, or cannot be written, leaves what nobody takes for alive
        run.write_known_servers(())
        run.remove(WRITER_FILE)  # this host's responder knows of no writer from now on
        if keeper_status is not None:
            run.write_keeper_status(
                keeper_status._replace(phase=Phase.ENDED, reason=_STOPPED, ready=False, code="", message="")
            )
    try:
        cluster = connect(instance.node, instance.name)
        report = _retract(cluster, f"xha-{instance.name}-report")
        for word in ("state", "ready", "at", "since", "claim", "writer", "stall"):
            cluster.delete_attribute(f"xha-{instance.name}-{word}")
        cib = cluster.read_cib(instance.name)
        release_token(cluster, instance.name, cib)
        if directory is not None:
            _record(cluster, instance, directory, view)
        elif not served and report is not None and _is_last_word(report, keeper_status, begun):
            stopped = StopRecord(report.history, report.boot_id, report.view, clean=False)
            cluster.write_stop(instance.name, cluster.node_name(), stopped)
        if may_be_deleted(cib) or cluster.is_monitor_pending(instance.name, cluster.node_name()):
            launch(instance, "sweep")
    except (ClusterUnreachable, Unusable, OSError):
        # The server is down, and that is what was asked; without the record its data count when it reports again.
        return Outcome(ExitCode.SUCCESS)
    return Outcome(ExitCode.SUCCESS)


def _end(
    search: Search, deadline: float, keeper_status: KeeperStatus | None, served: list[Occupant]
) -> tuple[Occupant, ...]:
    """Terminate what runs, and return what is left.

    A server that waits for its group does not heed SIGTERM, and serves nobody: it gets as long as the keeper gives it.
    """
    hung = False
    if keeper_status is not None:
        hung = keeper_status.code == Code.HUNG.value and keeper_status.answered_at > 0
        if served and all(_never_listened(keeper_status, one) for one in served):
            if not terminate(search, min(deadline, time.monotonic() + DEAF_SECONDS)):
                return ()
            hung = True
    return terminate(search, deadline, hung=hung)


def _never_listened(keeper_status: KeeperStatus, one: Occupant) -> bool:
    """Return whether the keeper launched this server, never had an answer from it, and it listens nowhere now.

    One that only was found may have served before, and be writing its pages at the end of its life.
    """
    process = one.process
    same = (keeper_status.server_pid, keeper_status.server_started) == (process.pid, process.started)
    silent = keeper_status.launched_at > 0 and not keeper_status.answered_at
    deaf = keeper_status.code in (Code.SERVER_DOWN.value, Code.STARTING.value)
    return same and silent and deaf and not find_listening(process.pid)


def _retract(cluster: Pacemaker | Standalone, name: str) -> PositionReport | None:
    """Take the report away, but for one of a stopped server, which stays true until the next keeper replaces it.

    That a recovery is under way is true no more: the others would wait for its end. Returns the report that stays.
    """
    report = parse_position_report(cluster.read_attribute(name).get(cluster.node_name(), ""))
    if isinstance(report, PositionReport) and report.state is State.STOPPED and not is_looking(report.trouble):
        return report
    cluster.delete_attribute(name)
    return None


def _is_last_word(report: PositionReport, keeper_status: KeeperStatus | None, now: float) -> bool:
    """Return whether the report of a stopped server says where the data end now.

    It does if the keeper that ends now made it, watches no server and still goes by it: it starts none before everybody
    sees another report. A report of a keeper of before proves nothing: since then a person may have run a server. One
    that names no keeper is of an older version, and whose it is, is unknown.
    """
    if keeper_status is None or keeper_status.reason == _STOPPED:
        return False
    if keeper_status.server_pid and keeper_status.phase is not Phase.ENDED:
        return False
    if keeper_status.phase not in _KNOWS_THE_END or not keeper_status.keeper:
        return False
    if report.keeper != keeper_status.keeper:
        return False
    spoke = now - keeper_status.at < _SPOKE_SECONDS
    known = report.kind is Kind.INTACT and report.position.real and not report.inconsistent
    return spoke and known and report.boot_id == read_boot_id()


def _open(search: Search, settings: Settings, path: str) -> DataDirectory | None:
    """Return the data directory of a server, None where nobody knows which saved state is this server's."""
    with contextlib.suppress(Unusable, OSError):
        state = find_state(search.known, settings, path)
        return DataDirectory(path, find_account(settings.user, settings.group).owner, state) if state else None
    return None


def _read_view(directory: DataDirectory | None) -> GvwState | None:
    """Return the last Primary view of a server that still runs, None where it cannot be read."""
    with contextlib.suppress(OSError):
        return directory.read_gvwstate() if directory is not None else None
    return None


def _record(
    cluster: Pacemaker | Standalone, instance: Instance, directory: DataDirectory, view: GvwState | None
) -> None:
    """Leave what a clean stop proves: where the data end, in the cluster's configuration and beside the data."""
    saved = directory.read_grastate()
    if saved is None or saved.seqno == NO_SEQNO:
        return
    position = Position(saved.uuid, saved.seqno)
    if not position.real:
        return
    record = directory.read_record()
    if record is None and directory.has_record():
        return  # it cannot be read, and may say what these data are: nothing is put in its place
    begun = directory.read_contents().transfer_begun
    record = close_record(record, RunDir(instance.name).read_joining(), saved, view, transfer_begun=begun)
    directory.write_record(record)
    stopped = StopRecord(History(position, record.line), read_boot_id(), record.view)
    cluster.write_stop(instance.name, cluster.node_name(), stopped)
