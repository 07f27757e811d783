"""validate-all: whether the parameters are correct (level 0), and whether this host is ready for them (level 10).

Level 0 examines only the parameters: pcs and crmsh call it on the host where the administrator types, which may not be
one that the resource will run on.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...core.galera.server_options import SERVER_UNITS
from ...core.ocf.api import ExitCode, Finding, Instance
from ...core.ocf.galera_settings import parse_settings_leniently
from ...core.ocf.parameter_findings import find_useless
from ..node.host_findings import fault, look_at_host, resolve_program, warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...adapters.mysqld.program import Program
    from ...core.galera.server_options import ServerOptions
    from ...core.ocf.galera_settings import Settings

LOCAL_LEVEL = 10
_RESOLVE_SECONDS = 5.0
_UNITS = SERVER_UNITS


def validate(environment: Mapping[str, str], instance: Instance) -> list[Finding]:
    """Return all findings, in the order in which they are printed."""
    settings, bad = parse_settings_leniently(environment)
    findings = [Finding(ExitCode.CONFIGURED, str(one)) for one in bad]
    findings += map(warn, find_useless(settings))
    if not bad and instance.level >= LOCAL_LEVEL:
        findings += _look_around(settings, instance)
    return findings


def _look_around(settings: Settings, instance: Instance) -> Iterator[Finding]:
    yield from _look_at_units()
    yield from _look_at_cluster(instance)
    resolved = resolve_program(settings)
    yield from look_at_host(settings, resolved)
    if not isinstance(resolved, Finding):
        yield from _look_at_members(settings, *resolved, instance)


def _look_at_units() -> Iterator[Finding]:
    from ...adapters.host.enabled_units import find_enabled_units

    try:
        units = find_enabled_units(_UNITS)
    except OSError as error:
        yield warn(f"which units of a server are enabled cannot be seen: {error.filename}: {error.strerror}")
        return
    for unit in units:
        yield warn(f"{unit.name} is enabled and would start the server beside Pacemaker: systemctl disable {unit.name}")


def _look_at_cluster(instance: Instance) -> Iterator[Finding]:
    from ...adapters.pacemaker.cluster import ClusterUnreachable, Pacemaker
    from ...core.pacemaker.cib_records import BadRecord
    from ...core.pacemaker.migration import find_misfits

    try:
        cib = Pacemaker(instance.node).read_cib(instance.name)
    except (ClusterUnreachable, BadRecord):  # ocf-tester or a shell: without a cluster there is nothing to examine
        return
    for misfit in find_misfits(cib, instance.name):
        yield warn(str(misfit))


def _look_at_members(
    settings: Settings, program: Program, options: ServerOptions, instance: Instance
) -> Iterator[Finding]:
    from ...adapters.network.addresses import read_own_addresses, resolve_hosts
    from ...core.galera.cluster_address import BadAddress, parse_cluster_address
    from ...core.galera.member_list import find_member_faults

    text = settings.wsrep_cluster_address or options.wsrep_cluster_address
    try:
        hosts = [peer.host for peer in parse_cluster_address(text).peers] if text else []
    except BadAddress:
        hosts = []
    for one in find_member_faults(
        text,
        instance.node or os.uname().nodename,
        resolved=resolve_hosts(hosts, _RESOLVE_SECONDS),
        own=read_own_addresses(),
        host_map=settings.cluster_host_map,
        arbitrators=settings.arbitrators,
        where="the resource" if settings.wsrep_cluster_address else program.where,
    ):
        yield fault(str(one)) if one.severe else warn(str(one))
