"""Rules about the other members, as this host sees them."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from ..election.facts import Probe
from ..galera.cluster_address import BadAddress, normalise, parse_cluster_address
from .findings import Rule, Symptom, Weight
from .unseen import Unlooked, Unseen, require

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Callable

    from .facts import DoctorFacts, MemberFacts

# Clocks further apart, in seconds, are told.
_APART = 2.0
# Whoever does not listen all the time: a state transfer, and the transfer of what a node missed.
_AT_TIMES = {4444: "a state transfer", 4568: "an incremental state transfer"}


def _others(facts: DoctorFacts) -> tuple[MemberFacts, ...]:
    """Return the other members. :raises Unlooked: without any, when nothing was looked at."""
    members = require(facts.members)
    if not members:
        raise Unlooked(Unseen("no other member is known", "members in [cluster] of xha.conf, with every member"))
    return members


def _listening(facts: DoctorFacts) -> Iterator[Symptom]:
    for one in _others(facts):
        for port, what in one.listens.items():
            answer = one.ports.get(port, Probe.SILENT)
            if answer is not Probe.ACCEPTED:
                said = "refuses connections" if answer is Probe.REFUSED else "does not answer"
                yield Symptom(
                    f"{one.name}: port {port} ({what}) {said}, seen from this host",
                    f"start what listens there on {one.host}, or open the port between the members (nft, firewall-cmd "
                    f"--add-port={port}/tcp)",
                )


def _filtered(facts: DoctorFacts) -> Iterator[Symptom]:
    silent = []
    for one in _others(facts):
        if all(each is Probe.SILENT for each in one.ports.values()):
            silent.append(one.name)
            continue
        for port, what in _AT_TIMES.items():
            if one.ports.get(port, Probe.SILENT) is Probe.SILENT:
                yield Symptom(
                    f"{one.name}: port {port} ({what}) neither accepts nor refuses, seen from this host",
                    f"open the port between the members: firewall-cmd --permanent --add-port={port}/tcp, on {one.host}",
                )
    if silent:
        needs = "the host to be up, and this host to reach it"
        raise Unlooked(Unseen(f"the ports of state transfers of {', '.join(silent)}: none of its ports answers", needs))


def _differ(
    name: str, told: Callable[[MemberFacts], str | None], what: str, write: str
) -> Callable[[DoctorFacts], Iterator[Symptom]]:
    def examine(facts: DoctorFacts) -> Iterator[Symptom]:
        members = _others(facts)
        mine = require(facts.server).variables.get(name)
        values: dict[str, list[str]] = defaultdict(list)
        silent = []
        for one in members:
            value = told(one)
            if value is None:
                silent.append(one.name)
            else:
                values[value].append(one.name)
        if mine is not None:
            values[_norm(name, mine)].append("this host")
        if len(values) > 1:
            sides = "; ".join(f"{value} on {', '.join(names)}" for value, names in values.items())
            yield Symptom(f"{what} differs: {sides}", write)
        if silent:
            needs = "an account over TCP (docs/installation.md, One account), or this host in [responder] detail_from"
            raise Unlooked(Unseen(f"{what} of {', '.join(silent)}: they do not tell this host", needs))

    return examine


def _norm(name: str, value: str) -> str:
    if name != "wsrep_cluster_address":
        return value
    try:
        return ",".join(sorted({normalise(peer.host) for peer in parse_cluster_address(value).peers}))
    except BadAddress:
        return value


def _variable(name: str) -> Callable[[MemberFacts], str | None]:
    def told(one: MemberFacts) -> str | None:
        value = one.variables.get(name)
        return None if value is None else _norm(name, value)

    return told


def _clocks(facts: DoctorFacts) -> Iterator[Symptom]:
    silent = []
    for one in _others(facts):
        if one.clock is None or not math.isfinite(one.clock):
            silent.append(one.name)
        elif abs(one.clock) > _APART:
            yield Symptom(
                f"the clock of {one.name} is {one.clock:+.1f} s from this host's",
                f"systemctl enable --now chrony   on {one.host} and here; and now: chronyc makestep",
            )
    if silent:
        needs = "an account over TCP (docs/installation.md, One account)"
        raise Unlooked(Unseen(f"the clock of {', '.join(silent)}: it does not tell this host", needs))


_FILE = "in [mysqld] of the server's option file"
RULES: Iterable[Rule] = (
    Rule(
        "member-ports",
        Weight.HARM,
        "SQL, the group (4567) and the responder of each other member",
        "the member cannot join, or HAProxy and xha-check cannot ask it",
        _listening,
        remote=True,
    ),
    Rule(
        "transfer-ports",
        Weight.HARM,
        "ports 4444 and 4568 of each other member",
        "a node that was away cannot be given what it lacks: it is found out on the day it is needed",
        _filtered,
        remote=True,
    ),
    Rule(
        "addresses-differ",
        Weight.HARM,
        "wsrep_cluster_address of all members",
        "nodes with different lists refuse to form a cluster after all were down",
        _differ(
            "wsrep_cluster_address",
            _variable("wsrep_cluster_address"),
            "wsrep_cluster_address",
            f"wsrep_cluster_address = gcomm://HOST,HOST,HOST   {_FILE}, the same on every host",
        ),
        remote=True,
    ),
    Rule(
        "versions-differ",
        Weight.ADVICE,
        "the version of all members' servers",
        "a full copy from a newer server cannot be used by an older one, and half an upgrade is easily forgotten",
        _differ(
            "version", _variable("version"), "the server's version", "apt-get install --only-upgrade mariadb-server"
        ),
        remote=True,
    ),
    Rule(
        "sst-methods-differ",
        Weight.HARM,
        "wsrep_sst_method of all members",
        "a joiner asks for a copy in a way for which its donor may have no program or account",
        _differ(
            "wsrep_sst_method",
            _variable("wsrep_sst_method"),
            "wsrep_sst_method",
            f"wsrep_sst_method = mariabackup   {_FILE}, the same on every host",
        ),
        remote=True,
    ),
    Rule(
        "clocks",
        Weight.ADVICE,
        "the clocks of all members",
        "NOW() of two writers contradicts itself, and reports of the members cannot be compared",
        _clocks,
        remote=True,
    ),
)
