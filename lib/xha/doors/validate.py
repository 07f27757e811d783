"""validate-all: are the parameters right (level 0), and is this host ready for them (level 10)?

Level 0 looks at nothing but the parameters: pcs and crmsh ask on the host where somebody types, which need not be one
that the resource will run on. Lines begin as crmsh parses them, with `ERROR: ` or `WARNING: `.
"""

from __future__ import annotations

import glob
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from ..core.ocf import ExitCode, Instance, Outcome
from ..core.parameters import PARAMETERS, parse_settings_leniently
from .complaint import complain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..adapters.mariadbd import Program
    from ..core.parameters import Settings
    from ..core.serveroptions import ServerOptions

LOCAL_LEVEL = 10
_RESOLVE_SECONDS = 5.0
_UNITS = ("mariadb.service", "mysql.service", "mysqld.service")


class Finding(NamedTuple):
    """What is wrong. code SUCCESS is a warning."""

    code: ExitCode
    text: str


def validate(environment: Mapping[str, str], instance: Instance) -> Outcome:
    """Tell all findings on standard error, and return the first error's code and text."""
    settings, bad = parse_settings_leniently(environment)
    findings = [Finding(ExitCode.CONFIGURED, str(one)) for one in bad]
    findings += _useless(settings)
    if not bad and instance.level >= LOCAL_LEVEL:
        findings += _look_around(settings, instance)
    return tell_findings(findings)


def tell_findings(findings: Sequence[Finding]) -> Outcome:
    """Tell each finding in a line that crmsh parses, and return the first error's code and text."""
    for one in findings:
        complain(f"{'ERROR' if one.code else 'WARNING'}: {' '.join(one.text.split())}\n")
    worst = next((one for one in findings if one.code), Finding(ExitCode.SUCCESS, ""))
    return Outcome(worst.code, worst.text)


def _warning(text: str) -> Finding:
    return Finding(ExitCode.SUCCESS, text)


def _error(text: str) -> Finding:
    return Finding(ExitCode.INSTALLED, text)


def _useless(settings: Settings) -> Iterator[Finding]:
    if settings.two_node_mode:
        long = next(one.long for one in PARAMETERS if one.name == "two_node_mode")
        yield _warning(f"two_node_mode: {long}")
    if settings.test_conf and (settings.test_user or settings.check_user):
        yield _warning("test_conf goes before test_user and check_user, which are not used")
    for user, password in (("test_user", "test_passwd"), ("check_user", "check_passwd")):
        if getattr(settings, password):
            yield _warning(
                f"{password} stands readable in the cluster's configuration; {user} can be named in test_conf"
            )


def _look_around(settings: Settings, instance: Instance) -> Iterator[Finding]:
    yield from _look_at_units()
    yield from _look_at_cluster(instance)
    resolved = _resolve(settings)
    yield from _look_at_host(settings, resolved)
    if not isinstance(resolved, Finding):
        yield from _look_at_members(settings, resolved[1], instance)


def find_fault(settings: Settings) -> Finding | None:
    """Return why no server may be started on this host, None where nothing forbids it: validate-all's first error.

    That the list of members does not name this host is no fault of the host's: an address or a name may still come.
    Until then the election refuses, and starts nothing either.
    """
    return next((one for one in _look_at_host(settings, _resolve(settings)) if one.code), None)


def _resolve(settings: Settings) -> tuple[Program, ServerOptions] | Finding:
    from ..adapters.mariadbd import Unusable, find_program, read_options

    try:
        return read_options(find_program(settings))
    except Unusable as error:
        return _error(str(error))
    except TimeoutError as error:
        return Finding(ExitCode.GENERIC, str(error))


def _look_at_host(settings: Settings, resolved: tuple[Program, ServerOptions] | Finding) -> Iterator[Finding]:
    if settings.test_conf:
        yield from _look_at_option_file(settings.test_conf)
    if isinstance(resolved, Finding):
        yield resolved
        return
    program, options = resolved
    yield from _look_at_galera(options, program)
    yield from _look_at_directories(program, settings)


def _look_at_units() -> Iterator[Finding]:
    for unit in _UNITS:
        if glob.glob(f"/etc/systemd/system/*.wants/{unit}"):
            yield _warning(f"{unit} is enabled and would start the server beside Pacemaker: systemctl disable {unit}")


