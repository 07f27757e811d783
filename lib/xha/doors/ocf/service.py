"""ocf:xha:service: watches a service that systemd runs, and shows its state to constraints by a node attribute.

start begins to watch and stop ends it. Neither touches the service. The rules are in core/ocf/service_rule.py.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ...core.ocf.api import ExitCode, Finding, Outcome
from ...core.ocf.service_parameters import ACTIONS, parse_watch_settings
from ...core.text.values import ConfigError
from ..terminal.stderr import complain
from . import agent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...adapters.files.watch_state import WatchFile
    from ...core.ocf.api import Instance
    from ...core.ocf.galera_settings import BadParameter
    from ...core.ocf.service_parameters import WatchSettings
    from ...core.ocf.service_rule import ServiceLook, Watch
    from ...core.services.model.result import Level
    from ...core.services.settings import ServiceConfig

LOCAL_LEVEL = 10
# The result of start counts until every monitor of the resource has run. There may be no monitor of its level.
_UNTIL_MONITORS = 20.0


def main(argv: list[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the action in the first argument, write the exit reason to standard error, and return OCF's exit code."""
    return agent.run(SERVICE, argv, environ)


def _dispatch(call: agent.Call) -> Outcome:
    settings, bad = parse_watch_settings(call.environment)
    if call.action == "validate-all":
        return _validate(settings, bad, call.instance)
    if call.action == "reload-agent":
        return _reload(bad, call.instance)
    from ...adapters.files.watch_state import WatchFile

    file = WatchFile(call.instance.name)
    if call.action == "stop":
        return _stop(settings, file, call.instance)
    if bad and (call.action == "start" or not settings.name):
        return _refuse(bad[0].tell(call.instance.name), file, call)
    try:
        service = _find(settings, call.instance)
    except ConfigError as error:
        return _refuse(f"{error}; then pcs resource cleanup {call.instance.name}", file, call)
    if call.action == "start":
        return _start(settings, service, file, call.instance)
    outcome = _monitor(settings, service, file, call.instance)
    if bad and outcome.code is ExitCode.SUCCESS:
        return Outcome(ExitCode.DEGRADED, f"watched with a default: {bad[0].tell(call.instance.name)}")
    return outcome


def _refuse(reason: str, file: WatchFile, call: agent.Call) -> Outcome:
    """Return why the service cannot be found. A watched service keeps its attribute, because it may well work."""
    watched = call.action == "monitor" and file.read() is not None
    return Outcome(ExitCode.DEGRADED if watched else ExitCode.INSTALLED, reason)


def _find(settings: WatchSettings, instance: Instance) -> ServiceConfig:
    """Return the service in xha.conf. :raises ConfigError: if xha.conf is wrong, or has no such service."""
    from ...adapters.files.config_files import read_config
    from ...core.services.settings import ServiceFault, find_service, list_names

    config = read_config(settings.config)
    service = find_service(settings.name, config)
    if service is None:
        raise ConfigError(f"name={settings.name}: no such service: there are {', '.join(list_names(config))}")
    if isinstance(service, ServiceFault):
        raise ConfigError(service.message)
    own: Any = service.settings
    return service._replace(
        settings=own._replace(deadline=min(own.deadline, instance.timeout / 2)),
        fall=settings.fall or service.fall,
        grace=service.grace if settings.grace is None else settings.grace,
    )


def _start(settings: WatchSettings, service: ServiceConfig, file: WatchFile, instance: Instance) -> Outcome:
    """Begin to watch. A broken service is no failure of this action: Pacemaker would not try it again."""
    from ...core.ocf.service_rule import Watch, take_look

    before = file.read()
    watch = Watch(settings.attribute_name)
    if before is not None and before.attribute == watch.attribute:
        watch = watch._replace(value=before.value, degraded=before.degraded)
    look = _look(service, service.level, instance)
    watch = take_look(watch, service, look._replace(lasts=_UNTIL_MONITORS))
    watch, fault = _publish(watch, instance)
    file.write(watch)
    if fault:
        complain(f"WARNING: {fault}\n")
    return Outcome(ExitCode.SUCCESS)


