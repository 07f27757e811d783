"""Rules about Pacemaker's configuration: its properties, and the resource of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ocf.api import ACTIONS, RESKEY
from ..ocf.galera_settings import parse_settings_leniently
from ..ocf.parameter_findings import find_useless
from ..pacemaker.cib import is_true
from ..pacemaker.migration import find_misfits
from .findings import Rule, Symptom, Weight
from .unseen import require

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Callable

    from .facts import DoctorFacts

# Of these the time matters: the others are called by a person.
_TIMED = ("start", "stop", "monitor")
_ROLES = ("promote", "demote")


def _fencing(facts: DoctorFacts) -> Iterator[Symptom]:
    cib = require(facts.pacemaker).cib
    if not cib.stonith_enabled:
        write = "pcs stonith create ...; pcs property set stonith-enabled=true"
        yield Symptom("stonith-enabled=false in Pacemaker's properties", write)
    elif not cib.fence_devices:
        write = "pcs stonith create NAME fence_... (pcs stonith list)"
        yield Symptom("stonith-enabled=true in Pacemaker's properties, and no device is there that could fence", write)


def _quorum_ignored(facts: DoctorFacts) -> Iterator[Symptom]:
    if require(facts.pacemaker).cib.no_quorum_policy == "ignore":
        write = "pcs property set no-quorum-policy=freeze"
        yield Symptom("no-quorum-policy=ignore in Pacemaker's properties", write)


def _misfit(*kinds: str) -> Callable[[DoctorFacts], Iterator[Symptom]]:
    def examine(facts: DoctorFacts) -> Iterator[Symptom]:
        config = require(facts.pacemaker)
        for one in find_misfits(config.named(), config.resource):
            if one.kind in kinds:
                yield Symptom(one.text, one.remedy)

    return examine


def _timeouts(facts: DoctorFacts) -> Iterator[Symptom]:
    config = require(facts.pacemaker)
    cib, resource = config.named(), config.resource
    for name in _TIMED:
        least = min(one.timeout for one in ACTIONS if one.name == name)
        found = [one for one in cib.operations if one.name == name]
        for one in found:
            if one.timeout < least:
                yield Symptom(
                    f"{resource}: {name} has {one.timeout:g} s ({one.ident})",
                    f"pcs resource update {resource} op {name} "
                    + (f"interval={one.interval:g}s " if one.interval else "")
                    + f"timeout={least}s",
                )
        if not found and name != "monitor":
            yield Symptom(
                f"{resource} has no operation {name}, so Pacemaker gives it 20 s, or what op_defaults says",
                f"pcs resource update {resource} op {name} timeout={least}s",
            )


def _monitor(facts: DoctorFacts) -> Iterator[Symptom]:
    config = require(facts.pacemaker)
    cib = config.named()
    repeated = [one for one in cib.operations if one.name == "monitor" and one.interval]
    usual = next(one for one in ACTIONS if one.name == "monitor")
    write = f"pcs resource update {config.resource} op monitor interval={usual.interval}s timeout={usual.timeout}s"
    if not [one for one in repeated if one.enabled and not one.role]:
        yield Symptom(f"{config.resource} has no monitor that is repeated, enabled and without a role", write)
    for one in repeated:
        if one.on_fail in ("ignore", "block"):
            yield Symptom(f"{config.resource}: on-fail={one.on_fail} of {one.ident}", f"{write} on-fail=restart")


def _roles(facts: DoctorFacts) -> Iterator[Symptom]:
    config = require(facts.pacemaker)
    for one in config.named().operations:
        if one.name in _ROLES or one.role not in ("", "Started", "Stopped"):
            said = f" with role={one.role}" if one.role else ""
            yield Symptom(
                f"{config.resource}: operation {one.name}{said} ({one.ident})", f"pcs resource op remove {one.ident}"
            )


def _interleave(facts: DoctorFacts) -> Iterator[Symptom]:
    config = require(facts.pacemaker)
    cib = config.named()
    if cib.clone and not is_true(cib.meta.get("interleave", "")):
        yield Symptom(f"{cib.clone} is not interleaved", f"pcs resource meta {cib.clone} interleave=true")


def _idle(facts: DoctorFacts) -> Iterator[Symptom]:
    config = require(facts.pacemaker)
    cib = config.named()
    for node in cib.nodes:
        forbidden = cib.forbidden(node)
        if forbidden:
            yield Symptom(
                f"{node}: {forbidden}", "when the work there is done: pcs resource manage, enable; pcs node unstandby"
            )


def _parameters(facts: DoctorFacts) -> Iterator[Symptom]:
    config = require(facts.pacemaker)
    given = {f"{RESKEY}{name}": value for name, value in config.named().parameters.items()}
    settings, bad = parse_settings_leniently(given)
    for wrong in bad:
        yield Symptom(f"{config.resource}: {wrong.name}: {wrong.why}", wrong.tell(config.resource))
    for text in find_useless(settings):
        yield Symptom(f"{config.resource}: {text}", f"pcs resource update {config.resource} ..., as the sentence says")


RULES: Iterable[Rule] = (
    Rule(
        "fencing",
        Weight.HARM,
        "Pacemaker: stonith-enabled, and a device",
        "a host that fell silent may still write and hold the VIP; a stop that fails blocks the resource for good",
        _fencing,
    ),
    Rule(
        "quorum-ignored",
        Weight.HARM,
        "Pacemaker: no-quorum-policy=ignore",
        "both sides of a split cluster hold the VIP, and form a cluster each",
        _quorum_ignored,
    ),
    Rule(
        "quorum-stop",
        Weight.ADVICE,
        "Pacemaker: no-quorum-policy=stop",
        "a node that has lost the others is stopped although it could go on serving until they are back",
        _misfit("quorum-stop"),
    ),
    Rule(
        "no-clone",
        Weight.HARM,
        "Pacemaker: the resource is a plain clone",
        "Pacemaker runs the database on one node alone, or several servers on a host",
        _misfit("no-clone", "globally-unique"),
    ),
    Rule(
        "promotable",
        Weight.HARM,
        "Pacemaker: promotable, promoted-max and their like",
        "Pacemaker calls promote, which this agent has not: every node fails",
        _misfit("promotable"),
    ),
    Rule(
        "operation-roles",
        Weight.ADVICE,
        "Pacemaker: promote, demote, and operations with a role",
        "they are never called, or fail: leftovers of a promotable resource",
        _roles,
    ),
    Rule(
        "operation-timeouts",
        Weight.HARM,
        "Pacemaker: the timeouts of start, stop and monitor",
        "an action that is cut off is a failure: a stop that writes its pages is one, and the host is fenced for it",
        _timeouts,
    ),
    Rule(
        "monitor",
        Weight.HARM,
        "Pacemaker: a monitor that is repeated",
        "nobody notices that a server died, and nobody starts it again",
        _monitor,
    ),
    Rule(
        "interleave",
        Weight.ADVICE,
        "Pacemaker: interleave of the clone",
        "what depends on the clone waits for, and stops with, every node instead of its own",
        _interleave,
    ),
    Rule(
        "left-alone",
        Weight.ADVICE,
        "Pacemaker: maintenance mode, standby, is-managed, target-role",
        "Pacemaker does nothing for this node, also when its server dies",
        _idle,
    ),
    Rule(
        "parameters",
        Weight.ADVICE,
        "Pacemaker: the parameters of the resource",
        "a parameter is wrong or has no effect, or a password can be read by who reads the configuration",
        _parameters,
    ),
)
