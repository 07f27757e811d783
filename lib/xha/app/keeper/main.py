"""The keeper's process from its first line to its last: the agent's own action `keeper`, for itself alone."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ...adapters.datadir.users import find_servers
from ...adapters.files.agent_rundir import RunDir
from ...adapters.files.atomic_write import remove_unfinished
from ...adapters.files.foreign import UnfitPath
from ...adapters.host.faults import Faults
from ...adapters.host.log import Log
from ...adapters.lifecycle.creation import make_datadir
from ...adapters.mysqld.notify_listener import NotifySocket
from ...adapters.mysqld.program import Unusable, find_program, read_options
from ...adapters.pacemaker.cluster import ClusterUnreachable
from ...adapters.pacemaker.standalone import Standalone, connect
from ...core.election.compose_report import give_up
from ...core.election.position_report import PositionReport, State, parse_position_report, render_position_report
from ...core.galera.cluster_address import BadAddress, parse_cluster_address
from ...core.monitor.keeper_status import KeeperStatus, Phase
from ...core.ocf.galera_settings import Settings
from .announcer import Announcer
from .children import Children
from .keeper import Keeper
from .known_servers import find_moved, find_used_state, whole_search
from .local_data import LocalData
from .local_server import Installed, LocalServer
from .observer import Observer
from .peers import Peers, release_token
from .performer import Performer
from .process import Locked
from .writer import WriterLink

if TYPE_CHECKING:
    from typing import Callable

    from ...adapters.mysqld.program import Program
    from ...core.galera.server_options import ServerOptions
    from ...core.ocf.api import Instance
    from .children import Attendant


def keep(instance: Instance, attend: Callable[[str], Attendant]) -> int:
    """Keep the node until it is stopped; one that finds another keeper at work ends at once.

    attend: makes, in the resource's directory, what answers its monitors while the keeper rests.
    """
    run = RunDir(instance.name)
    log = Log(f"xha-galera({instance.name})", use_syslog=True, repeats=run.read_said(), keep=run.write_said)
    # A monitor that looks whether a keeper lives holds the lock for a moment.
    with Locked(run, patience=2.0) as free:
        if not free:
            return 0
        remove_unfinished(run.path)
        settings, permanent = run.read_settings(), False
        try:
            if settings is None:
                raise OSError(f"{run.path} has no settings: pcs resource cleanup {instance.name}")
            _keep(run, log, instance, settings, attend)
        except (Unusable, UnfitPath) as error:
            reason, permanent = str(error), True
        except (ClusterUnreachable, TimeoutError, OSError) as error:
            reason = str(error)
        except Exception as error:
            reason = f"the keeper has a fault of its own: {Faults(log).note('beginning to keep the node', error)}"
        else:
            return 0
        fail(run, log, instance, settings or Settings(), reason, permanent=permanent)
    return 1


def _keep(run: RunDir, log: Log, instance: Instance, settings: Settings, attend: Callable[[str], Attendant]) -> None:
    program, options = _read_program(run, log, instance, settings)
    if not os.path.isdir(program.datadir):
        _make_datadir(program, settings)
    address = _find_address(settings, program, options, instance.name)
    cluster = connect(instance.node, instance.name, keeps=True)
    run.make_server_directory(*program.account.owner)
    notifier = NotifySocket(run.file("notify"), program.account.owner)
    try:
        peers = Peers(cluster, instance.name, settings, address, options.ports)
        keeper = make_keeper(run, log, settings, Installed(program, options), notifier, peers)
        with contextlib.suppress(OSError):  # then each monitor looks itself
            keeper.attendant = attend(run.path)
        keeper.run()
    finally:
        notifier.close()


def _find_address(settings: Settings, program: Program, options: ServerOptions, resource: str) -> str:
    """Return the list of members, of the resource or else of the server's options. :raises Unusable: without one."""
    address = settings.wsrep_cluster_address or options.wsrep_cluster_address
    correct = f"pcs resource update {resource} wsrep_cluster_address=gcomm://HOST1,HOST2,HOST3"
    if not address:
        raise Unusable(f"no list of members: set wsrep_cluster_address in {program.where}, or {correct}")
    try:
        parse_cluster_address(address)
    except BadAddress as error:
        raise Unusable(
            f"wsrep_cluster_address in {program.where}: {error}; correct it on every host, or {correct}"
        ) from None
    return address


