"""The check of memcached: its process; `version`; a key that is set, read back and deleted, and its saturation."""

from __future__ import annotations

import os
import socket
import ssl
from typing import TYPE_CHECKING

from ...adapters.files.secrets import read_secret
from ...adapters.memcached.conversation import BinaryTalk, TextTalk, Unending, connect
from ...adapters.network.client_tls import TlsFiles, client_context, speaks_tls, unmet_by
from ...adapters.network.whereabouts import judge_unreachable
from ...adapters.process.alarm import begin_step, current_step, note_proof
from ...adapters.process.daemons import check_process
from ...core.services.daemons.memcached import NO_MEMCACHED, judge_answer, judge_stats, needs_account, parse_stats
from ...core.services.daemons.memcached_binary import BinaryStatus
from ...core.services.model.reach import Attempt, Unmet, place_text
from ...core.services.model.result import Level, failed, passed, unknown
from ...core.text.values import ConfigError

if TYPE_CHECKING:
    from ...core.services.daemons.memcached import MemcachedSettings
    from ...core.services.model.result import Result

_TLS_SECONDS = 0.2  # of the deadline, to see whether a port that closes a connection wants TLS


def check(settings: MemcachedSettings, level: Level) -> Result:
    """Check memcached at one level, and return the result."""
    if level is Level.PROCESS:
        return check_process(settings, level)
    begin_step("a connection")
    try:
        return _check_answers(settings, level)
    except Unmet as unmet:
        return unknown(settings.name, level, f"needs {unmet}", proved=current_step().proved)
    except ConfigError as error:
        return unknown(settings.name, level, f"needs its password: {error}", proved=current_step().proved)
    except Unending as error:
        return failed(settings.name, level, str(error), proved=current_step().proved)
    except PermissionError:
        return unknown(settings.name, level, f"needs permission for {place_text(settings.place)}")
    except socket.gaierror as error:
        said = f"needs a host name that is known: {place_text(settings.place)}: {error.strerror}"
        return unknown(settings.name, level, said, proved=current_step().proved)
    except OSError as error:
        unmet_setting = unmet_by(error)
        if unmet_setting:
            return unknown(settings.name, level, f"needs {unmet_setting}: {place_text(settings.place)}")
        said = f"{place_text(settings.place)}: {(error.strerror or 'no answer in time').lower()}"
        if current_step().proved:
            return failed(settings.name, level, said, proved=current_step().proved)
        return _look_elsewhere(settings, level, said)


def _look_elsewhere(settings: MemcachedSettings, level: Level, said: str) -> Result:
    """Return the result if nobody answers where the section says, or something else does."""
    key = "socket, or host and port" if settings.socket else "host and port, or socket"
    return judge_unreachable(settings, level, Attempt(settings.place, said, key))


def _check_answers(settings: MemcachedSettings, level: Level) -> Result:
    context = None
    if settings.tls:
        context = client_context(TlsFiles(settings.ca_file, settings.cert_file, settings.key_file))
    password = read_secret(settings.password) if settings.password else ""
    with _connect(settings, context) as connection:
        talk = TextTalk(connection)
        answer = ""
        try:
            if settings.username:
                refusal = _log_in(settings, level, talk, password)
                if refusal:
                    return refusal
            answer = talk.ask_version()
        except ConnectionError:
            answer = ""
        if answer:
            return _use(settings, level, talk, answer)
    # It closes what begins with text: a memcached with SASL, or one with TLS, or none.
    with _connect(settings, context) as connection:
        binary = BinaryTalk(connection)
        version = binary.ask_version()
        if version:
            return _use_binary(settings, level, binary, version, password)
    if not settings.tls and isinstance(settings.place, tuple):
        begin_step("an answer to TLS")
        if speaks_tls(settings.host, settings.port, _TLS_SECONDS * settings.deadline):
            raise Unmet(f"tls = 1: {place_text(settings.place)} speaks TLS")
    return judge_answer(settings, level, "version", "")


def _connect(settings: MemcachedSettings, context: ssl.SSLContext | None) -> socket.socket:
    return connect(settings.place, settings.deadline, context)


def _log_in(settings: MemcachedSettings, level: Level, talk: TextTalk, password: str) -> Result | None:
    """Log in to a memcached with -Y, to which a login is a `set`. Another one stores it: that is deleted at once."""
    account = f"{settings.username} {password}"
    answer = talk.ask("a login", f"set xha:login 0 1 {len(account.encode())}\r\n{account}\r\n")
    if answer == "STORED\r\n":
        talk.ask("delete", "delete xha:login\r\n")
        return None
    return judge_answer(settings, level, "a login", answer) if answer else None


def _use(settings: MemcachedSettings, level: Level, talk: TextTalk, answer: str) -> Result:
    if not answer.startswith("VERSION "):
        result = judge_answer(settings, level, "version", answer)
        return _look_elsewhere(settings, level, result.message) if result.message.endswith(NO_MEMCACHED) else result
    if not answer.endswith("\r\n"):
        return unknown(settings.name, level, "needs the whole answer to version: it broke off")
    proved = f"memcached {answer[8:].strip()[:20]} answers"
    note_proof(proved)
    if level is Level.PROTOCOL:
        return passed(settings.name, level, proved)
    # No other client uses this key, and it expires by itself if its deletion fails.
    key, value = f"xha:probe:{os.urandom(8).hex()}", os.urandom(8).hex()
    for asked, line, right in (
        ("set", f"set {key} 0 10 {len(value)}\r\n{value}\r\n", "STORED\r\n"),
        ("get", f"get {key}\r\n", f"VALUE {key} 0 {len(value)}\r\n{value}\r\nEND\r\n"),
        ("delete", f"delete {key}\r\n", "DELETED\r\n"),
    ):
        answer = talk.ask(asked, line)
        if answer == "END\r\n":
            return failed(settings.name, level, "a key that was set is not there when it is read", proved=proved)
        if answer != right:
            return judge_answer(settings, level, asked, answer, proved)
    # Older versions give maxconns only in `stats settings`.
    more = talk.ask("stats settings", "stats settings\r\n").replace("STAT maxconns ", "STAT max_connections ")
    stats = parse_stats(talk.ask("stats", "stats\r\n") + more)
    return judge_stats(settings, stats, "a key was set, read back and deleted")


def _use_binary(settings: MemcachedSettings, level: Level, talk: BinaryTalk, version: str, password: str) -> Result:
    proved = f"memcached {version[:20]} answers"
    note_proof(proved)
    if settings.username and talk.log_in(settings.username, password) is not BinaryStatus.OK:
        return needs_account(settings, level, refused=True, proved=proved)
    if level is Level.PROTOCOL:
        return passed(settings.name, level, proved)
    if not settings.username:
        return needs_account(settings, level, proved=proved)
    key, value = f"xha:probe:{os.urandom(8).hex()}".encode(), os.urandom(8).hex().encode()
    fault = talk.prove_round_trip(key, value)
    if fault:
        return failed(settings.name, level, fault, proved=proved)
    return judge_stats(settings, parse_stats(talk.read_stats()), "a key was set, read back and deleted")
