"""Parsers for the values of the resource's parameters. Each raises ValueError that says what is wrong."""

from __future__ import annotations

import re

from ..text.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..galera.cluster_address import Peer


def parse_text(text: str) -> str:
    """Return the text unchanged."""
    return text


def parse_name(text: str) -> str:
    """Return the name of a user or group. :raises ValueError: naming the text."""
    if not re.fullmatch(r"[^\s:/]{1,64}", text):
        raise ValueError(f"{text!r} is not the name of an account")
    return text


def parse_path(text: str) -> str:
    """Return an absolute path. :raises ValueError: naming the text."""
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is not an absolute path")
    return text


def parse_program(text: str) -> str:
    """Return an absolute path, or a name for PATH to find. :raises ValueError: naming the text."""
    if "/" in text and not text.startswith("/"):
        raise ValueError(f"{text!r} is neither an absolute path nor a program's name")
    return text


def parse_switch(text: str) -> bool:
    """Return the value that ocf_is_true gives to the text. :raises ValueError: for a text that it does not know."""
    word = text.lower()
    if word in ("1", "yes", "true", "on", "ja"):
        return True
    if word in ("0", "no", "false", "off", "nein"):
        return False
    raise ValueError(f"{text!r} is neither 1 nor 0")


def parse_seconds(text: str) -> float:
    """Return seconds. :raises ValueError: naming the text and the possible units."""
    from ..text.durations import parse_duration

    # Users of OCF write plain numbers, and mean seconds.
    return parse_duration(f"{text}s" if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII) else text)


def parse_positive(text: str) -> float:
    """Return seconds, more than 0. :raises ValueError: naming the text."""
    seconds = parse_seconds(text)
    if seconds <= 0:
        raise ValueError(f"{text!r} must be more than 0")
    return seconds


def parse_stall(text: str) -> float:
    """Return seconds: 0, or at least 5, which it takes to call a node stalling. :raises ValueError: naming the text."""
    seconds = parse_seconds(text)
    if 0 < seconds < 5:
        raise ValueError(f"{text!r} must be 0, or at least 5s: a node stalls only then")
    return seconds


def parse_cluster_address(text: str) -> str:
    """Return the list as the server is to get it: rendered, because Galera drops hosts that it cannot read.

    :raises ValueError: for a text that core/galera/cluster_address.py refuses.
    """
    from ..galera.cluster_address import parse_cluster_address, render_cluster_address

    return render_cluster_address(parse_cluster_address(text))


def parse_host_map(text: str) -> dict[str, str]:
    """Return {Pacemaker's node: host} of node1:host1;node2:host2. :raises ValueError: naming the entry."""
    from ..galera.cluster_address import parse_host_map

    return parse_host_map(text)


def parse_peers(text: str) -> tuple[Peer, ...]:
    """Return a list of hosts separated by commas. :raises ValueError: naming the host."""
    from ..galera.cluster_address import parse_peers

    return parse_peers(text)


_WORD = r"""(?:[^\s"']|"[^"]*"|'[^']*')+"""
_QUOTED = r""""([^"]*)"|'([^']*)'"""

# Options that the agent sets itself. Set a second time, they would start another server than the one that was judged,
# and some would begin a second cluster.
_OWN_OPTIONS = {
    "wsrep-new-cluster": "the election begins a cluster, and nothing else may",
    "wsrep-cluster-address": "use the parameter wsrep_cluster_address",
    "wsrep-start-position": "the agent passes the recovered position",
    "wsrep-recover": "the agent recovers the position itself",
    "wsrep-status-file": "the agent has it written to its own directory",
    "tc-heuristic-recover": "run it by hand, once",
    "datadir": "use the parameter datadir",
    "socket": "use the parameter socket",
    "pid-file": "use the parameter pid",
    "log-error": "use the parameter log",
    "user": "use the parameter user",
    "defaults-file": "use the parameter config",
    "defaults-extra-file": "use the parameter config",
    "no-defaults": "use the parameter config",
}
_SUFFIX = "--defaults-group-suffix"
_SHORT = {"-h": "datadir", "-u": "user"}


def _unquote(quoted: re.Match[str]) -> str:
    return quoted[1] or quoted[2] or ""


def parse_options(text: str) -> tuple[str, ...]:
    """Return the words of the server's command line. Quotes hold a word together, as in a shell.

    :raises ValueError: for an open quote, and for an option that the agent sets itself. It names the option, never its
    value.
    """
    if re.sub(r"\s+", "", "".join(re.findall(_WORD, text))) != re.sub(r"\s+", "", text):
        raise ValueError("a quote is not closed")
    words = tuple(re.sub(_QUOTED, _unquote, word) for word in re.findall(_WORD, text))
    if _SUFFIX in words:
        raise ValueError(f"{_SUFFIX} has no value: write {_SUFFIX}=SUFFIX, in one word")
    for word in words:
        name = word.partition("=")[0]
        long = name.lstrip("-").replace("_", "-").lower()
        long = long[6:] if long.startswith("loose-") else long
        # The server accepts any unambiguous beginning of an option's name.
        own = next((own for own in _OWN_OPTIONS if len(long) > 3 and own.startswith(long)), None)
        own = own if name.startswith("--") else _SHORT.get(name[:2])
        if own:
            raise ValueError(f"{name[:40]} is not for here: {_OWN_OPTIONS[own]}")
    return words