def make_keeper(  # noqa: PLR0913, PLR0917 - all that a keeper has to do with
    run: RunDir, log: Log, settings: Settings, installed: Installed, notifier: NotifySocket, peers: Peers
) -> Keeper:
    """Return a keeper that has not looked yet."""
    faults, data = Faults(log), LocalData(installed.program, run)
    server = LocalServer(settings, installed, notifier, data)
    announcer = Announcer(run, peers.cluster, peers.resource, log)
    children = Children(data.directory, faults)
    writer = WriterLink(run, peers.cluster, peers.resource, announcer)
    observer = Observer(settings, run, server, data, peers, announcer, children, faults, writer)
    return Keeper(observer, Performer(server, data, peers, announcer, children, faults, writer), children, faults)


def _read_program(run: RunDir, log: Log, instance: Instance, settings: Settings) -> tuple[Program, ServerOptions]:
    """Return the program and its options; while a server runs that was started on another directory, with that one.

    A second server beside it would take its port, or lead a life of its own. The new directory counts when it is gone.
    """
    program, options = read_options(find_program(settings))
    moved = find_moved(run, program)
    if moved is None:
        return program._replace(state=find_used_state(run, program)), options
    named, before = program.datadir, f"mysqld, pid {moved.pid}, was started on {moved.datadir}"
    program, options = read_options(find_program(settings._replace(datadir=moved.datadir)))
    if program.datadir != moved.datadir or not os.path.isdir(program.datadir):
        raise Unusable(f"{before}, and the parameters now lead to {named}: pcs resource restart {instance.name}")
    log.warning(f"{before}, which is kept while it runs, though the configuration now names {named}")
    return program, options


def _make_datadir(program: Program, settings: Settings) -> None:
    """Make the data directory where a database may be created: one that is missing may be a disk without its mount."""
    if not settings.enable_creation:
        raise Unusable(
            f"datadir={program.datadir}: there is no such directory: mount its disk, correct the parameter, or set "
            "enable_creation=1 to have it made"
        )
    make_datadir(program)


def fail(  # noqa: PLR0913 - what is said, and of what
    run: RunDir, log: Log, instance: Instance, settings: Settings, reason: str, *, permanent: bool = False
) -> None:
    """Say why there is no keeper: start and monitor read it, and the other members.

    Where no server runs here, this node forms no Primary: it gives back what a keeper before this one left, the token.
    Its report says why it answers nobody. A server that runs goes on as it was reported.
    """
    status = KeeperStatus(Phase.FAILED, reason, permanent=permanent)
    before = run.read_keeper_status()
    try:
        cluster = connect(instance.node, instance.name)
    except ClusterUnreachable as error:
        Announcer(run, Standalone(), instance.name, log).say(status)
        log.warning(f"what holds this node up cannot be told to the others: {error}")
        return
    Announcer(run, cluster, instance.name, log).say(status)
    try:
        if find_servers(whole_search(run, settings, before)):
            return
        peers_report = f"xha-{instance.name}-report"
        release_token(cluster, instance.name, cluster.read_cib(instance.name))
        me = cluster.node_name()
        last = parse_position_report(cluster.read_attribute(peers_report).get(me, ""))
        told = give_up(last if isinstance(last, PositionReport) else PositionReport(me), reason)
        cluster.set_private(peers_report, render_position_report(told._replace(state=State.STOPPED)))
    except (ClusterUnreachable, OSError) as error:  # it cannot be told whether a server runs: then nothing is given up
        log.warning(f"what this node holds cannot be told to the others: {error}")
