"""xha-responder: answers HAProxy's probes on port 49000.

It uses the socket that its starter left: systemd at descriptor 3, xinetd at descriptor 0 (with `wait = yes` a listening
socket, with `wait = no` a connected one). Without such a socket it opens those of --listen or of xha.conf.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from typing import TYPE_CHECKING

from ..adapters.host.log import Log
from ..adapters.process.descriptors import inherited_socket, point_at_null
from ..app.node.reader import ConfigFile, Reader
from .terminal.streams import mend_streams

if TYPE_CHECKING:
    from ..app.responder.asked import ProgramAnswers
    from ..core.config.xha_conf import Config
    from ..core.http.message import Request
    from .check.options import Options

NAME = "xha-responder"


def main(argv: list[str] | None = None) -> int:
    """Run the responder; return the exit code."""
    mend_streams()
    arguments = sys.argv[1:] if argv is None else argv
    options = None
    if arguments:  # xinetd and systemd pass none, and argparse costs a forked process 6 ms
        from .check.options import parse_responder_options

        options = parse_responder_options(arguments)
    file = ConfigFile(options.config if options else None, options.apply if options else _unchanged)
    inherited = _inherited_sockets()
    if len(inherited) == 1 and not _is_listening(inherited[0]):
        return _answer_one(inherited[0], file)
    return _serve(inherited, file, options)


def _unchanged(config: Config) -> Config:
    return config


def _inherited_sockets() -> list[socket.socket]:
    from ..adapters.host import sd_notify as systemd

    from_systemd = [listener for listener in systemd.take_listeners() if _speaks_tcp(listener)]
    if from_systemd:
        return from_systemd
    sock = inherited_socket()
    if sock is None:
        return []
    if _speaks_tcp(sock):
        return [sock]
    sock.close()
    return []


def _speaks_tcp(sock: socket.socket) -> bool:
    return sock.family in (socket.AF_INET, socket.AF_INET6) and sock.type == socket.SOCK_STREAM


def _is_listening(sock: socket.socket) -> bool:
    return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _answer_one(sock: socket.socket, file: ConfigFile) -> int:
    """Answer the one connection that xinetd accepted for us (`wait = no`)."""
    from ..adapters.http.one_connection import serve_one
    from ..app.responder.responses import reply_once
    from ..core.http.message import render_fault

    point_at_null(0, 1, 2)  # a line on stderr would reach HAProxy
    answer = reply_once(Reader(file), file)

    def answer_always(request: Request, host: str, now: float) -> bytes:
        try:
            return answer(request, host, now)
        except Exception as error:
            from ..adapters.host.faults import Faults

            Faults(Log(NAME, use_syslog=True)).note(f"answering {host}", error)
            return render_fault(head=request.method == "HEAD")

    # A client that goes away is not logged.
    with contextlib.suppress(OSError):
        serve_one(sock, answer_always, lambda: _answer_silent(file))
    sock.close()
    return 0


def _answer_silent(file: ConfigFile) -> float | None:
    from ..core.text.values import ConfigError

    try:
        return file.refresh().responder.answer_silent
    except ConfigError:  # the request, if one comes, is told
        return None


def _serve(inherited: list[socket.socket], file: ConfigFile, options: Options | None) -> int:
    import signal

    from ..adapters.host import sd_notify as systemd
    from ..adapters.http.server import Server
    from ..adapters.network.epoll import Lost
    from ..app.responder.application import ResponderApplication

    under_xinetd = bool(inherited) and "LISTEN_PID" not in os.environ
    if under_xinetd:
        point_at_null(0, 1, 2)
    log = Log(NAME, use_syslog=under_xinetd)
    listeners = inherited or _open_listeners(file, options, log)
    if not listeners:
        return 2
    _raise_descriptor_limit()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # xha.conf is read again whenever it changes
    application = ResponderApplication(file, log, leave=(lambda: sys.exit(0)) if under_xinetd else None)
    server = Server(listeners, application)
    application.attach(server, None if options else _listen_for_programs(file, log))
    log.info("listening on " + ", ".join(_name(listener) for listener in listeners))
    systemd.notify("READY=1")
    try:
        server.run()
    except Lost as error:
        log.warning(f"{error}: this ends, to be started again with new sockets")
    return 1


def _listen_for_programs(file: ConfigFile, log: Log) -> ProgramAnswers | None:
    """Let programs of this account ask. With options of its own, as in a test, this process answers none of them."""
    import xha

    from ..adapters.network.resident_client import RESPONDERS, describe
    from ..adapters.network.resident_listener import ResidentListener
    from ..app.responder.asked import ProgramAnswers
    from .clustercheck import read_settings

    try:
        listener = ResidentListener(RESPONDERS, describe(xha.__version__, xha.__file__))
        return ProgramAnswers(listener, file.copy(), read_settings)
    except OSError as error:
        log.info(
            f"{RESPONDERS}: {(error.strerror or str(error)).lower()}: clustercheck and `wait = no` look themselves"
        )
        return None


def _open_listeners(file: ConfigFile, options: Options | None, log: Log) -> list[socket.socket]:
    from ..core.text.values import ConfigError

    addresses = options.listen if options else ()
    if not addresses:
        try:
            addresses = file.refresh().responder.listen
        except ConfigError as error:
            log.warning(f"{error}")
    if not addresses:
        log.warning("no socket to serve: say --listen ADDRESS:PORT, or let systemd or xinetd start it")
    listeners = []
    for host, port in addresses:
        try:
            # Linux lets [::] serve IPv4 too, unless somebody serves that already.
            listeners.append(_listen(host, port, dual_stack=("0.0.0.0", port) not in addresses))  # noqa: S104
        except (OSError, UnicodeError) as error:  # UnicodeError: no host name at all, as a..b
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            log.warning(f"listening on {host} port {port}: {reason.lower()}")
            return []
    return listeners


def _listen(host: str, port: int, dual_stack: bool) -> socket.socket:
    # Of a text, the codec for international names is imported.
    named = host.encode() if host.isascii() else host
    family, kind, protocol, _, address = socket.getaddrinfo(
        named, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6 and host == "::":
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual_stack)
    listener.bind(address)
    listener.listen()  # here, because bind alone does not find out that a port is taken
    return listener


def _raise_descriptor_limit() -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _name(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
