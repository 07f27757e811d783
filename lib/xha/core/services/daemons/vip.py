"""Who holds the VIP of a load balancer, judged as this host sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..model.result import SELF, Level, Result, cautioned, dependency, failed, passed
from .haproxy import ExpectedVip

if TYPE_CHECKING:
    from .haproxy import HaproxySettings


class Vip(NamedTuple):
    """What was seen of one VIP.

    is_here: an interface that is up has it. is_dangling: an interface that is down has it.
    others: hardware addresses of other hosts that answer for it, None if the check could not look.
    faults: port and why there was no connection. tried: the ports.
    """

    address: str
    is_here: bool
    is_dangling: bool = False
    others: tuple[str, ...] | None = None
    faults: tuple[tuple[int, str], ...] = ()
    tried: tuple[int, ...] = ()


def judge_vip(settings: HaproxySettings, vip: Vip, proved: str) -> Result:
    """Return whether the right host holds the VIP, only one host holds it, and it is reachable."""
    name, level, expect = settings.name, Level.DEEP, settings.vip_expect
    if vip.is_dangling:
        return failed(name, level, f"the VIP {vip.address} is on an interface that is down", proved=proved)
    holders = len(vip.others or ()) + vip.is_here
    if holders > 1:
        who = ", ".join(vip.others or ())
        here = "this host and " if vip.is_here else ""
        return failed(name, level, f"the VIP {vip.address} is held twice: by {here}{who}", proved=proved)
    if expect is ExpectedVip.HOLDER and not vip.is_here:
        return failed(name, level, f"the VIP {vip.address} is not on this host", proved=proved)
    if expect is ExpectedVip.NOT_HOLDER and vip.is_here:
        return failed(name, level, f"the VIP {vip.address} is on this host, and should not be", proved=proved)
    blame = SELF if vip.is_here else dependency("vip")
    if vip.others is not None and not holders:
        return failed(name, level, f"nobody holds the VIP {vip.address}", blame=blame, proved=proved)
    if vip.faults:
        port, fault = vip.faults[0]
        return failed(name, level, f"the VIP {vip.address} port {port}: {fault}", blame=blame, proved=proved)
    if not vip.is_here and vip.others is None and not vip.tried:
        message = f"nobody knows who holds the VIP {vip.address}: set vip_ports, or give the check CAP_NET_RAW"
        return cautioned(name, level, message, proved=proved)
    where = "here" if vip.is_here else "elsewhere"
    alone = ", by one host" if vip.others is not None else ", by how many hosts needs CAP_NET_RAW"
    reached = f", reachable on {', '.join(map(str, vip.tried))}" if vip.tried else ""
    return passed(name, level, f"{proved}; the VIP {vip.address} is {where}{alone}{reached}")
