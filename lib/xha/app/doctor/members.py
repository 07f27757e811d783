"""What the other members tell this host, and which of their ports it reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...adapters.mysql.login_target import read_target
from ...adapters.mysql.session import ReadError
from ...adapters.mysql.survey import Survey
from ...adapters.network.port_probe import Endpoint, probe_ports
from ...core.config.xha_conf import DEFAULT_PORT
from ...core.doctor.facts import MemberFacts, NameView
from ...core.doctor.unseen import Unseen
from ...core.election.facts import Probe
from ...core.galera.server_options import Ports
from ...core.text.values import ConfigError
from ..cluster.errands import Errands
from ..cluster.look import look_at_cluster

if TYPE_CHECKING:
    from ...core.cluster.member_view import MemberView
    from ...core.cluster.members import Member
    from ...core.config.xha_conf import Config
    from ...core.doctor.facts import ServerFacts
    from ...core.doctor.unseen import Look
    from ..node.reader import ConfigFile

_PORT_SECONDS = 2.0
_AT_TIMES = (4444, 4568)


def look_at_members(
    file: ConfigFile, server: Look[ServerFacts], names: Look[NameView]
) -> Look[tuple[MemberFacts, ...]]:
    """Ask every other member, side by side."""
    config = file.refresh()
    try:
        views = look_at_cluster(file).views
    except ConfigError as error:
        return Unseen(f"the other members: {error}", "members in [cluster] of xha.conf, or a server that answers here")
    others = [view for view in views if not _is_own(view.member, server, names)]
    listens = {view.member: _listening(view.member, config) for view in others}
    endpoints = {
        f"{member}|{port}": [Endpoint(member.host, port)]
        for member, what in listens.items()
        for port in (*what, *_AT_TIMES)
    }
    probed = {key: one.result for key, one in probe_ports(endpoints, _PORT_SECONDS).items()}
    errands = Errands(config.responder.deadline)
    for member in listens:
        errands.begin(member, str(member), lambda member=member: _read_clock(config, member))  # type: ignore[misc]
    return tuple(
        MemberFacts(
            str(view.member),
            view.member.host,
            listens[view.member],
            {port: probed.get(f"{view.member}|{port}", Probe.SILENT) for port in (*listens[view.member], *_AT_TIMES)},
            _variables(view),
            errands.wait(view.member),
        )
        for view in others
    )


def _listening(member: Member, config: Config) -> dict[int, str]:
    sql = member.port or DEFAULT_PORT
    return {sql: "SQL", Ports().group: "the group", config.responder.port: "xha-responder"}


def _variables(view: MemberView) -> dict[str, str]:
    facts = view.facts
    if facts is None or facts.reading is None:
        return {}
    return {name: str(value) for name, value in facts.reading.variables._asdict().items() if value is not None}


def _is_own(member: Member, server: Look[ServerFacts], names: Look[NameView]) -> bool:
    if isinstance(server, Unseen) or isinstance(names, Unseen):
        return False
    mine = NameView.host_of(server.variables.get("wsrep_node_address", ""))
    addresses = {member.host, *names.resolved.get(member.host, ())}
    if mine:  # what the server calls itself goes before the host's addresses, of which another server may have one
        return bool(addresses & {mine, *names.resolved.get(mine, ())})
    return member.host == names.me or bool(addresses & names.own)


def _read_clock(config: Config, member: Member) -> float | None:
    try:
        target = read_target(config.of_member(member.host, member.port).database)
        survey = Survey(target, config.responder.deadline)
    except (ReadError, ConfigError):
        return None
    try:
        return survey.read_clock()
    except ReadError:
        return None
    finally:
        survey.close()
