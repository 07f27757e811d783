"""Does what the keeper's step says, each effect if its guards hold by a fresh look. It knows no rule."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ...adapters.datadir.hold import InUse
from ...adapters.host.systemd_units import give_scope
from ...adapters.lifecycle.creation import create
from ...adapters.mysqld.program import Unusable
from ...adapters.pacemaker.cluster import ClusterUnreachable
from ...adapters.pacemaker.failure_claims import claim_failure, give_claim_back
from ...core.keeper import effects as acts
from ...core.keeper.outcomes import Done, EffectFailed, EffectResult, FailureCause, GuardFailed, Recovered, Unfit
from ...core.ocf.api import ExitCode
from ...core.pacemaker import guards
from ...core.pacemaker.telling import FailureClaim, find_objection
from ..node.host_findings import find_fault

if TYPE_CHECKING:
    from typing import Callable

    from ...adapters.host.faults import Faults
    from ...core.election.decision import Decision
    from ...core.keeper.effects import Act, Effect
    from ...core.keeper.outcomes import Begun, EffectOutcome
    from ...core.ocf.api import Finding
    from ...core.ocf.galera_settings import Settings
    from ...core.pacemaker.guards import Guard
    from .announcer import Announcer
    from .children import Children
    from .local_data import LocalData
    from .local_server import LocalServer
    from .peers import Peers
    from .writer import WriterLink


class Performer:
    """The other half of the keeper's loop: effects in, results out. What can take long is begun as a child."""

    def __init__(  # noqa: PLR0913, PLR0917 - what can be done something with
        self,
        server: LocalServer,
        data: LocalData,
        peers: Peers,
        announcer: Announcer,
        children: Children,
        faults: Faults,
        writer: WriterLink,
    ) -> None:
        self._server, self._data, self._peers, self._announcer = server, data, peers, announcer
        self._children, self._faults, self._writer = children, faults, writer
        self._settings: Settings | None = None
        self._acts = self._table()

    def perform(
        self, effects: tuple[Effect, ...], settings: Settings, decision: Decision | None = None
    ) -> tuple[EffectResult, ...]:
        """Do the effects in their order. The first that fails drops the rest, but for what is done in any case.

        decision: what the election came to last; it is only counted.
        """
        self._settings = settings
        results: list[EffectResult] = []
        failed = False
        for effect in effects:
            if failed and not isinstance(effect.act, acts.ALWAYS):
                continue
            outcome = self._try(effect)
            results.append(EffectResult(effect.act, outcome))
            failed = failed or not isinstance(outcome, Done)
        self._announcer.count(results, decision)
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
        except Exception as error:
            return self._explain(error, refused=FailureCause.SYSTEM if checked else FailureCause.BUSY)

    def _explain(self, error: Exception, *, refused: FailureCause) -> EffectFailed:
        """Return the failure that an exception stands for. refused: what an error of the system says."""
        if isinstance(error, ClusterUnreachable):
            return self._fail(FailureCause.UNREACHABLE, error)
        if isinstance(error, Unusable):
            return self._fail(FailureCause.UNUSABLE, error)
        if isinstance(error, InUse):
            return self._fail(FailureCause.BUSY, error)
        if isinstance(error, OSError):
            return self._fail(refused, error)
        said = self._faults.note("doing what the keeper decided", error)
        return EffectFailed(FailureCause.UNFORESEEN, said, time.monotonic())

    @staticmethod
    def _fail(cause: FailureCause, error: Exception) -> EffectFailed:
        return EffectFailed(cause, str(error), time.monotonic())

    # --- guards

    def _check(self, guard: Guard) -> GuardFailed | None:
        """Look anew, and return what forbids the effect; None for nothing."""
        if isinstance(guard, guards.Allowed):
            forbidden = self._peers.read_cib().forbidden(self._peers.me)
            return GuardFailed(guard, forbidden) if forbidden else None
        if isinstance(guard, guards.Confirmed):
            return None if self._peers.is_confirmed(guard.report) else GuardFailed(guard)
        if isinstance(guard, guards.HasQuorum):
            return None if self._peers.read_cib().quorum else GuardFailed(guard)
        if isinstance(guard, guards.TellingAllowed):
            objection = find_objection(self._peers.read_cib(), self._peers.me)
            return GuardFailed(guard, objection) if objection else None
        token = self._peers.read_cib().book.records.token
        if isinstance(guard, guards.HoldsToken):
            mine = token is not None and (token.node, token.epoch) == (self._peers.me, guard.epoch)
            return None if mine else GuardFailed(guard)
        if isinstance(guard, guards.TokenNotElsewhere):
            elsewhere = token is not None and token.node != self._peers.me
            return GuardFailed(guard) if elsewhere else None
        raise TypeError(f"{guard!r} is no guard that is known here")

    # --- acts

    def _table(self) -> dict[type, Callable[[Any], EffectOutcome]]:
        cluster, resource, peers = self._peers.cluster, self._peers.resource, self._peers
        directory, run = self._data.directory, self._data.run
        simple: dict[type, Callable[[Any], object]] = {
            acts.Say: lambda act: self._announcer.say(act.keeper_status),
            acts.LogLine: lambda act: self._announcer.log(act.text, warning=act.warning),
            acts.SetReady: lambda act: self._announcer.set_ready(act.ready),
            acts.TellWriter: self._tell_writer,
            acts.Publish: lambda act: peers.publish(act.report),
            acts.Retract: lambda _: peers.retract(),
            acts.PublishStall: lambda act: peers.publish_stall(act.report),
            acts.VoidToken: lambda act: cluster.void_token(resource, act.token),
            acts.ReleaseToken: lambda _: peers.release_token(),
            acts.RecordLine: lambda act: peers.record_line(act.line, act.cluster),
            acts.DeleteStop: lambda _: peers.delete_stop(),
            acts.Evict: self._evict,
            acts.TellFailure: self._tell_failure,
            acts.ForgetDegraded: lambda _: cluster.forget_degraded(resource, peers.me),
            acts.WriteRecord: lambda act: directory.write_record(act.record),
            acts.WriteJoining: lambda act: run.write_joining(act.record),
            acts.WriteFailures: lambda act: run.write_failures(act.failures),
            acts.NoteServer: lambda act: self._server.note(act.server),
            acts.SetViewAside: lambda _: directory.set_view_aside(),
            acts.WriteGrastate: lambda act: directory.write_grastate(act.position, safe_to_bootstrap=True),
            acts.Discard: lambda _: directory.discard(),
            acts.CheckHost: lambda _: self._children.begin("host", self._check_host),
            acts.CheckStorage: lambda act: self._children.begin("storage", lambda: self._check_storage(act)),
            acts.Create: lambda act: self._children.begin("creation", lambda: self._create(act)),
            acts.Recover: lambda act: self._children.begin("recovery", lambda: self._recover(act)),
            acts.Stop: self._begin_stop,
            acts.EndChild: lambda _: self._children.end(),
            acts.MakePrimary: lambda _: self._server.revive(),
            acts.End: lambda _: None,
        }
        return {
            **{kind: _as_done(act) for kind, act in simple.items()},
            acts.TakeToken: lambda act: _done_or_refused(cluster.take_token(resource, act.token)),
            acts.ConsumeGrants: lambda act: _done_or_refused(peers.consume_grants(act.kinds)),
            acts.Launch: self._launch,
        }

    def _tell_writer(self, act: acts.TellWriter) -> int:
        assert self._settings is not None
        return self._writer.tell(act, self._settings, self._server.program.socket)

    def _tell_failure(self, act: acts.TellFailure) -> str:
        """Only what the tool says that it did counts: what did not answer in time may not have arrived."""
        run, claim = self._data.run, FailureClaim(by_keeper=True, at=time.monotonic())
        try:
            if claim_failure(run, act.server, claim) != claim:
                return "Pacemaker's monitor has told already that the server has ended"
        except OSError as error:
            said = (error.strerror or str(error)).lower()
            return f"Pacemaker could not be told at once ({said}): its next monitor tells it"
        try:
            self._peers.cluster.tell_failure(self._peers.resource, self._peers.me)
        except ClusterUnreachable as error:
            give_claim_back(run, act.server)
            return f"Pacemaker could not be told at once ({error}): its next monitor tells it"
        return ""

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

    def _evict(self, act: acts.Evict) -> str:
        self._peers.cluster.write_eviction(self._peers.resource, act.eviction)
        return self._server.evict(act.eviction.uuid)

    # --- in a child

    def _begin_stop(self, act: acts.Stop) -> Begun:
        self._server.close()
        return self._children.begin("stop", lambda: self._stop(act))

    def _check_host(self) -> Done | EffectFailed:
        assert self._settings is not None
        settings = self._settings

        def check() -> Unfit | None:
            self._server.end_left_behind()
            return _tell_unfit(find_fault(settings))

        return self._work(check)

    def _check_storage(self, act: acts.CheckStorage) -> Done | EffectFailed:
        return self._work(lambda: _as_unfit(self._server.find_unwritable(act)))

    def _create(self, act: acts.Create) -> Done | EffectFailed:
        def log(text: str) -> None:
            self._announcer.log(text, warning=True)

        return self._work(lambda: create(self._server.program, time.monotonic() + act.seconds, log))

    def _recover(self, act: acts.Recover) -> Done | EffectFailed:
        def recover() -> Recovered:
            self._server.end_left_behind()
            return self._data.recover(act.seconds)

        return self._work(recover)

    def _stop(self, act: acts.Stop) -> Done | EffectFailed:
        ended = self._work(lambda: self._server.stop(act.seconds))
        survives = isinstance(ended, Done) and ended.value is False
        return EffectFailed(FailureCause.SURVIVES, "", ended.at) if survives else ended

    def _work(self, act: Callable[[], Any]) -> Done | EffectFailed:
        try:
            return Done(value=act(), at=time.monotonic())
        except Exception as error:
            return self._explain(error, refused=FailureCause.SYSTEM)


def _tell_unfit(fault: Finding | None) -> Unfit | None:
    """Return what forbids a server here. Where the program does not answer, that may be another thing next time."""
    return fault and Unfit(fault.text, permanent=fault.code is not ExitCode.GENERIC)


def _as_unfit(text: str) -> Unfit | None:
    return Unfit(text) if text else None


def _as_done(act: Callable[[Any], Any]) -> Callable[[Act], EffectOutcome]:
    return lambda effect: Done(value=act(effect), at=time.monotonic())


def _done_or_refused(is_done: bool) -> EffectOutcome:
    return Done(time.monotonic()) if is_done else GuardFailed(None)
