"""One request to a responder, of this host or another, without a library: requests alone costs a third of a short look.

One deadline for the whole and 64 KiB, by adapters/network/channel.py. `/node` of a healthy node has 2.4 KiB (measured).
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from ...core.cluster.responder_word import HttpAnswer, parse_response
from ..network.channel import Allowance, Nonsense, TooLate, connect_tcp

if TYPE_CHECKING:
    from ...core.config.xha_conf import Responder

_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - what a listening address is compared with
_OK = 200


class NoHttpAnswer(Exception):
    """Nothing that could be read came; the text says why, without the address."""


def ask(host: str, port: int, path: str, allowance: Allowance) -> HttpAnswer | None:
    """Send one GET and return the answer, None for one that is not HTTP, or not complete.

    :raises NoHttpAnswer: if there is none within the allowance.
    """
    try:
        channel = connect_tcp(host, port, allowance)
    except TooLate:
        raise NoHttpAnswer(f"no connection to port {port} in time") from None
    except socket.gaierror:
        raise NoHttpAnswer(f"the name {host} does not resolve") from None
    except OSError as error:
        raise NoHttpAnswer(f"port {port}: {(error.strerror or str(error)).lower()}") from None
    try:
        name = f"[{host}]" if ":" in host else host
        channel.sendall(f"GET {path} HTTP/1.0\r\nHost: {name}:{port}\r\nConnection: close\r\n\r\n".encode())
        return parse_response(channel.read(allowance.left))  # to the end of the stream
    except TooLate:
        raise NoHttpAnswer(f"no answer on port {port} in time") from None
    except Nonsense:
        raise NoHttpAnswer(f"port {port} sends more than a responder does") from None
    except OSError as error:
        raise NoHttpAnswer(f"port {port}: {(error.strerror or str(error)).lower()}") from None
    finally:
        channel.close()


def ask_own(responder: Responder, seconds: float) -> HttpAnswer | None:
    """Return what this host's responder tells of the node; None if none answers, or says nothing to this host.

    By /node, which no balancer asks: the responder counts who asks for a verdict.
    """
    host = responder.listen[0][0] if responder.listen else ""
    try:
        node = ask("127.0.0.1" if host in _EVERYWHERE else host, responder.port, "/node", Allowance(seconds))
    except NoHttpAnswer:
        return None
    return node if node is not None and node.status == _OK else None
