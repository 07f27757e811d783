"""ocf_xha_galera(7) as roff (man macros, groff_man(7)), from the tables that the meta-data come from."""

from __future__ import annotations

from .metadata import LONG, SHORT
from .ocf import ACTIONS, AGENT, Action
from .parameter_table import PARAMETERS, Parameter

_EXIT_CODES = (
    (0, "the action succeeded; of monitor: part of the Primary component, and ready"),
    (190, "monitor: runs, joins or waits, and is not in full service; no failure"),
    (7, "monitor: certainly stopped"),
    (1, "a failure that a new start may mend; stop: a process is left"),
    (3, "the action is not implemented (promote, demote, notify, migrate)"),
    (4, "permissions on this host"),
    (5, "this host lacks something, or a parameter cannot be used; the third like failure within ten minutes"),
    (6, "validate-all alone: a parameter cannot be used"),
)
_EXAMPLE = (
    "pcs resource create p_mysql ocf:xha:galera \\",
    "    wsrep_cluster_address=gcomm://10.0.0.1,10.0.0.2,10.0.0.3 \\",
    "    clone interleave=true",
)
_FILES = (
    ("/run/xha/galera/RESOURCE/", "what the agent's processes tell each other; settings.json is for root alone"),
    ("DATADIR/xha-node.json", "what the node knows of its own history; it belongs to the data"),
    ("/etc/sysconfig/clustercheck, /etc/default/clustercheck", "the account, where no parameter names one"),
)
_SEE_ALSO = "pcs(8), crm_resource(8), mariadbd(8), garbd(8)"


def render_manpage(version: str) -> str:
    """Return the man page as roff. version is the agent's own."""
    lines = [
        '.\\" Made of lib/xha/core/parameter_table.py; do not edit.',
        f'.TH OCF_XHA_GALERA 7 "" "xha {_escape(version)}" "OCF resource agents"',
        ".nh",  # a name that is broken at a hyphen cannot be searched for, or copied
        ".ad l",
        ".SH NAME",
        f"ocf_xha_galera \\- {_escape(SHORT)}",
        ".SH SYNOPSIS",
        f".B {_escape(AGENT)}",
        ".RI [ parameter = value \\&...]",
        ".SH DESCRIPTION",
    ]
    for paragraph in LONG:
        lines += [".PP", _text(paragraph)]
    lines += [".SH PARAMETERS", _text("Durations are a number of seconds, or as 100ms, 10s, 5m, 2h.")]
    lines += [line for one in PARAMETERS for line in _parameter(one)]
    lines += [".SH ACTIONS", _text("pcs copies these time-outs and intervals into the configuration.")]
    lines += [line for one in ACTIONS for line in _action(one)]
    lines += [".SH EXIT STATUS"]
    for code, meaning in _EXIT_CODES:
        lines += [".TP", f".B {code}", _text(meaning)]
    lines += [".SH FILES"]
    for path, meaning in _FILES:
        lines += [".TP", f".I {_escape(path)}", _text(meaning)]
    lines += [".SH EXAMPLES", ".nf", *(_text(line) for line in _EXAMPLE), ".fi"]
    lines += [".SH SEE ALSO", _text(_SEE_ALSO)]
    return "\n".join(lines) + "\n"


def _parameter(one: Parameter) -> list[str]:
    about = [f"default {one.default}" if one.default else "", "" if one.reloadable else "a change restarts the server"]
    if one.retired:
        about = ["no effect"]
    said = "; ".join(filter(None, about))
    return [".TP", f".B {_escape(one.name)}", _text(f"{one.long} ({said})" if said else one.long)]


def _action(one: Action) -> list[str]:
    interval = "" if one.interval is None else f", interval {one.interval} s"
    depth = "" if one.depth is None else f", depth {one.depth}"
    return [".TP", f".B {_escape(one.name)}", _text(f"timeout {one.timeout} s{interval}{depth}")]


def _text(text: str) -> str:
    escaped = _escape(text)
    # At the beginning of a line these two would be a request.
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped


def _escape(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
