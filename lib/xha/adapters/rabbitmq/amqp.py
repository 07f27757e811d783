"""One AMQP 0-9-1 connection to a RabbitMQ broker, and what is proved with it (pika).

pika has no time-out for a call on an open connection. On a healthy broker with a frozen peer such a call hangs as long
as the peer is frozen (measured); the timer of the check's process (process/alarm.py) ends it. The connect itself and a
blocked publish do have time-outs here. pika does not limit bytes either: it would collect a frame of 4 GiB, and a
larger message.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import ssl
from typing import TYPE_CHECKING, NamedTuple

import pika
import pika.exceptions
import pika.frame
import pika.spec
from pika.adapters.utils.connection_workflow import AMQPConnectorException, AMQPConnectorStackTimeout

from ...core.services.model.reach import Unmet
from ...core.services.model.result import SELF
from ...core.services.rabbitmq.login import AmqpError, AmqpFault
from ..network.addresses import require_address
from ..network.causes import causes
from ..network.client_tls import TlsFiles, client_context, speaks_tls, unmet_by, unmet_without_words
from ..process.alarm import begin_step, finish_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pika.adapters.blocking_connection import BlockingChannel

    from ...core.services.rabbitmq.login import Login

    Channel = BlockingChannel

_ERRORS = (pika.exceptions.AMQPError, AMQPConnectorException, OSError)
# pika logs every failed connection to stderr; the caller gets an AmqpError instead.
logging.getLogger("pika").setLevel(logging.CRITICAL + 1)

_HEADER = b"AMQP\x00\x00\x09\x01"
_LARGEST_START = 65536
# AMQP 0-9-1, 4.2.3: a method frame, or the header of the protocol that the broker wants. An alert of TLS begins with
# 21, and read as a frame it is one that never ends.
_BEGINNINGS = b"\x01A"
# The most that a broker sends in one check: its greeting has 0.5 KiB, everything else is smaller.
_MAX_BYTES = 1 << 18
_CODES = {
    403: AmqpFault.PERMISSION,
    404: AmqpFault.NO_EXCHANGE,
    530: AmqpFault.VHOST,
    541: AmqpFault.VHOST_DOWN,
}


# The part of the time of a login, to see why a connection in TLS was closed.
_TLS_SHARE = 0.3


class _TooMuch(Exception):
    """A broker sends more than any check asks for."""


class _Measured(pika.SelectConnection):
    """pika's connection, which ends if more bytes arrive than any check asks for."""

    _received = 0

    def _on_data_available(self, data_in: bytes) -> None:
        self._received += len(data_in)
        if self._received > _MAX_BYTES:
            raise _TooMuch(_MAX_BYTES)  # pika closes the connection, and reports it as lost
        super()._on_data_available(data_in)  # type: ignore[misc]


class Greeting(NamedTuple):
    """What a broker says of itself before a login."""

    product: str
    version: str
    cluster: str


def read_greeting(login: Login, seconds: float) -> Greeting:
    """Ask a broker for its identity, without an account (connection.start).

    :raises AmqpError: if it does not answer with it.
    """
    begin_step(f"the greeting of {login}")
    try:
        return finish_within(seconds, lambda: _ask_greeting(login, seconds))
    except AmqpError as error:
        raise _look_for_tls(login, seconds, error) from None
    except OSError as error:
        raise _look_for_tls(login, seconds, _socket_error(login, error)) from None


def _ask_greeting(login: Login, seconds: float) -> Greeting:
    context = _context(login)
    address = require_address(login.host, seconds)
    with socket.create_connection((address, login.port), timeout=seconds) as plain:
        connection = context.wrap_socket(plain, server_hostname=login.host) if context else plain
        connection.sendall(_HEADER)
        return _read_start(connection, login)


