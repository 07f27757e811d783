"""The keeper's process from its first line to its last: the agent's own action `keeper`, for itself alone."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from ...adapters.files.agent_rundir import RunDir
from ...adapters.files.foreign import UnfitPath
from ...adapters.host.faults import Faults
from ...adapters.host.log import Log
from ...adapters.lifecycle.creation import make_datadir
from ...adapters.mysqld.notify_listener import NotifySocket
from ...adapters.mysqld.program import Unusable, find_program, read_options
from ...adapters.pacemaker.cluster import ClusterUnreachable
from ...adapters.pacemaker.standalone import connect
from ...adapters.process.procfs import read_process
from ...core.galera.cluster_address import BadAddress
from ...core.monitor.keeper_status import KeeperStatus, Phase
from .announcer import Announcer
from .children import Children
from .keeper import Keeper
from .known_servers import find_moved
from .local_data import LocalData
from .local_server import Installed, LocalServer
from .observer import Observer
from .peers import Peers
from .performer import Performer
from .process import Locked

if TYPE_CHECKING:
    from ...adapters.mysqld.program import Program
    from ...core.galera.server_options import ServerOptions
    from ...core.ocf.api import Instance
    from ...core.ocf.galera_settings import Settings


def keep(instance: Instance) -> int:
    """Keep the node until it is stopped; one that finds another keeper at work ends at once."""
    run = RunDir(instance.name)
    log = Log(f"xha-galera({instance.name})", use_syslog=True)
    # A monitor that looks whether a keeper lives holds the lock for a moment.
    with Locked(run, patience=2.0) as free:
        if not free:
            return 0
        try:
            settings = run.read_settings()
            if settings is None:
                return _fail(run, log, f"{run.path} has no settings: pcs resource cleanup {instance.name}")
            _keep(run, log, instance, settings)
        except (Unusable, UnfitPath, BadAddress) as error:
            return _fail(run, log, str(error), permanent=True)
        except (ClusterUnreachable, TimeoutError, OSError) as error:
            return _fail(run, log, str(error))
        except Exception as error:
            said = Faults(log).note("beginning to keep the node", error)
            return _fail(run, log, f"the keeper has a fault of its own: {said}")
    return 0


def _keep(run: RunDir, log: Log, instance: Instance, settings: Settings) -> None:
    program, options = _read_program(run, log, instance, settings)
    if not os.path.isdir(program.datadir):
        _make_datadir(program, settings)
    address = settings.wsrep_cluster_address or options.wsrep_cluster_address
    if not address:
        raise Unusable(
            "no list of members: set wsrep_cluster_address=gcomm://HOST1,HOST2,HOST3 on the resource, or in the "
            "server's configuration"
        )
    cluster = connect(instance.node, instance.name)
    run.make_server_directory(*program.account.owner)
    notifier = NotifySocket(run.file("notify"), program.account.owner)
    try:
        make_keeper(
            run, log, settings, Installed(program, options), notifier, Peers(cluster, instance.name, settings, address)
        ).run()
    finally:
        notifier.close()


def make_keeper(  # noqa: PLR0913, PLR0917 - all that a keeper has to do with
    run: RunDir, log: Log, settings: Settings, installed: Installed, notifier: NotifySocket, peers: Peers
) -> Keeper:
    """Return a keeper that has not looked yet."""
    faults, data = Faults(log), LocalData(installed.program, run)
    server = LocalServer(settings, installed, notifier, data)
    announcer = Announcer(run, peers.cluster, peers.resource, log)
    children = Children(data.directory, faults)
    observer = Observer(settings, run, server, data, peers, announcer, children, faults)
    return Keeper(observer, Performer(server, data, peers, announcer, children, faults), children, faults)


def _read_program(run: RunDir, log: Log, instance: Instance, settings: Settings) -> tuple[Program, ServerOptions]:
    """Return the program and its options; while a server runs that was started on another directory, with that one.

    A second server beside it would take its port, or lead a life of its own. The new directory counts when it is gone.
    """
    program, options = read_options(find_program(settings))
    moved = find_moved(run, program.datadir)
    if moved is None:
        return program, options
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


def _fail(run: RunDir, log: Log, reason: str, *, permanent: bool = False) -> int:
    """Say why there is no keeper: start and monitor read it."""
    log.warning(reason)
    own = None
    with contextlib.suppress(OSError):
        own = read_process(os.getpid())
    now = time.monotonic()
    run.write_keeper_status(
        KeeperStatus(
            Phase.FAILED, reason, os.getpid(), own.started if own else 0, at=now, since=now, permanent=permanent
        )
    )
    return 1
