"""Before a planned stop: new connections go to another node, and open transactions end. It never fails a stop."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ...adapters.datadir.users import Use, find_servers
from ...adapters.files.config_files import read_config, read_withdrawal, write_withdrawal
from ...adapters.host.log import Log
from ...adapters.http.ask import ask_own
from ...adapters.mysql.agent_login import own_target
from ...adapters.mysql.clients import LOOK_PAUSE, Clients
from ...adapters.pacemaker.cluster import ClusterUnreachable
from ...adapters.pacemaker.standalone import connect
from ...core.config.xha_conf import DEFAULT_DRAIN_FILE
from ...core.node.drain_rule import (
    DrainSeen,
    DrainSetting,
    choose_idle,
    judge_drain,
    open_transactions,
    parse_responder_view,
    why_no_drain,
)
from ...core.node.withdrawal import Withdrawal
from ..keeper.known_servers import whole_search
from ..node.local_reader import SQL_SECONDS, find_socket, make_reader
from .own_drain import name_of
from .sweep import may_be_deleted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...adapters.files.agent_rundir import RunDir
    from ...core.monitor.keeper_status import KeeperStatus
    from ...core.node.drain_rule import ResponderView
    from ...core.ocf.api import Instance
    from ...core.ocf.galera_settings import Settings

_ANSWER_SECONDS = 1.0
# A drain whose stop was ended itself is over after the stop's timeout and this.
_MARGIN_SECONDS = 60.0


def drain_before_stop(settings: Settings, instance: Instance, run: RunDir, known: KeeperStatus) -> None:
    """Drain this host's node, if the stop is planned and another node takes over. Whatever fails, it returns.

    At most half of the stop's time is used.
    """
    begun, log = time.monotonic(), Log(f"xha-galera({instance.name})", use_syslog=True)
    try:
        servers = [one for one in find_servers(whole_search(run, settings, known)) if one.use is Use.SERVER]
        if not servers or any(one.process.stopped for one in servers):
            return
        drain = _Drain(settings, instance, known.socket, begun)
        why_not = why_no_drain(drain.look_before(servers[0].directory))
        log.info(f"not drained: {why_not}" if why_not else f"drained: {drain.run()}")
    except Exception as error:  # the server is to be stopped: nothing here may prevent it
        log.warning(f"not drained: {type(error).__name__}: {error}")


def _close(clients: Clients, numbers: Iterable[int], until: float) -> int:
    """Close the connections, and return how many that were; none after `until`: a frozen server takes 2 s for each."""
    closed = 0
    for number in numbers:
        if time.monotonic() >= until:
            break
        closed += clients.close_connection(number)
    return closed


class _Drain:
    """begun: since when its time runs, by the monotonic clock."""

    def __init__(self, settings: Settings, instance: Instance, socket: str, begun: float) -> None:
        self._settings, self._instance, self._begun = settings, instance, begun
        self._socket = find_socket(settings, socket)
        self._limit = min(settings.drain_timeout, instance.timeout / 2)
        self._config = read_config()  # a wrong one is told, and nothing is drained: which files count is not known

    def look_before(self, datadir: str) -> DrainSetting:
        """Return what is known before anything is done."""
        if self._limit <= 0:
            return DrainSetting(self._limit, serves=False, others=None)
        view = self._ask()
        if view is None:
            target = own_target(self._settings, self._socket)
            serves = make_reader(lambda: target, SQL_SECONDS).take_once().verdict.available
            return DrainSetting(self._limit, serves, self._others())
        ours = view.datadir.rstrip("/") == datadir.rstrip("/")
        foreign = "" if ours else view.datadir or "no data directory at this address"
        return DrainSetting(self._limit, view.serves, self._others(), foreign)

    def run(self) -> str:
        """Drain, and return what came of it."""
        self._begin()
        clients = Clients(own_target(self._settings, self._socket))
        told_at: float | None = None
        waits_for: frozenset[tuple[int, str]] | None = None
        closed = 0
        try:
            while True:
                now = time.monotonic()
                view = self._ask()
                seen = DrainSeen(self._limit, now - self._begun, view.answers if view is not None else None)
                if seen.told:
                    told_at = now if told_at is None else told_at
                    there = clients.look()
                    if waits_for is None and there is not None:
                        waits_for = open_transactions(there)
                    seen = seen._replace(told_for=now - told_at, clients=there, waits_for=waits_for or frozenset())
                    closed += _close(clients, choose_idle(there or ()), self._begun + self._limit)
                else:
                    told_at = None
                took = time.monotonic() - self._begun
                over, text = judge_drain(seen._replace(elapsed=took))
                if over:
                    return f"{text}, after {took:.1f} s; {closed} idle connections were closed"
                time.sleep(LOOK_PAUSE)
        finally:
            clients.close()

    def _begin(self) -> None:
        """Write the drain file, unless somebody has withdrawn the node already."""
        if read_withdrawal(self._config.responder) is not None:
            return
        ends = time.time() + self._instance.timeout + _MARGIN_SECONDS
        until = datetime.fromtimestamp(ends, timezone.utc).isoformat(timespec="seconds")
        path = self._config.responder.drain_file or DEFAULT_DRAIN_FILE
        write_withdrawal(path, Withdrawal(name_of(self._instance), "it is being stopped", until))

    def _ask(self) -> ResponderView | None:
        """Return what the responder tells of the node; None if none answers, or says nothing to this host."""
        node = ask_own(self._config.responder, _ANSWER_SECONDS)
        return parse_responder_view(node.body) if node is not None else None

    def _others(self) -> tuple[str, ...] | None:
        """Return the other nodes that take over: their keepers say that they are ready. None where nobody can tell.

        Of a resource that is disabled, or deleted, all instances are stopped: then nobody takes over.
        """
        try:
            cluster = connect(self._instance.node, self._instance.name)
            if may_be_deleted(cluster.read_cib(self._instance.name)):
                return ()
            said = cluster.read_attribute(f"xha-{self._instance.name}-ready")
            return tuple(sorted(node for node, value in said.items() if value == "1" and node != cluster.node_name()))
        except ClusterUnreachable:
            return None
