"""One AMQP 0-9-1 connection to a RabbitMQ broker, and what is proved over it (pika).

pika has no time-out for a call on an open connection, and on a healthy broker with a frozen peer such a call hangs for
as long as the peer is frozen (measured): the timer of the check's process (alarm.py) is what ends it. The connect
itself and a broker that blocks publishers do have time-outs here. Nor does it count bytes: it would gather a frame of
4 GiB, and a message of more, for as long as they come.
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

from ...core.services.model.result import SELF
from ...core.services.rabbitmq.login import AmqpError, AmqpFault
from ..network.addresses import require_address
from ..process.alarm import begin_step, limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pika.adapters.blocking_connection import BlockingChannel

    from ...core.services.rabbitmq.login import Login

    Channel = BlockingChannel

_ERRORS = (pika.exceptions.AMQPError, AMQPConnectorException, OSError)
# It writes every failed connection to stderr: who asks gets an AmqpError.
logging.getLogger("pika").setLevel(logging.CRITICAL + 1)

_HEADER = b"AMQP\x00\x00\x09\x01"
_LARGEST_START = 65536
# All that a broker says in one check: its greeting is 0.5 KiB, everything else less.
_MAX_BYTES = 1 << 18
_CODES = {
    403: AmqpFault.PERMISSION,
    404: AmqpFault.NO_EXCHANGE,
    530: AmqpFault.VHOST,
    541: AmqpFault.VHOST_DOWN,
}


class _TooMuch(Exception):
    """A broker sends more than it was asked for."""


class _Measured(pika.SelectConnection):
    """pika's connection, that ends where more comes than any check asks for."""

    _received = 0

    def _on_data_available(self, data_in: bytes) -> None:
        self._received += len(data_in)
        if self._received > _MAX_BYTES:
            raise _TooMuch(_MAX_BYTES)  # pika closes the connection, and tells it as a lost one
        super()._on_data_available(data_in)  # type: ignore[misc]


class Greeting(NamedTuple):
    """What a broker says of itself before anybody logs in."""

    product: str
    version: str
    cluster: str


def read_greeting(login: Login, seconds: float) -> Greeting:
    """Ask a broker who it is, without an account (connection.start). :raises AmqpError: where it does not say."""
    begin_step(f"the greeting of {login}")
    try:
        with limit(seconds):
            address = require_address(login.host, seconds)
            with socket.create_connection((address, login.port), timeout=seconds) as plain:
                connection = _wrap(plain, login)
                connection.sendall(_HEADER)
                return _read_start(connection, login)
    except OSError as error:
        raise AmqpError(login, _socket_fault(error)) from None


def _wrap(plain: socket.socket, login: Login) -> socket.socket:
    if not login.tls:
        return plain
    return ssl.create_default_context(cafile=login.ca_file).wrap_socket(plain, server_hostname=login.host)


def _read_start(connection: socket.socket, login: Login) -> Greeting:
    data = b""
    while len(data) < _LARGEST_START:
        chunk = connection.recv(4096)
        if not chunk:
            raise AmqpError(login, AmqpFault.CLOSED)
        data += chunk
        try:
            frame = pika.frame.decode_frame(data)[1]
            if isinstance(frame, pika.frame.Method) and isinstance(frame.method, pika.spec.Connection.Start):
                told = frame.method.server_properties or {}
                return Greeting(*(str(told.get(name, ""))[:80] for name in ("product", "version", "cluster_name")))
        except Exception:  # what is no frame, pika meets with errors of every kind
            break
        if frame is not None:
            break
    raise AmqpError(login, AmqpFault.NOT_AMQP)


