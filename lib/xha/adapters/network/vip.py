"""A virtual address: whether this host has it (psutil), whether others answer for it (ARP, RFC 826), and its ports."""

from __future__ import annotations

import ipaddress
import socket
import struct
import time

import psutil

from ...core.services.daemons.vip import Vip
from ..process.alarm import begin_step

_ETH_P_ARP = 0x0806
_BROADCAST = b"\xff" * 6
_LISTEN_SECONDS = 0.4
_ARP_REQUEST = struct.Struct("!HHBBH6s4s6s4s")


def read_vip(address: str, ports: tuple[int, ...], seconds: float) -> Vip:
    """Return what this host sees of a VIP. seconds is the time for each port."""
    begin_step(f"the VIP {address}")
    up, down = _interfaces(address)
    faults = []
    for port in ports:
        fault = _connect(address, port, seconds)
        if fault:
            faults.append((port, fault))
    return Vip(address, bool(up), bool(down and not up), _ask_others(address, up), tuple(faults), ports)


def _interfaces(address: str) -> tuple[list[str], list[str]]:
    """Return the interfaces that have the address: those that are up, and those that are not."""
    stats = psutil.net_if_stats()
    having = [
        name
        for name, addresses in psutil.net_if_addrs().items()
        if any(one.address.partition("%")[0] == address for one in addresses)
    ]
    up = [name for name in having if name in stats and stats[name].isup]
    return up, [name for name in having if name not in up]


def _connect(address: str, port: int, seconds: float) -> str:
    begin_step(f"the VIP {address} port {port}")
    try:
        socket.create_connection((address, port), timeout=max(0.1, seconds)).close()
    except OSError as error:
        return (error.strerror or "no answer in time").lower()
    return ""


def _ask_others(address: str, up: list[str]) -> tuple[str, ...] | None:
    """Return the hardware addresses of other hosts that answer for an IPv4 address; None if that cannot be determined.

    A host does not answer its own request, so an answer to the holder's request comes from a second holder. The request
    has the sender 0.0.0.0, as in duplicate address detection (RFC 5227), so it changes no neighbour's table.
    """
    if ipaddress.ip_address(address).version != 4:
        return None
    links = up or _links_to(address)
    stats = psutil.net_if_stats()
    links = [name for name in links if name in stats and "loopback" not in stats[name].flags.split(",")]
    if not links:
        return None
    answers: set[str] = set()
    for link in links:
        try:
            answers |= _request(link, address)
        except OSError:  # no CAP_NET_RAW, or no Ethernet
            return None
    return tuple(sorted(answers))


def _links_to(address: str) -> list[str]:
    """Return the interfaces whose network contains the address."""
    target = ipaddress.IPv4Address(address)
    found = []
    for name, addresses in psutil.net_if_addrs().items():
        for one in addresses:
            if one.family is not socket.AF_INET or not one.netmask:
                continue
            if target in ipaddress.IPv4Network(f"{one.address}/{one.netmask}", strict=False):
                found.append(name)
    return list(dict.fromkeys(found))


def _request(link: str, address: str) -> set[str]:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ARP)) as raw:
        raw.bind((link, _ETH_P_ARP))
        own = raw.getsockname()[4]
        packed = socket.inet_aton(address)
        request = _ARP_REQUEST.pack(1, 0x0800, 6, 4, 1, own, bytes(4), bytes(6), packed)
        raw.send(_BROADCAST + own + struct.pack("!H", _ETH_P_ARP) + request)
        answers: set[str] = set()
        deadline = time.monotonic() + _LISTEN_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            raw.settimeout(left)
            try:
                frame = raw.recv(2048)
            except (TimeoutError, socket.timeout):
                break
            if len(frame) < 14 + _ARP_REQUEST.size:
                continue
            fields = _ARP_REQUEST.unpack_from(frame, 14)
            operation, sender, sender_address = fields[4], fields[5], fields[6]
            if operation == 2 and sender_address == packed and sender != own:
                answers.add(":".join(f"{byte:02x}" for byte in sender))
        return answers
