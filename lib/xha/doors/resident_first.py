"""The entry points that a resident process may answer: asked first, before anything that costs time is imported.

Without an answer they are what they were. This module imports modules of the interpreter alone; tests/shell/
test_resident.py holds it to that.
"""

from __future__ import annotations

import _socket
import posix
import sys

import xha

from ..adapters.network.resident_client import KEEPERS, RESPONDERS, ask, describe, is_socket, sign, to_bytes, to_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_CONFIGURATION = ("/etc/xha/xha.conf", "/etc/xha/client.cnf", "/etc/xha/disabled", "/run/xha/drain")
_OPTION_FILES = ("/etc/my.cnf", "/etc/mysql/my.cnf", "/etc/sysconfig/clustercheck", "/etc/default/clustercheck")
_LEGACY = "/var/tmp/clustercheck.disabled"  # noqa: S108 - looked at, never opened
# The beginnings of all variables that clustercheck reads (doors/clustercheck.py, adapters/mysql/option_files.py).
VARIABLES = (b"MYSQL_", b"MARIADB_", b"AVAILABLE_WHEN_", b"ERR_FILE", b"DEFAULTS_EXTRA_FILE", b"HOME")
_HOMES = ((b"HOME", "/.my.cnf"), (b"MYSQL_HOME", "/my.cnf"), (b"MARIADB_HOME", "/my.cnf"))
# A proxy sends its request with the connection. Who takes longer is answered by a process that has the time.
_REQUEST_SECONDS = 0.05


def clustercheck(argv: list[str]) -> int:
    """Answer as doors/clustercheck.py does; return the exit code."""
    answer = None if _has_closed_stream() or argv[:1] in (["-h"], ["--help"]) else _ask_for_clustercheck()
    if answer is None:
        from .clustercheck import main

        return main(argv)
    code, data = answer
    try:
        client = _client()
        if client is None:
            while data:
                data = data[posix.write(1, data) :]
        else:
            from ..adapters.http.last_words import answer_anything

            answer_anything(client, data)
    except OSError:  # who asked may have gone, or a disk is full: no failure of this program
        pass
    _leave(code)


def responder(argv: list[str]) -> int:
    """Answer the one request of a connection at descriptor 0 (`wait = no`), or else be doors/responder.py."""
    if not argv and not _has_closed_stream() and b"LISTEN_PID" not in posix.environ and _answer_client():
        _leave(0)
    from .responder import main

    return main(argv)


def galera(argv: list[str]) -> int:
    """Do an action of ocf:xha:galera: a monitor asks the keeper whether all is well."""
    if argv == ["monitor"] and not _has_closed_stream() and _is_well():
        return 0
    from .ocf.galera import main

    return main(argv)


def _ask_for_clustercheck() -> tuple[int, bytes] | None:
    environment = [b"%b=%b" % one for one in posix.environ.items() if one[0].startswith(VARIABLES)]
    arguments = [to_bytes(word) for word in sys.argv[1:]]
    # What only one of the two may see: home directories, and /var/tmp.
    homes = [to_text(posix.environ[name]) + file for name, file in _HOMES if posix.environ.get(name)]
    if any(_exists(path) for path in (*homes, _LEGACY)):
        return None
    files = [sign(path) for path in (*_CONFIGURATION, *_OPTION_FILES)]
    words = [b"%d" % len(files), *files, b"%d" % len(arguments), *arguments, *environment]
    return _ask(RESPONDERS, b"clustercheck", *words)


def _answer_client() -> bool:
    """Return whether a client was answered. Where not, nothing of its request has been taken."""
    from ..adapters.http.last_words import finish, has_ended
    from ..core.http.limits import MAX_REQUEST

    try:
        client = _client()
        if client is None or client.getsockopt(_socket.SOL_SOCKET, _socket.SO_ACCEPTCONN):
            return False
        host = client.getpeername()[0]
        client.settimeout(_REQUEST_SECONDS)
        request = client.recv(MAX_REQUEST, _socket.MSG_PEEK)
    except OSError:
        return False
    if not has_ended(request):
        return False
    answer = _ask(RESPONDERS, b"http", host.encode(), request, *map(sign, _CONFIGURATION))
    if answer is None:
        return False
    try:
        client.recv(len(request))
        finish(client, answer[1])
    except OSError:  # the client has gone
        pass
    return True


def _is_well() -> bool:
    environment = posix.environ
    name = to_text(environment.get(b"OCF_RESOURCE_INSTANCE", b"")).partition(":")[0]
    repeated = environment.get(b"OCF_RESKEY_CRM_meta_interval", b"0") not in (b"", b"0")
    if not repeated or environment.get(b"OCF_CHECK_LEVEL", b"0") not in (b"", b"0") or posix.geteuid() != 0:
        return False
    if not name or "/" in name or name[0] == ".":
        return False
    said = [b"%b=%b" % one for one in environment.items() if one[0].startswith(b"OCF_")]
    return _ask(f"{KEEPERS}/{name}", b"monitor", *said) == (0, b"")


def _ask(directory: str, *words: bytes) -> tuple[int, bytes] | None:
    try:
        own = describe(xha.__version__, xha.__file__)
    except OSError:
        return None
    return ask(directory, own, list(words))


def _client() -> _socket.socket | None:
    """Return the client's connection if xinetd or systemd left one at descriptor 0. :raises OSError: as dup(2)."""
    if not is_socket(posix.fstat(0)):
        return None
    client = _socket.socket(fileno=posix.dup(0))
    return client if client.family in (_socket.AF_INET, _socket.AF_INET6) else None


def _has_closed_stream() -> bool:
    return None in (sys.stdin, sys.stdout, sys.stderr)


def _exists(path: str) -> bool:
    """Return whether something is there; True, too, where that cannot be told: then this program looks itself."""
    try:
        posix.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _leave(code: int) -> NoReturn:
    """End at once: all is written, and closing the interpreter costs a tenth of its time."""
    posix._exit(code)