def _look_at_cluster(instance: Instance) -> Iterator[Finding]:
    from ..adapters.pacemaker import ClusterUnreachable, Pacemaker
    from ..core.migration import find_misfits
    from ..core.records import BadRecord

    try:
        cib = Pacemaker(instance.node).read_cib(instance.name)
    except (ClusterUnreachable, BadRecord):  # ocf-tester, a shell: there is no cluster to have an opinion of
        return
    for text in find_misfits(cib, instance.name):
        yield _warning(text)


def _look_at_option_file(path: str) -> Iterator[Finding]:
    try:
        seen = os.stat(path)
    except OSError as error:
        # A failed check is not a failed database: the server starts, and a monitor says what the check lacks.
        yield _warning(f"test_conf={path}: {(error.strerror or 'unreadable').lower()}: write it on every host")
        return
    if stat.S_IMODE(seen.st_mode) & 0o077 or seen.st_uid:
        yield _warning(f"test_conf={path}: others than root may read or change it: chown root {path}; chmod 600 {path}")


def _look_at_galera(options: ServerOptions, program: Program) -> Iterator[Finding]:
    where = program.config or "the server's configuration"
    if not options.wsrep_provider:
        yield _error(f"wsrep_provider is not set: name Galera's library in {where}")
    elif not os.path.exists(options.wsrep_provider):
        yield _error(f"wsrep_provider={options.wsrep_provider}: no such library: install galera-4, or correct {where}")
    if not options.wsrep_on:
        yield _error(f"wsrep_on is OFF: set wsrep_on=ON in {where}")
    if not options.wsrep_cluster_name or options.wsrep_cluster_name == "my_wsrep_cluster":
        yield _warning(f"wsrep_cluster_name is the default: another cluster's node could join; name it in {where}")


def _look_at_directories(program: Program, settings: Settings) -> Iterator[Finding]:
    from ..adapters.account import account_name

    owner = program.account
    try:
        seen = os.stat(program.datadir)
    except OSError as error:
        why = (error.strerror or "unusable").lower()
        if not (isinstance(error, FileNotFoundError) and settings.enable_creation):  # start makes it
            yield _error(f"datadir={program.datadir}: {why}: mount it, or make it for {owner.user}")
    else:
        if not stat.S_ISDIR(seen.st_mode):
            yield _error(f"datadir={program.datadir}: not a directory: correct the parameter datadir")
        elif seen.st_uid != owner.uid:
            yield _error(
                f"datadir={program.datadir}: permission denied to {owner.user}, for it belongs to "
                f"{account_name(seen.st_uid)}: chown -R {owner.user} {program.datadir}"
            )
    log = os.path.dirname(program.log)
    if log and not os.path.isdir(log):
        yield _error(f"log={program.log}: no directory {log}: make it for {owner.user}, or correct the parameter log")


def _look_at_members(settings: Settings, options: ServerOptions, instance: Instance) -> Iterator[Finding]:
    from ..adapters.addresses import read_own_addresses, resolve_hosts
    from ..core.address import BadAddress, name_members, normalise, parse_cluster_address

    text = settings.wsrep_cluster_address or options.wsrep_cluster_address
    try:
        peers = parse_cluster_address(text).peers if text else ()
    except BadAddress as error:
        yield _error(f"wsrep_cluster_address: {error}")
        return
    if not peers:
        yield _error(
            "wsrep_cluster_address names no member: set it to gcomm://HOST,HOST,HOST, all hosts that hold data"
        )
        return
    resolved = resolve_hosts((peer.host for peer in peers), _RESOLVE_SECONDS)
    for host in (host for host, addresses in resolved.items() if not addresses):
        yield _warning(f"wsrep_cluster_address: {host} does not resolve on this host: correct it, DNS or /etc/hosts")
    me = instance.node or os.uname().nodename
    membership = name_members(
        peers,
        nodes=[me],
        host_map=settings.cluster_host_map,
        resolved={host: [normalise(one) for one in addresses] for host, addresses in resolved.items()},
        reported={me: read_own_addresses()},
        arbitrators=settings.arbitrators,
    )
    if me not in membership.names:
        yield _error(f"wsrep_cluster_address does not name this host, {me}: add it, or set cluster_host_map")
    for text in membership.ambiguous:
        yield _error(f"wsrep_cluster_address: {text}")
