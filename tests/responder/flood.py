"""Probes at a fixed rate, whether or not the earlier ones are answered: what many proxies send to one responder."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from typing import NamedTuple

from loopback.responder import Address
from responder.client import PROBE, Answer


class Probe(NamedTuple):
    """sent: seconds since the flood began."""

    sent: float
    answer: Answer


def flood(address: Address, rate: int, seconds: float) -> list[Probe]:
    """Send rate probes a second for this long, each on its own connection; an error of any of them raises."""
    _raise_descriptor_limit()
    return asyncio.run(_flood(address, rate, seconds))


async def _flood(address: Address, rate: int, seconds: float) -> list[Probe]:
    began = time.monotonic()

    async def probe(at: float) -> Probe:
        await asyncio.sleep(began + at - time.monotonic())
        sent = time.monotonic()
        # Connected and sent at once: a client that sends its request late gets 408, and this process is busy.
        sock = socket.create_connection(address)
        sock.sendall(PROBE)
        reader, writer = await asyncio.open_connection(sock=sock)
        raw = await reader.read()
        took = time.monotonic() - sent
        writer.close()
        return Probe(sent - began, Answer(raw, took))

    return await asyncio.gather(*(probe(number / rate) for number in range(int(rate * seconds))))


def _raise_descriptor_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
