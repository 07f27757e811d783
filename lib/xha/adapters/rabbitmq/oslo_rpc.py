"""One call to an oslo.messaging server over the connection of an open channel (pika, without oslo's libraries)."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

import pika
import pika.exceptions

from ...core.services.rabbitmq.login import AmqpError, AmqpFault
from ...core.services.workers.judge import RABBITMQ, Ping, Silence
from ...core.services.workers.oslo_rpc import decode_reply, encode_call
from ..process.alarm import begin_step

if TYPE_CHECKING:
    from pika.adapters.blocking_connection import BlockingChannel

    from ...core.services.workers.oslo_rpc import RpcReply, RpcTarget

_NOT_FOUND = 404


def send_ping(channel: BlockingChannel, target: RpcTarget, seconds: float, proved: str = "") -> Ping:
    """Call a server on its own queue, and wait `seconds` for its answer.

    :raises AmqpError: if the broker itself fails. If the check's time ends while the broker is silent, RabbitMQ is
    blamed.
    """
    begin_step(f"RabbitMQ's answer about {target.queue}", blame=RABBITMQ, proved=proved)
    if _count_consumers(channel, target.exchange, exchange=True) is None:
        return Ping(target, Silence.NO_EXCHANGE)
    consumers = _count_consumers(channel, target.queue)
    if isinstance(consumers, Silence):
        return Ping(target, consumers)
    if not consumers:
        return Ping(target, Silence.NO_QUEUE if consumers is None else Silence.NO_CONSUMER)
    instances = _count_consumers(channel, target.instance_queue)
    began = time.monotonic()
    try:
        outcome = _call(channel, target, seconds, proved)
    except pika.exceptions.UnroutableError:
        outcome = Silence.NO_QUEUE
    except pika.exceptions.ConnectionBlockedTimeout:
        outcome = Silence.BLOCKED
    # An older cinder-volume has no queue for each instance, and is the only consumer of its queue.
    number = consumers if instances is None or isinstance(instances, Silence) else instances
    return Ping(target, outcome, number, round((time.monotonic() - began) * 1000))


def _count_consumers(channel: BlockingChannel, name: str, *, exchange: bool = False) -> int | Silence | None:
    """Return how many consumers a queue has; None if it does not exist, for which the broker closes the channel.

    Silence.QUEUE_DOWN: the node of the queue is down. With `exchange`, return 0 if an exchange of that name exists.
    """
    own = channel.connection.channel()
    try:
        if exchange:
            own.exchange_declare(name, passive=True)
            number = 0
        else:
            number = int(own.queue_declare(name, passive=True).method.consumer_count or 0)
        own.close()  # not if the broker hangs: closing would hang too
    except pika.exceptions.ChannelClosedByBroker as error:
        if error.reply_code != _NOT_FOUND:
            raise AmqpError(name, AmqpFault.PERMISSION, f"{error.reply_code} {error.reply_text}"[:160]) from None
        # "home node 'rabbit@b' of durable queue 'q' in vhost '/' is down or inaccessible"
        return Silence.QUEUE_DOWN if "home node" in error.reply_text else None
    return number


def _call(channel: BlockingChannel, target: RpcTarget, seconds: float, proved: str) -> RpcReply | Silence:
    connection = channel.connection
    own = connection.channel()
    # Named like oslo.messaging's reply queues, so that an account with rights to those may use this one.
    reply_queue, message_id = f"reply_xha{secrets.token_hex(14)}", secrets.token_hex(16)
    own.queue_declare(reply_queue, exclusive=True, auto_delete=True)
    own.confirm_delivery()
    properties = pika.BasicProperties(
        content_type="application/json",
        content_encoding="utf-8",
        # Without an expiration, calls would pile up in the queue of a frozen worker.
        expiration=str(max(1, round(seconds * 1000))),
    )
    body = encode_call(target, message_id, reply_queue, secrets.token_hex(16))
    own.basic_publish(target.exchange, target.queue, body, properties, mandatory=True)
    begin_step(f"the answer of {target.queue}", proved=proved)
    until = time.monotonic() + seconds
    # Other messages in the queue do not extend the wait.
    while (left := until - time.monotonic()) > 0:
        method, _, answer = next(own.consume(reply_queue, auto_ack=True, inactivity_timeout=max(left, 0.001)))
        if method is None:
            break
        reply = decode_reply(answer or b"", message_id)
        if reply:
            own.queue_delete(reply_queue)
            return reply
    return Silence.TIMEOUT
