"""Finds what in Pacemaker's configuration does not fit this agent, mostly leftovers of ocf:heartbeat:galera."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .cib import is_true

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .cib import Cib

_PROMOTABLE = ("promotable", "promoted-max", "promoted-node-max", "master-max", "master-node-max")


class Misfit(NamedTuple):
    """What does not fit. kind: a word for a program; text and remedy: for a person."""

    kind: str
    text: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.text}: {self.remedy}"


def find_misfits(cib: Cib, resource: str) -> Iterator[Misfit]:
    """Yield each, with the pcs command that corrects it. An unconfigured resource yields none."""
    if not cib.exists:
        return
    clone = cib.clone or f"{resource}-clone"
    if not cib.clone:
        remedy = f"pcs resource clone {resource} meta interleave=true"
        yield Misfit("no-clone", f"{resource} is no clone and would run on one node alone", remedy)
    given = [name for name in _PROMOTABLE if name in cib.meta]
    if cib.promotable or given:
        removed = " ".join(f"{name}=" for name in given or _PROMOTABLE[:1])
        yield Misfit(
            "promotable",
            f"{clone} is promotable, and this agent is a plain clone",
            f"pcs resource meta {clone} {removed}; then remove the operations promote, demote and monitor with a role: "
            "pcs resource op remove ID (pcs resource config)",
        )
    if is_true(cib.meta.get("globally-unique", "")):
        remedy = f"pcs resource meta {clone} globally-unique="
        yield Misfit("globally-unique", f"{clone} is globally unique, several servers on a host", remedy)
    if cib.properties.get("no-quorum-policy", "stop") == "stop":
        yield Misfit(
            "quorum-stop",
            "no-quorum-policy=stop stops a lone survivor that could go on serving",
            "pcs property set no-quorum-policy=freeze",
        )