def _context(login: Login) -> ssl.SSLContext | None:
    """Return the context of a login; None without TLS. :raises AmqpError: if one of its files cannot be used."""
    if not login.tls:
        return None
    try:
        return client_context(TlsFiles(login.ca_file, login.cert_file, login.key_file))
    except Unmet as unmet:
        raise AmqpError(login, AmqpFault.TLS, unmet=str(unmet)) from None


def _look_for_tls(login: Login, seconds: float, error: AmqpError) -> AmqpError:
    """Return the error of a connection that is closed at once, or that the port wants TLS, or a certificate."""
    if error.unmet or error.fault not in (AmqpFault.CLOSED, AmqpFault.NOT_AMQP, AmqpFault.ACCOUNT):
        return error
    if login.tls:
        files = TlsFiles(login.ca_file, login.cert_file, login.key_file)
        unmet = "" if login.cert_file else unmet_without_words(login.host, login.port, files, seconds * _TLS_SHARE)
        return AmqpError(login, AmqpFault.TLS, unmet=unmet) if unmet else error
    if error.fault is not AmqpFault.ACCOUNT and speaks_tls(login.host, login.port, seconds):
        return AmqpError(login, AmqpFault.TLS, unmet="tls = 1, for this port speaks TLS")
    return error


def _read_start(connection: socket.socket, login: Login) -> Greeting:
    data = b""
    while len(data) < _LARGEST_START:
        chunk = connection.recv(4096)
        if not chunk:
            raise AmqpError(login, AmqpFault.CLOSED, unmet="its whole greeting" if data else "")
        data += chunk
        if data[0] not in _BEGINNINGS:
            break
        try:
            frame = pika.frame.decode_frame(data)[1]
            if isinstance(frame, pika.frame.Method) and isinstance(frame.method, pika.spec.Connection.Start):
                told = frame.method.server_properties or {}
                return Greeting(*(str(told.get(name, ""))[:80] for name in ("product", "version", "cluster_name")))
        except Exception:  # pika raises various errors for bytes that are no frame
            break
        if frame is not None:
            break
    raise AmqpError(login, AmqpFault.NOT_AMQP)


@contextlib.contextmanager
def open_channel(login: Login, seconds: float, *, blame: str = SELF) -> Iterator[Channel]:
    """Log in and open a channel. seconds: for connecting, and for a blocked publish. blame: whose fault a hang is.

    The connection is closed with a message only if the conversation succeeded: a broker whose peer is frozen does not
    answer that message (measured: 31 s), and the end of the check's process closes the socket in any case.
    :raises AmqpError: for everything that the broker refuses or does not do, also inside the block.
    """
    try:
        begin_step(f"a login at {login}", blame=blame)
        try:
            connection = finish_within(seconds, lambda: _log_in(login, seconds))
        except _ERRORS as error:
            raise _look_for_tls(login, seconds, _translate(login, error)) from None
        yield connection.channel()
        if connection.is_open:
            connection.close()
    except _ERRORS as error:
        raise _translate(login, error) from None


def _log_in(login: Login, seconds: float) -> pika.BlockingConnection:
    parameters = _parameters(login, seconds)
    require_address(login.host, seconds)
    return pika.BlockingConnection(parameters, _impl_class=_Measured)  # type: ignore[arg-type]


def _parameters(login: Login, seconds: float) -> pika.ConnectionParameters:
    context = _context(login)
    return pika.ConnectionParameters(
        host=login.host,
        port=login.port,
        virtual_host=login.vhost,
        credentials=pika.PlainCredentials(login.username, login.password),
        connection_attempts=1,
        socket_timeout=seconds,
        stack_timeout=seconds,
        blocked_connection_timeout=seconds,
        heartbeat=0,  # the timer of the process watches this connection
        ssl_options=pika.SSLOptions(context, login.host) if context else None,
        client_properties={"connection_name": f"xha-check:{os.getpid()}"},
    )