@contextlib.contextmanager
def open_channel(login: Login, seconds: float, *, blame: str = SELF) -> Iterator[Channel]:
    """Log in and open a channel. seconds are for connecting, and for a blocked publish; blame: who is, if that hangs.

    Only a conversation that went well ends with a goodbye: a broker whose peer is frozen leaves even that unanswered
    (measured: 31 s), and the end of the check's process closes the socket as well.
    :raises AmqpError: for whatever the broker refuses or does not do, also from within the block.
    """
    try:
        begin_step(f"a login at {login}", blame=blame)
        with limit(seconds):
            require_address(login.host, seconds)
            connection = pika.BlockingConnection(_parameters(login, seconds), _impl_class=_Measured)  # type: ignore[arg-type]
        yield connection.channel()
        if connection.is_open:
            connection.close()
    except _ERRORS as error:
        raise _translate(login, error) from None


def _parameters(login: Login, seconds: float) -> pika.ConnectionParameters:
    context = ssl.create_default_context(cafile=login.ca_file) if login.tls else None
    return pika.ConnectionParameters(
        host=login.host,
        port=login.port,
        virtual_host=login.vhost,
        credentials=pika.PlainCredentials(login.username, login.password),
        connection_attempts=1,
        socket_timeout=seconds,
        stack_timeout=seconds,
        blocked_connection_timeout=seconds,
        heartbeat=0,  # who watches this connection is the timer of its process
        ssl_options=pika.SSLOptions(context, login.host) if context else None,
        client_properties={"connection_name": f"xha-check:{os.getpid()}"},
    )


def prove_round_trip(channel: Channel, login: Login, *, blame: str) -> str:
    """Declare a queue, send a message through it with a confirm, take it out; return what that proves.

    The account needs to configure and read ^xha-, and to write ^(xha-|amq\\.default$).
    :raises AmqpError: where any of it fails. blame is whose fault it is if the broker is silent meanwhile.
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
        # The confirm may come before the queue has it ready.
        method, _, body = next(channel.consume(name, inactivity_timeout=2))
        if method is None or method.delivery_tag is None or body != message:
            raise AmqpError(login, AmqpFault.CLOSED, "a confirmed message did not come back")
        channel.basic_ack(method.delivery_tag)
        channel.queue_delete(name)
    except _ERRORS as error:
        raise _translate(login, error) from None
    return "a message went through a queue of its own: confirmed, read back, acknowledged"


def _translate(login: Login, error: Exception) -> AmqpError:
    """Name a failure of pika's: their texts are empty, or long, or Python's own."""
    # pika keeps its text alone, and takes a connection that ends during a login for a refused one.
    if any(_TooMuch.__name__ in str(cause) for cause in _causes(error)):
        return AmqpError(login, AmqpFault.TOO_MUCH)
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
    for cause in _causes(error):
        if isinstance(cause, AMQPConnectorStackTimeout):
            return AmqpError(login, AmqpFault.SILENT)
        if isinstance(cause, pika.exceptions.IncompatibleProtocolError):
            return AmqpError(login, AmqpFault.NOT_AMQP)
        if isinstance(cause, OSError):
            return AmqpError(login, _socket_fault(cause))
    return AmqpError(login, AmqpFault.CLOSED, type(error).__name__)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and what it was made of: pika puts causes into arguments, lists and the usual places."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting and len(seen) < 30:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        own = [*getattr(one, "exceptions", ()), getattr(one, "exception", None)]
        more = [*one.args, *own, one.__cause__, one.__context__]
        waiting += [each for each in more if isinstance(each, BaseException)]


def _socket_fault(error: OSError) -> AmqpFault:
    if isinstance(error, (TimeoutError, socket.timeout)):
        return AmqpFault.SILENT
    if isinstance(error, ConnectionRefusedError):
        return AmqpFault.REFUSED
    if isinstance(error, ssl.SSLError):
        return AmqpFault.TLS
    # It says nothing of the broker behind it.
    if isinstance(error, socket.gaierror):
        return AmqpFault.NAME
    if isinstance(error, ConnectionError):
        return AmqpFault.CLOSED
    return AmqpFault.UNREACHABLE
