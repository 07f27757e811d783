"""Runs one action of an agent: from the action that Pacemaker names to its exit code and one line with the reason.

Pacemaker shows the first 128 characters of the exit reason in `pcs status`, and logs all of standard error. It shows
that of the first result of a series, and begins a series without a word to the agent, as behind the maintenance mode or
a monitor that timed out: so every result has its reason. A traceback goes to syslog only. Modules are imported only by
the action that needs them: meta-data and monitor run often, and need little. The actions are in galera.py and
service.py.
"""

from __future__ import annotations

import os
import sys

from ...core.ocf.api import RESKEY, Action, ExitCode, Instance, Outcome, parse_instance
from ...core.text.escape import blank
from ...core.text.light_typing import TYPE_CHECKING, NamedTuple
from ..terminal.stderr import complain
from ..terminal.streams import abandon_stdout, mend_streams

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Callable, NoReturn

_NO_ACTION = "the action {!r} is not implemented: this agent is a plain clone; see the usage"


class _Ended(BaseException):
    """SIGTERM. It is not an Exception, so that no handler takes it for a failure of its own."""


class Call(NamedTuple):
    """One call of an action, with what the environment says about it."""

    action: str
    instance: Instance
    environment: Mapping[str, str]


class Agent(NamedTuple):
    """What distinguishes one agent.

    name: what follows ocf:xha:. purpose: a sentence for the usage.
    dispatch: runs an action that is neither meta-data nor usage.
    description: the module of core/ocf/ with the agent's DESCRIPTION.
    residents: what the agent's processes launch with this program again, as module (below xha) and function.
    """

    name: str
    purpose: str
    actions: tuple[Action, ...]
    dispatch: Callable[[Call], Outcome]
    description: str
    residents: Mapping[str, tuple[str, str]] = {}


def run(agent: Agent, argv: list[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the action in the first argument, write the exit reason to standard error, and return OCF's exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    action = arguments[0] if arguments else ""
    mend_streams()
    if action == "meta-data":
        return _tell_metadata(agent)
    if action in ("usage", "help", "--help", "-h"):
        _write(_usage(agent))
        return ExitCode.SUCCESS
    if action not in {*agent.residents, *(one.name for one in agent.actions)}:
        complain(_usage(agent))
        return _tell(Outcome(ExitCode.UNIMPLEMENTED, _NO_ACTION.format(action[:40])))
    environment = os.environ if environ is None else environ
    if action in agent.residents:
        return _reside(agent, action, environment)
    return _tell(_act(agent, action, environment), environment)


def _act(agent: Agent, action: str, environment: Mapping[str, str]) -> Outcome:
    import signal

    before = signal.signal(signal.SIGTERM, _end)
    try:
        try:
            call = Call(action, parse_instance(environment, action, agent.actions), environment)
        except ValueError as error:
            return Outcome(ExitCode.GENERIC, str(error))
        return agent.dispatch(call)
    except (_Ended, KeyboardInterrupt):
        return Outcome(
            ExitCode.GENERIC, f"{action} was ended by a signal before it was done: see the log, then its timeout"
        )
    except Exception as error:  # users of Pacemaker get a sentence, never a traceback
        if not call.instance.interval or _is_news(agent, action, error, environment):
            _log_traceback(agent, environment)
        return _unexpected(agent, action, error, environment)
    finally:
        signal.signal(signal.SIGTERM, before)


def _reside(agent: Agent, action: str, environment: Mapping[str, str]) -> int:
    from importlib import import_module

    module, function = agent.residents[action]
    try:
        reside: Callable[[Instance], int] = getattr(import_module(f"xha.{module}"), function)
        return reside(parse_instance(environment, action))
    except Exception as error:  # no process waits for it, and its standard error is /dev/null
        if _is_news(agent, action, error, environment):
            _log_traceback(agent, environment)
        return ExitCode.GENERIC


def _is_news(agent: Agent, action: str, error: Exception, environment: Mapping[str, str]) -> bool:
    """Return whether what runs again and again has not failed so already."""
    from ...adapters.pacemaker.tracebacks import is_news

    try:
        name = parse_instance(environment, "").name
    except ValueError:
        return True
    return is_news(agent.name, name, _hide(f"{action}: {type(error).__name__}: {error}", environment))


def _end(number: int, frame: object) -> NoReturn:
    raise _Ended


def _unexpected(agent: Agent, action: str, error: Exception, environment: Mapping[str, str]) -> Outcome:
    reason = f"{action}: {_hide(f'{type(error).__name__}: {error}', environment)}"
    if isinstance(error, PermissionError) and action == "start":
        return Outcome(ExitCode.PERM, f"{reason}; correct the permissions, then pcs resource cleanup")
    # A failed check does not prove a failed database: exit code 1 would stop a server that may well be in service. The
    # keeper keeps watching.
    if action == "monitor" and environment.get(f"{RESKEY}CRM_meta_interval", "0") not in ("", "0"):
        return Outcome(ExitCode.DEGRADED, f"{reason}; the server was not looked at: see the log of xha-{agent.name}")
    return Outcome(ExitCode.GENERIC, f"{reason}; see the log of xha-{agent.name}, then pcs resource cleanup")


def _hide(text: str, environment: Mapping[str, str]) -> str:
    """Return the text without the passwords of the environment, in case an error message quotes one."""
    from ...core.ocf.galera_settings import SECRETS

    for name in SECRETS:
        secret = environment.get(RESKEY + name, "")
        for shown in {secret, repr(secret)[1:-1]} - {""}:
            text = text.replace(shown, "***")
    return text


def _log_traceback(agent: Agent, environment: Mapping[str, str]) -> None:
    import syslog
    import traceback

    name = environment.get("OCF_RESOURCE_INSTANCE", "default")
    facility = environment.get("HA_LOGFACILITY", "daemon").upper()
    syslog.openlog(f"xha-{agent.name}({name})", syslog.LOG_PID, getattr(syslog, f"LOG_{facility}", syslog.LOG_DAEMON))
    for line in _hide(traceback.format_exc(), environment).splitlines():
        syslog.syslog(syslog.LOG_ERR, line.replace("\0", " "))


def _tell(outcome: Outcome, environment: Mapping[str, str] | None = None) -> int:
    if outcome.reason and outcome.code is not ExitCode.SUCCESS:
        prefix = (environment or {}).get("OCF_EXIT_REASON_PREFIX") or "ocf-exit-reason:"
        # One line: the executor takes the text behind the last prefix, up to the end of the line. The text may contain
        # words of other accounts, and it is shown on terminals.
        said = blank(outcome.reason.replace(prefix, " "))
        complain(f"{prefix}{' '.join(said.split())}\n")
    return int(outcome.code)


def _tell_metadata(agent: Agent) -> int:
    from importlib import import_module

    from ... import __version__
    from ...core.ocf.metadata import render_metadata

    _write(render_metadata(__version__, import_module(f"xha.core.ocf.{agent.description}").DESCRIPTION))
    return ExitCode.SUCCESS


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:  # the reader has gone
        abandon_stdout()


def _usage(agent: Agent) -> str:
    names = "|".join(dict.fromkeys(one.name for one in agent.actions))
    return (
        f"usage: {agent.name} ({names})\n\n{agent.purpose} as ocf:xha:{agent.name}; see man 7 ocf_xha_{agent.name}.\n"
    )
