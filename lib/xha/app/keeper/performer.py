"""Does what the keeper's step says, each effect if its guards hold by a fresh look. It knows no rule."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ...adapters.datadir.hold import InUse
from ...adapters.host.systemd_units import give_scope
from ...adapters.lifecycle.creation import create
from ...adapters.mysqld.program import Unusable
from ...adapters.pacemaker.cluster import ClusterUnreachable
from ...core.keeper import effects as acts
from ...core.keeper.outcomes import Done, EffectFailed, EffectResult, FailureCause, GuardFailed
from ...core.ocf.api import ExitCode
from ..node.host_findings import find_fault

if TYPE_CHECKING:
    from typing import Callable

    from ...adapters.host.faults import Faults
    from ...core.keeper.effects import Act, Effect, Guard
    from ...core.keeper.outcomes import EffectOutcome
    from ...core.ocf.galera_settings import Settings
    from .announcer import Announcer
    from .local_data import LocalData
    from .local_server import LocalServer
    from .peers import Peers

CREATION_SECONDS = 300.0


class Performer:
    """The other half of the keeper's loop: effects in, results out. An act that can take long says so itself."""

    def __init__(
        self, server: LocalServer, data: LocalData, peers: Peers, announcer: Announcer, faults: Faults
    ) -> None:
        self._server, self._data, self._peers, self._announcer = server, data, peers, announcer
        self._faults = faults
        self._settings: Settings | None = None
        self._acts = self._table()

    def perform(self, effects: tuple[Effect, ...], settings: Settings) -> tuple[EffectResult, ...]:
        """Do the effects in their order. The first that fails drops the rest, but for what is done in any case."""
        self._settings = settings
        results: list[EffectResult] = []
        failed = False
        for effect in effects:
            if failed and not isinstance(effect.act, acts.ALWAYS):
                continue
            outcome = self._try(effect)
            results.append(EffectResult(effect.act, outcome))
            failed = failed or not isinstance(outcome, Done)
        return tuple(results)

    def _try(self, effect: Effect) -> EffectOutcome:
        checked = False
        try:
            for guard in effect.guards:
                refusal = self._check(guard)
                if refusal is not None:
                    return refusal
            checked = True
            return self._acts[type(effect.act)](effect.act)
        except ClusterUnreachable as error:
            return self._fail(FailureCause.UNREACHABLE, error)
        except Unusable as error:
            return self._fail(FailureCause.UNUSABLE, error)
        except InUse as error:
            return self._fail(FailureCause.BUSY, error)
        except OSError as error:
            return self._fail(FailureCause.SYSTEM if checked else FailureCause.BUSY, error)
        except Exception as error:
            return EffectFailed(
                FailureCause.UNFORESEEN, self._faults.note("doing what the keeper decided", error), time.monotonic()
            )

    @staticmethod
    def _fail(cause: FailureCause, error: Exception) -> EffectFailed:
        return EffectFailed(cause, str(error), time.monotonic())

    # --- guards

    def _check(self, guard: Guard) -> GuardFailed | None:
        """Look anew, and return what forbids the effect; None for nothing."""
        if isinstance(guard, acts.Allowed):
            forbidden = self._peers.read_cib().forbidden(self._peers.me)
            return GuardFailed(guard, forbidden) if forbidden else None
        if isinstance(guard, acts.HostFit):
            return self._check_host(guard)
        if isinstance(guard, acts.Confirmed):
            return None if self._peers.is_confirmed(guard.report) else GuardFailed(guard)
        token = self._peers.read_cib().book.records.token
        if isinstance(guard, acts.HoldsToken):
            mine = token is not None and (token.node, token.epoch) == (self._peers.me, guard.epoch)
            return None if mine else GuardFailed(guard)
        if isinstance(guard, acts.TokenNotElsewhere):
            elsewhere = token is not None and token.node != self._peers.me
            return GuardFailed(guard) if elsewhere else None
        raise TypeError(f"{guard!r} is no guard that is known here")

    def _check_host(self, guard: Guard) -> GuardFailed | None:
        """:raises TimeoutError: where the server does not list its options: it is not known."""
        assert self._settings is not None
        fault = find_fault(self._settings)
        if fault is None:
            return None
        if fault.code is ExitCode.GENERIC:
            return GuardFailed(guard, fault.text)
        return GuardFailed(guard, fault.text, permanent=True)

    # --- acts

    def _table(self) -> dict[type, Callable[[Any], EffectOutcome]]:
        cluster, resource, peers = self._peers.cluster, self._peers.resource, self._peers
        directory, run = self._data.directory, self._data.run
        simple: dict[type, Callable[[Any], object]] = {
            acts.Say: lambda act: self._announcer.say(act.keeper_status),
            acts.LogLine: lambda act: self._announcer.log(act.text, warning=act.warning),
            acts.SetReady: lambda act: self._announcer.set_ready(act.ready),
            acts.Publish: lambda act: peers.publish(act.report),
            acts.Retract: lambda _: peers.retract(),
            acts.VoidToken: lambda act: cluster.void_token(resource, act.token),
            acts.ReleaseToken: lambda _: peers.release_token(),
            acts.RecordLine: lambda act: cluster.write_records(resource, line=act.line, cluster=act.cluster),
            acts.DeleteStop: lambda _: cluster.delete_stop(resource, peers.me),
            acts.ForgetDegraded: lambda _: cluster.forget_degraded(resource, peers.me),
            acts.WriteRecord: lambda act: directory.write_record(act.record),
            acts.WriteJoining: lambda act: run.write_joining(act.record),
            acts.WriteFailures: lambda act: run.write_failures(act.failures),
            acts.NoteServer: lambda act: self._server.note(act.server),
            acts.SetViewAside: lambda _: directory.set_view_aside(),
            acts.WriteGrastate: lambda act: directory.write_grastate(act.position, safe_to_bootstrap=True),
            acts.Discard: lambda _: directory.discard(),
            acts.Create: lambda _: create(self._server.program, time.monotonic() + CREATION_SECONDS),
            acts.Recover: lambda _: self._data.recover(),
            acts.MakePrimary: lambda _: self._server.revive(),
            acts.End: lambda _: None,
        }
        return {
            **{kind: _as_done(act) for kind, act in simple.items()},
            acts.TakeToken: lambda act: _done_or_refused(cluster.take_token(resource, act.token)),
            acts.ConsumeGrants: lambda act: _done_or_refused(peers.consume_grants(act.kinds)),
            acts.Launch: self._launch,
            acts.Stop: self._stop,
        }

    def _launch(self, act: acts.Launch) -> EffectOutcome:
        started = self._server.start(act)
        pid = started.server.pid
        try:
            scope = give_scope(pid, self._peers.resource)
            where = scope or "the control group of its keeper"
            self._announcer.log(f"{started.server.title} runs in {where}", warning=False)
        except Exception as error:  # the server runs, whatever this comes to
            self._faults.note("giving the server a scope", error)
        return Done(time.monotonic(), started)

    def _stop(self, act: acts.Stop) -> EffectOutcome:
        if self._server.stop(act.seconds):
            return Done(time.monotonic())
        return EffectFailed(FailureCause.SURVIVES, "", time.monotonic())


def _as_done(act: Callable[[Any], Any]) -> Callable[[Act], EffectOutcome]:
    return lambda effect: Done(value=act(effect), at=time.monotonic())


def _done_or_refused(is_done: bool) -> EffectOutcome:
    return Done(time.monotonic()) if is_done else GuardFailed(None)
