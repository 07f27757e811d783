"""Looks at this host and at the cluster, once for each step of the keeper."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ...adapters.datadir.hold import InUse
from ...adapters.pacemaker.cluster import ClusterUnreachable
from ...adapters.process.procfs import identity, read_boot_id, read_process
from ...core.keeper.machine import learnt
from ...core.keeper.observation import Fresh, Observation, Trouble
from ...core.keeper.outcomes import FailureCause
from ...core.keeper.server.looks import looks_at_contents, looks_for_recovery, looks_for_stalls, note_server
from ...core.keeper.server.pace import configuration_age
from ...core.monitor.keeper_status import name_process
from .peers import new_id
from .process import LOCK

if TYPE_CHECKING:
    from ...adapters.files.agent_rundir import RunDir
    from ...adapters.host.faults import Faults
    from ...core.keeper.memory import Memory
    from ...core.keeper.observation import DataSeen, ServerSeen
    from ...core.keeper.outcomes import EffectResult
    from ...core.ocf.galera_settings import Settings
    from .announcer import Announcer
    from .children import Children
    from .local_data import LocalData
    from .local_server import LocalServer
    from .peers import Peers
    from .writer import WriterLink


class Observer:
    """The first half of the keeper's loop. What to look at, it asks core/keeper/server/looks.py."""

    def __init__(  # noqa: PLR0913, PLR0917 - what can be looked at
        self,
        settings: Settings,
        run: RunDir,
        server: LocalServer,
        data: LocalData,
        peers: Peers,
        announcer: Announcer,
        children: Children,
        faults: Faults,
        writer: WriterLink,
    ) -> None:
        self.settings = settings
        self._run, self._server, self._data, self._peers = run, server, data, peers
        self._announcer, self._children, self._faults, self._writer = announcer, children, faults, writer
        self._signature = run.settings_signature()
        self._last: ServerSeen | None = None
        self._lock = identity(run.file(LOCK))
        self._boot_id = read_boot_id()
        process = read_process(os.getpid())
        self._keeper = name_process(process.pid, process.started) if process else ""

    def look(self, memory: Memory, results: tuple[EffectResult, ...]) -> Observation:
        """Return what is seen now. It raises nothing: what looking failed by is a trouble."""
        seen, self._last = self.glance(results), None
        try:
            memory = learnt(memory, seen)
            if not self._is_in_charge():
                return seen._replace(in_charge=False)
            seen = seen._replace(reloaded=self._reload(), settings=self.settings)
            server = self._last = self._server.see(memory, self._peers.me, seen.now)
            seen = seen._replace(server=server, data=self._see_data(memory, server))
            noted = note_server(memory, server, seen.now)
            cluster = self._peers.see(configuration_age(noted), stalls=looks_for_stalls(noted))
            writer = self._writer.see(noted, noted.reading, self._peers.me, seen.now)
            return seen._replace(cluster=cluster, writer=writer)
        except ClusterUnreachable as error:
            return seen._replace(trouble=Trouble(FailureCause.UNREACHABLE, str(error)))
        except (InUse, OSError) as error:
            return seen._replace(trouble=Trouble(FailureCause.BUSY, str(error)))
        except Exception as error:
            said = self._faults.note("looking at the node", error)
            return seen._replace(trouble=Trouble(FailureCause.UNFORESEEN, said))

    def glance(self, results: tuple[EffectResult, ...], *, ending: bool = False) -> Observation:
        """Return an observation without a look: what came of the effects."""
        return Observation(
            time.monotonic(),
            Fresh(new_id(), new_id(), new_id()),
            self.settings,
            results,
            self._children.see(),
            ending=ending,
            run=self._run.path,
            datadir=self._server.program.datadir,
            socket=self._server.program.socket,
            boot_id=self._boot_id,
            keeper=self._keeper,
        )

    def notices(self) -> bool:
        """Return whether the server is at first sight not what the last look saw: then it is time for the next one."""
        return self._server.has_changed(self._last)

    def _see_data(self, memory: Memory, server: ServerSeen) -> DataSeen:
        found = server.server is not None and (memory.server is None or memory.newcomer)
        recovered = looks_for_recovery(memory) and server.server is None
        return self._data.see(contents=looks_at_contents(memory), saved=found, recovered=recovered)

    def _is_in_charge(self) -> bool:
        """Return whether the lock that stands in /run is the one that this keeper holds; as before if it is unknown."""
        try:
            return identity(self._run.file(LOCK)) == self._lock
        except OSError:
            return True

    def _reload(self) -> bool:
        """Go by the settings that reload-agent stored since; return whether any were stored."""
        signature = self._run.settings_signature()
        if signature == self._signature:
            return False
        self._signature = signature
        settings = self._run.read_settings()
        if settings is not None and settings != self.settings:
            self.settings = settings
            self._server.use(settings)
            self._peers.use(settings)
            self._announcer.log("new settings are in force", warning=False)
        return True