def _monitor(settings: WatchSettings, service: ServiceConfig, file: WatchFile, instance: Instance) -> Outcome:
    from ...core.ocf.service_rule import Watch, judge_look, take_look
    from ...core.services.model.result import Level

    watch = file.read()
    look = _look(service, max(one for one in Level if one <= max(instance.level, 0)), instance)
    outcome = judge_look(watch, service, look, is_probe=instance.is_probe)
    if watch is None:
        if instance.is_probe:  # a probe changes nothing
            return outcome
        watch = Watch(settings.attribute_name)
    watch = take_look(watch, service, look)
    if outcome.code is ExitCode.DEGRADED:
        watch = watch._replace(degraded=True)
    watch, fault = _publish(watch, instance)
    file.write(watch)
    if fault and outcome.code is ExitCode.SUCCESS:
        return Outcome(ExitCode.DEGRADED, fault)
    return outcome


def _stop(settings: WatchSettings, file: WatchFile, instance: Instance) -> Outcome:
    from ...adapters.pacemaker.cluster import ClusterUnreachable
    from ...adapters.pacemaker.standalone import connect

    watch = file.read()
    name = watch.attribute if watch else settings.attribute_name
    try:
        cluster = connect(instance.node, instance.name)
        for one in (name, _blame_name(name)) if watch or settings.name else ():
            cluster.delete_attribute(one)
    except Exception as error:  # never a reason for fencing: the attribute ends with this host's membership
        said = str(error) if isinstance(error, ClusterUnreachable) else f"{type(error).__name__}: {error}"
        complain(f"WARNING: the attribute {name} may still be set: {said}\n")
    file.remove()
    return Outcome(ExitCode.SUCCESS)


def _look(service: ServiceConfig, level: Level | None, instance: Instance) -> ServiceLook:
    """Check the service in a process of its own, with its deadline."""
    from ...adapters.process.daemons import is_there
    from ...app.checks.fork_runner import job_of, load_checks, run_jobs
    from ...core.ocf.service_rule import ServiceLook, lasting
    from ...core.services.model.result import Status

    job = job_of(service, level)
    load_checks([job])
    now, clock = time.monotonic(), time.time()
    [(_, result)] = run_jobs([job])
    well = result.status in (Status.OK, Status.WARNING)
    lasts = lasting(instance.interval or service.interval, instance.timeout)
    return ServiceLook(result, well or is_there(service.settings.process), now, clock, lasts)


def _publish(watch: Watch, instance: Instance) -> tuple[Watch, str]:
    """Set the node attributes. Return what is known about them, and what went wrong."""
    from ...adapters.pacemaker.cluster import ClusterUnreachable
    from ...adapters.pacemaker.standalone import connect
    from ...core.ocf.service_rule import is_calm

    if not watch.value:
        return watch, ""
    try:
        cluster = connect(instance.node, instance.name)
        cluster.set_transient(watch.attribute, watch.value)
        if watch.blame != watch.known_blame:
            name = _blame_name(watch.attribute)
            if watch.blame:
                cluster.set_transient(name, watch.blame)
            else:
                cluster.delete_attribute(name)
            watch = watch._replace(known_blame=watch.blame)
        if watch.degraded and is_calm(watch):
            cluster.forget_degraded(instance.name, cluster.node_name())
            watch = watch._replace(degraded=False)
    except ClusterUnreachable as error:
        fault = f"the attribute {watch.attribute}={watch.value} could not be set: {error}; see crm_mon -1A"
        return watch._replace(known_blame=None), fault
    return watch, ""


def _blame_name(attribute: str) -> str:
    return f"{attribute}-blame"


def _validate(settings: WatchSettings, bad: tuple[BadParameter, ...], instance: Instance) -> Outcome:
    from .findings import tell_findings

    findings = [Finding(ExitCode.CONFIGURED, str(one)) for one in bad]
    if not bad and instance.level >= LOCAL_LEVEL:
        findings += _look_around(settings, instance)
    return tell_findings(findings)


def _look_around(settings: WatchSettings, instance: Instance) -> Iterator[Finding]:
    from ...adapters.process.daemons import is_there

    try:
        service = _find(settings, instance)
    except ConfigError as error:
        yield Finding(ExitCode.INSTALLED, str(error))
        return
    if not is_there(service.settings.process):
        text = f"no process matches {service.settings.process}: start its unit, or say process in [service NAME]"
        yield Finding(ExitCode.SUCCESS, text)


def _reload(bad: tuple[BadParameter, ...], instance: Instance) -> Outcome:
    """Check the parameters. Nothing is stored, because every monitor reads them.

    The result is never an error: Pacemaker would answer a failure with a restart.
    """
    from .findings import tell_findings

    return tell_findings([Finding(ExitCode.SUCCESS, one.tell(instance.name)) for one in bad])


SERVICE = agent.Agent("service", "Watches a service that systemd runs", ACTIONS, _dispatch, "service_description")
