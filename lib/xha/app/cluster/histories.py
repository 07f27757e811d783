"""Gathers the histories of a cluster's members: this host's from its file, the others' from their responders."""

from __future__ import annotations

import errno
import socket
import time
from typing import TYPE_CHECKING

from ...adapters.history.ledger_file import read_ledger_text
from ...adapters.http.ask_many import Missing, Question, ask_many
from ...adapters.network.addresses import read_own_addresses, resolve_hosts
from ...core.cluster.history.ledger_lines import parse_ledger_line
from ...core.cluster.history.outages import HistoryView, judge_history
from ...core.cluster.history.timeline import NodeHistory, parse_ledger, without_own
from ...core.cluster.members import parse_member
from ...core.text.values import ConfigError
from .ask_responder import responder_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ...core.cluster.responder_word import HttpAnswer
    from ...core.config.xha_conf import Config

_PATH = "/history"
_MOST_MEMBERS = 100
_START = "start xha-responder there, or let this host reach its port"
_NAME_THEM = "name in [cluster] members whom it shall ask"
_LOOK = "look at it as root; docs/history.md says what it is"
_MOVE = "move it away: the responder makes a new one"
_REMEDIES = {
    errno.ELOOP: "name the file itself, and no link, in history_file of [responder]",
    errno.EINVAL: _MOVE,
    errno.EISDIR: _MOVE,
    errno.ENOTDIR: "name a path below a directory in history_file of [responder]",
    errno.EFBIG: "restart xha-responder: it sets the file aside, and begins a new one",
    errno.EPERM: f"find out who put it there; {_MOVE}",
    errno.EACCES: "let the account that asks read it, and pass its directory; or ask as root",
}
_OK, _FORBIDDEN, _NOT_FOUND = 200, 403, 404


def gather_history(config: Config, seconds: float, *, now: float | None = None) -> HistoryView:
    """Return how available the cluster and its nodes were in the last `seconds`.

    The members are those of [cluster] in xha.conf, and all that this host's ledger names at any moment of that time. A
    member whose responder tells no history is not known, with the cause.

    :raises ConfigError: where xha.conf names a member that is none.
    """
    until = time.time() if now is None else now
    own = _read_own(config)
    hosts = _hosts(config, own.members_since(until - seconds))
    hosts, left = hosts[:_MOST_MEMBERS], hosts[_MOST_MEMBERS:]
    addresses, here = resolve_hosts(hosts, config.responder.deadline / 4), read_own_addresses()
    others = _once([host for host in hosts if not here.intersection(addresses[host])], addresses)
    port = responder_port(config)
    answers = ask_many([Question(host, port, _PATH) for host in others], config.responder.deadline)
    told = [_parse_answer(question, answer) for question, answer in answers.items()]
    told += [NodeHistory(host, cause=f"only {_MOST_MEMBERS} members are asked", remedy=_NAME_THEM) for host in left]
    return judge_history(without_own(own, told), until - seconds, until)


def _once(hosts: Iterable[str], addresses: Mapping[str, Sequence[str]]) -> list[str]:
    """Return each member once, by the first of its names: the configuration may name what the ledger numbers."""
    seen: set[str] = set()
    kept = []
    for host in hosts:
        if not seen.intersection(addresses[host]):
            kept.append(host)
        seen.update(addresses[host])
    return kept


def _read_own(config: Config) -> NodeHistory:
    name, path = socket.gethostname(), config.responder.history_file
    if path is None:
        return NodeHistory(name, cause="no history is kept here", remedy="name a history_file in [responder]")
    try:
        return parse_ledger(read_ledger_text(path), name)
    except FileNotFoundError:
        cause = f"no responder of this host has written {path}"
        return NodeHistory(name, cause=cause, remedy="start xha-responder (docs/history.md); its log says what fails")
    except OSError as error:
        why = (error.strerror or "unreadable").lower()
        return NodeHistory(name, cause=f"{path}: {why}", remedy=_REMEDIES.get(error.errno or 0, _LOOK))


def _hosts(config: Config, members: Iterable[str]) -> list[str]:
    try:
        configured = [parse_member(text).host for text in config.members]
    except ValueError as error:
        raise ConfigError(f"[cluster] members: {error}") from None
    return list(dict.fromkeys([*configured, *_parse_hosts(members)]))


def _parse_hosts(members: Iterable[str]) -> list[str]:
    found = []
    for text in members:
        try:
            found.append(parse_member(text).host)
        except ValueError:
            continue
    return found


def _parse_answer(question: Question, answer: HttpAnswer | Missing | None) -> NodeHistory:
    name = question.host
    if isinstance(answer, Missing):
        return NodeHistory(name, cause=answer.cause, remedy=_START)
    if answer is not None and answer.status == _OK and _is_ledger(answer.body):
        return parse_ledger(answer.body, name)
    if answer is not None and answer.status == _FORBIDDEN:
        cause = f"the responder on port {question.port} does not tell this host"
        return NodeHistory(name, cause=cause, remedy="add this host to detail_from in its [responder]")
    if answer is not None and answer.status == _NOT_FOUND:
        cause = "its responder knows no /history"
        return NodeHistory(name, cause=cause, remedy="bring its xha up to date")
    cause = f"port {question.port} tells no history"
    return NodeHistory(name, cause=cause, remedy="look at the log of its responder")


def _is_ledger(body: str) -> bool:
    """Whether any line is one of a ledger; an empty one is, too."""
    rows = body.splitlines()
    for row in rows:
        try:
            parse_ledger_line(row)
        except ValueError:
            continue
        return True
    return not rows
