"""The wire format of an oslo.messaging call over RabbitMQ. Pure.

It is that of oslo_messaging/_drivers/amqpdriver.py and oslo_messaging/_drivers/common.py.

A server listens on three queues of its topic exchange. The one named TOPIC.HOST is its own. Any answer shows that the
server takes calls from that queue and replies: the refusal of an unknown method proves as much as a result.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ...text.numbers import parse_json

if TYPE_CHECKING:
    from typing import Any

_ENVELOPE = "2.0"
# With [DEFAULT] rpc_ping_enabled a server answers "pong". Every other server refuses the method, which proves as much,
# but writes the refusal to its log.
SERVER_PING = "oslo_rpc_server_ping"
# The server works: it has processed the call, and does not know the method.
_REFUSALS = {"NoSuchMethod", "UnsupportedVersion"}


class RpcTarget(NamedTuple):
    """Whom to call, and with which method. nova's workers have a ping of their own (nova/baserpc.py)."""

    exchange: str
    topic: str
    host: str
    method: str = SERVER_PING
    namespace: str | None = None
    arguments: tuple[tuple[str, Any], ...] = ()

    @property
    def queue(self) -> str:
        """The server's own queue, which is also its routing key."""
        return f"{self.topic}.{self.host}"

    @property
    def instance_queue(self) -> str:
        """A queue with one consumer for each cinder-volume since Ocata (cinder/service.py: backend_rpcserver).

        On its own queue such a cinder-volume has two consumers, and an older one has one.
        """
        return f"{self.queue}.{self.host.partition('@')[0]}"

    def __str__(self) -> str:
        return self.queue


def nova_target(topic: str, host: str, exchange: str = "nova") -> RpcTarget:
    """Return the ping that every worker of nova answers on its topic."""
    return RpcTarget(exchange, topic, host, "ping", "baseapi", (("arg", "xha"),))


class Answered(Enum):
    """What an answer shows."""

    PONG = "answered"
    REFUSED = "answered that it does not know the method"
    FAILED = "answered with an error"


class RpcReply(NamedTuple):
    """The end of a call. detail: the beginning of the result or of the error."""

    kind: Answered
    detail: str = ""


def encode_call(target: RpcTarget, message_id: str, reply_queue: str, unique_id: str) -> bytes:
    """Return the body of a call whose answer goes to reply_queue. Its context is empty and anonymous."""
    message: dict[str, Any] = {
        "method": target.method,
        "args": dict(target.arguments),
        "version": "1.0",
        "_msg_id": message_id,
        "_reply_q": reply_queue,
        "_timeout": None,
        "_unique_id": unique_id,
    }
    if target.namespace:
        message["namespace"] = target.namespace
    return json.dumps({"oslo.version": _ENVELOPE, "oslo.message": json.dumps(message)}).encode()


def decode_reply(body: bytes, message_id: str) -> RpcReply | None:
    """Return the answer to a call, or None.

    None stands for the answer to another call, for a heartbeat before the answer, and for other text.
    """
    try:
        envelope = parse_json(body.decode())
        message = parse_json(envelope["oslo.message"]) if "oslo.message" in envelope else envelope
        if message.get("_msg_id") != message_id:
            return None
        failure, ending = message.get("failure"), message.get("ending", True)
        if failure:
            return _parse_failure(failure)
    except (ValueError, TypeError, AttributeError):
        return None
    # A server that knows the caller's timeout sends empty answers until the real one (call monitor).
    if not ending and message.get("result") is None:
        return None
    return RpcReply(Answered.PONG, json.dumps(message.get("result"))[:60])


def _parse_failure(text: str) -> RpcReply:
    failure = parse_json(text)
    name = str(failure.get("class", ""))
    if name in _REFUSALS:
        return RpcReply(Answered.REFUSED, name)
    return RpcReply(Answered.FAILED, f"{name}: {failure.get('message', '')}"[:120])
