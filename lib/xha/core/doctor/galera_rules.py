"""Rules about Galera's own settings: its timeouts, its cache, its state transfers, its list of members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..galera.cluster_address import BadAddress, parse_cluster_address
from ..galera.member_list import find_member_faults
from ..ocf.api import RESKEY
from ..ocf.galera_settings import Settings, parse_settings_leniently
from .findings import Rule, Symptom, Weight
from .unseen import Unseen, require

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .facts import DoctorFacts

_FILE = "in [mysqld] of the server's option file, on every host"
# A host that is upgraded and started anew is away for so long, in seconds.
_AWAY = 3600.0
# The programs that a state transfer needs on joiner and donor (scripts/wsrep_sst_*.sh of MariaDB and Percona).
_PROGRAMS = {
    "rsync": (("rsync",),),
    "mariabackup": (("mariadb-backup", "mariabackup"), ("mbstream",), ("socat",)),
    "xtrabackup-v2": (("xtrabackup",), ("xbstream",), ("socat",)),
}
_DIVISORS = ((86400, "d"), (3600, "h"), (60, "min"))
# How often a member has to be heard of, at the least, before it is suspected. With once (both 1 s) one of eight joins
# left no member in a Primary component; with five times, Galera's defaults, none did:
# docs/decisions/0039-a-world-as-xha-advises-it.md.
_HEARD_TIMES = 3


def _settings(facts: DoctorFacts) -> Settings:
    """Return the resource's parameters; the defaults where Pacemaker's configuration is not known."""
    if isinstance(facts.pacemaker, Unseen):
        return Settings()
    parameters = facts.pacemaker.cib.parameters
    return parse_settings_leniently({f"{RESKEY}{name}": value for name, value in parameters.items()})[0]


def _evs(facts: DoctorFacts) -> Iterator[Symptom]:
    server, grace = require(facts.server), _settings(facts).hang_grace
    suspect, inactive = server.period("evs.suspect_timeout"), server.period("evs.inactive_timeout")
    keepalive, join = server.period("evs.keepalive_period"), server.period("evs.join_retrans_period")
    write = "wsrep_provider_options with evs.keepalive_period=PT1S;evs.suspect_timeout=PT5S;evs.inactive_timeout=PT15S"
    if inactive >= grace:
        yield Symptom(
            f"evs.inactive_timeout = {inactive:g} s at {server.where}, and hang_grace of the agent is {grace:g} s",
            f"{write}   {_FILE}; or hang_grace={inactive + 15:g}s at the resource",
        )
    if not keepalive < suspect <= inactive:
        yield Symptom(
            f"evs.keepalive_period {keepalive:g} s, evs.suspect_timeout {suspect:g} s, evs.inactive_timeout "
            f"{inactive:g} s at {server.where}: each has to be longer than the one before",
            f"{write}   {_FILE}",
        )
    if join * _HEARD_TIMES > suspect:
        yield Symptom(
            f"evs.join_retrans_period = {join:g} s at {server.where}, and evs.suspect_timeout is {suspect:g} s: while "
            "a node joins, members hear nothing else of one another, and suspect those that are well",
            f"wsrep_provider_options with evs.join_retrans_period=PT{max(0.1, suspect / 10):g}S   {_FILE}",
        )


def _window(facts: DoctorFacts) -> Iterator[Symptom]:
    server = require(facts.server)
    size, uptime = server.size("gcache.size"), max(1, server.count("uptime"))
    average = (server.count("wsrep_replicated_bytes") + server.count("wsrep_received_bytes")) / uptime
    rate = max(average, server.rate or 0.0)
    if rate and size / rate < _AWAY:
        wanted = _round_up(rate * _AWAY)
        yield Symptom(
            f"gcache.size = {size >> 20} MiB at {server.where}, and {rate / 1024:.0f} KiB/s are written (now "
            f"{(server.rate or 0) / 1024:.0f}, since the start {average / 1024:.0f}): {_period(size / rate)}",
            f"wsrep_provider_options with gcache.size={wanted}M   {_FILE} (an hour of what is written now)",
        )


def _round_up(size: float) -> int:
    return (int(size / (128 << 20)) + 1) * 128


def _period(seconds: float) -> str:
    return next((f"{seconds / each:.0f} {unit}" for each, unit in _DIVISORS if seconds >= each), f"{seconds:.0f} s")


def _recover(facts: DoctorFacts) -> Iterator[Symptom]:
    server = require(facts.server)
    if server.option("gcache.recover").lower() in ("no", "off", "false", "0"):
        yield Symptom(
            f"gcache.recover = no at {server.where}", f"wsrep_provider_options with gcache.recover=yes   {_FILE}"
        )


def _method(facts: DoctorFacts) -> Iterator[Symptom]:
    server, programs = require(facts.server), require(facts.programs)
    method = server.text("wsrep_sst_method")
    if method not in _PROGRAMS:
        known = ", ".join(_PROGRAMS)
        yield Symptom(
            f"wsrep_sst_method = {method} at {server.where}: it is none of {known}",
            f"wsrep_sst_method = mariabackup   {_FILE}",
        )
        return
    for names in _PROGRAMS[method]:
        if not any(name in programs for name in names):
            yield Symptom(
                f"wsrep_sst_method = {method} at {server.where}, and this host has no {names[0]}",
                f"apt-get install {_PACKAGES.get(names[0], names[0])}   on this host",
            )


_PACKAGES = {"mariadb-backup": "mariadb-backup", "mbstream": "mariadb-backup", "xtrabackup": "percona-xtrabackup-80"}


def _sst_account(facts: DoctorFacts) -> Iterator[Symptom]:
    server = require(facts.server)
    if server.text("wsrep_sst_method") not in ("mariabackup", "xtrabackup-v2") or server.text("wsrep_sst_auth"):
        return
    user = facts.config.database.server_user
    if (user, "localhost") not in {(one.user, one.host) for one in require(facts.accounts)}:
        yield Symptom(
            f"wsrep_sst_auth is empty at {server.where}, and there is no account {user}@localhost",
            f"wsrep_sst_auth = {user}:   {_FILE}; and CREATE USER {user}@localhost IDENTIFIED VIA unix_socket; GRANT "
            f"RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR ON *.* TO {user}@localhost",
        )


def _address(facts: DoctorFacts) -> Iterator[Symptom]:
    server, view = require(facts.server), require(facts.names)
    settings = _settings(facts)
    text = settings.wsrep_cluster_address or server.text("wsrep_cluster_address")
    for one in find_member_faults(
        text,
        view.me,
        resolved=view.resolved,
        own=view.own,
        host_map=settings.cluster_host_map,
        arbitrators=settings.arbitrators,
    ):
        place = "of the resource" if settings.wsrep_cluster_address else f"at {server.where}"
        file = "for wsrep_cluster_address of the resource" if settings.wsrep_cluster_address else _FILE
        yield Symptom(f"{one.text} ({text} {place})", f"{one.remedy}   {file}" if one.rewrites else one.remedy)


def _own_address(facts: DoctorFacts) -> Iterator[Symptom]:
    server, view = require(facts.server), require(facts.names)
    said = server.text("wsrep_node_address")
    if not said:
        return  # Galera looks for one itself, and the list of members is examined by another rule
    addresses = view.resolved.get(view.host_of(said), ())
    if not any(one in view.own for one in addresses):
        seen = f"which is {', '.join(addresses)} here" if addresses else "which does not resolve here"
        yield Symptom(
            f"wsrep_node_address = {said} at {server.where}, {seen}, and no address of this host",
            f"wsrep_node_address = THE-ADDRESS-OF-THIS-HOST   {_FILE}",
        )


def _even(facts: DoctorFacts) -> Iterator[Symptom]:
    server, settings = require(facts.server), _settings(facts)
    text = settings.wsrep_cluster_address or server.text("wsrep_cluster_address")
    try:
        members = len(parse_cluster_address(text).peers)
    except BadAddress:
        return  # told by another rule
    if members > 1 and members % 2 == 0 and not settings.arbitrators:
        place = "at the resource" if settings.wsrep_cluster_address else f"at {server.where}"
        yield Symptom(
            f"wsrep_cluster_address names {members} members {place}, an even number",
            "a third host, or garbd on one without data; then arbitrators=HOST at the resource",
        )


RULES: Iterable[Rule] = (
    Rule(
        "cluster-address",
        Weight.HARM,
        "wsrep_cluster_address: its hosts resolve, and one of them is this host",
        "the node does not find the others at its next start, or no member counts it as one of them",
        _address,
    ),
    Rule(
        "node-address",
        Weight.HARM,
        "wsrep_node_address",
        "the others send their state transfers to another host",
        _own_address,
    ),
    Rule(
        "member-count",
        Weight.ADVICE,
        "wsrep_cluster_address: an even number of members",
        "when the network splits in halves, or one of two members dies, no side has a majority and all writes stop",
        _even,
    ),
    Rule(
        "evs-timeouts",
        Weight.HARM,
        "evs.keepalive_period, join_retrans_period, suspect_timeout and inactive_timeout, against hang_grace",
        "commits of all wait for a member that died or joins; if they wait too long, the agent ends good servers",
        _evs,
    ),
    Rule(
        "gcache-window",
        Weight.ADVICE,
        "gcache.size against what is written, now and since the start",
        "a node that was away for longer needs a full copy of all data instead of what it missed",
        _window,
    ),
    Rule(
        "gcache-recover",
        Weight.ADVICE,
        "gcache.recover",
        "after a restart the node can give no joiner what it missed, so that one needs a full copy",
        _recover,
    ),
    Rule(
        "sst-method",
        Weight.HARM,
        "wsrep_sst_method, and the programs that it needs on this host",
        "no node can get a full copy: one that needs it stays out, and tries for ever",
        _method,
    ),
    Rule(
        "sst-account",
        Weight.HARM,
        "wsrep_sst_auth, and the account that a backup logs in as",
        "this node cannot be a donor: the copy fails at its login, and the joiner stays out",
        _sst_account,
    ),
)