def prove_round_trip(channel: Channel, login: Login, *, blame: str) -> str:
    """Declare a queue, send a message through it with a confirm, and take it out. Return what that proves.

    The account needs to configure and read ^xha-, and to write ^(xha-|amq\\.default$). blame is whose fault it is if
    the broker does not answer.
    :raises AmqpError: if any of it fails.
    """
    name, message = f"xha-check-{secrets.token_hex(8)}", secrets.token_bytes(16)
    proved = f"a login at {login}"
    try:
        begin_step("queue.declare", blame=blame, proved=proved)
        channel.confirm_delivery()
        channel.queue_declare(name, exclusive=True, auto_delete=True)
        begin_step("the confirm of a message", blame=blame, proved=proved)
        channel.basic_publish("", name, message, mandatory=True)
        begin_step("basic.get", blame=blame, proved=proved)
        # The confirm may arrive before the queue can deliver the message.
        method, _, body = next(channel.consume(name, inactivity_timeout=2))
        if method is None or method.delivery_tag is None or body != message:
            raise AmqpError(login, AmqpFault.CLOSED, "a confirmed message did not come back")
        channel.basic_ack(method.delivery_tag)
        channel.queue_delete(name)
    except _ERRORS as error:
        raise _translate(login, error) from None
    return "a message went through a queue of its own: confirmed, read back, acknowledged"


def _translate(login: Login, error: Exception) -> AmqpError:
    """Classify a failure of pika: its texts are empty, or long, or Python's own."""
    # pika keeps only the text of _TooMuch, and treats a connection that ends during a login as a refused login.
    if any(_TooMuch.__name__ in str(cause) for cause in causes(error)):
        return AmqpError(login, AmqpFault.TOO_MUCH)
    unmet = unmet_by(error) if login.tls else ""
    if unmet:
        return AmqpError(login, AmqpFault.TLS, unmet=unmet)
    if isinstance(error, pika.exceptions.ProbableAuthenticationError):
        return AmqpError(login, AmqpFault.ACCOUNT)
    if isinstance(error, pika.exceptions.ProbableAccessDeniedError):
        return AmqpError(login, AmqpFault.VHOST)
    if isinstance(error, pika.exceptions.ConnectionBlockedTimeout):
        return AmqpError(login, AmqpFault.BLOCKED)
    if isinstance(error, (pika.exceptions.ConnectionClosed, pika.exceptions.ChannelClosed)):
        fault = _CODES.get(error.reply_code, AmqpFault.CLOSED)
        return AmqpError(login, fault, f"{error.reply_code} {error.reply_text}"[:160])
    if isinstance(error, (pika.exceptions.UnroutableError, pika.exceptions.NackError)):
        return AmqpError(login, AmqpFault.CLOSED, f"a message was refused, {type(error).__name__}")
    for cause in causes(error):
        if isinstance(cause, AMQPConnectorStackTimeout):
            return AmqpError(login, AmqpFault.SILENT)
        if isinstance(cause, pika.exceptions.IncompatibleProtocolError):
            return AmqpError(login, AmqpFault.NOT_AMQP)
        if isinstance(cause, OSError):
            return _socket_error(login, cause)
    return AmqpError(login, AmqpFault.CLOSED, type(error).__name__)


def _socket_error(login: Login, error: OSError) -> AmqpError:
    unmet = unmet_by(error)
    return AmqpError(login, AmqpFault.TLS, unmet=unmet) if unmet else AmqpError(login, _socket_fault(error))


def _socket_fault(error: OSError) -> AmqpFault:
    if isinstance(error, (TimeoutError, socket.timeout)):
        return AmqpFault.SILENT
    if isinstance(error, ConnectionRefusedError):
        return AmqpFault.REFUSED
    # It says nothing about the broker behind the name.
    if isinstance(error, socket.gaierror):
        return AmqpFault.NAME
    if isinstance(error, (ConnectionError, ssl.SSLError)):
        return AmqpFault.CLOSED
    return AmqpFault.UNREACHABLE
