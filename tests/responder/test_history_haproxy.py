"""The ledger against HAProxy's own log: three real servers, each with its responder, and outages of every kind.

Each outage of the log is in the history, and each of the history in the log; begin and end differ by less than the
interval of HAProxy's checks. The outage of the whole cluster is the time for which HAProxy had no server.
"""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import pytest

from loopback import Cluster, HAProxy, Net, wait_until
from loopback.files import put
from loopback.responder import PORT
from responder.process import ACCOUNT, Responder
from responder.test_history import history
from shell.databases import patient

INTERVAL = 1.0
# fall 1 and rise 1: HAProxy's word is that of one probe, as the ledger's is.
LISTEN = """\
listen mysql
  bind {bind}
  mode tcp
  timeout client 60s
  timeout server 60s
  timeout check 5s
  option httpchk GET /ready
  http-check expect status 200
  http-check disable-on-404
  http-check send-state
  default-server port {port} inter {interval}s fall 1 rise 1
{servers}"""
# 2026-11-27T16:46:09.123456+00:00 Server mysql/n1 is DOWN, reason: ...; of one that drains: is stopping.
LINE = re.compile(r"^(\S+T\S+) \S*\s*Server mysql/(n\d) is (UP|DOWN|stopping|running)", re.M)
SLACK = 2.0  # of a busy machine, between HAProxy's look at its clock and the responder's


class Seen(NamedTuple):
    """An outage of one server, in seconds since 1970; end None: it lasts."""

    start: float
    end: float | None


class Scene:
    """Three nodes, and a HAProxy that writes its log with the time of each line."""

    def __init__(self, net: Net, cluster: Cluster) -> None:
        self.names = ("n1", "n2", "n3")
        # Who was not in service before, as until its first reading on a busy machine, is not counted.
        self.ready_at = 0.0
        self.cluster, self.nodes = cluster, dict(zip(self.names, cluster.nodes))
        # An answer that is late by that much, on a busy machine, would be one outage more.
        everywhere = "detail_from = 127.0.0.0/8\ndeadline = 3s\nhang_reset = 3s"
        hosts = " ".join(node.address for node in cluster.nodes)
        self.responders = {
            name: Responder(
                net,
                f"reconciled-{name}",
                node,
                listen=[(node.address, PORT)],
                responder=f"listen = {node.address}:{PORT}\n{everywhere}\n[cluster]\nmembers = {hosts}",
            )
            for name, node in self.nodes.items()
        }
        servers = "".join(f"  server {name} {node.address}:3306 check\n" for name, node in self.nodes.items())
        bind = f"{net.next_address()}:3307"
        self.haproxy = HAProxy(
            net,
            net.directory / "reconciled",
            LISTEN.format(bind=bind, port=PORT, interval=int(INTERVAL), servers=servers),
            extra_global=["log stdout format iso daemon info"],
        )

    def log(self) -> str:
        return self.haproxy.log.read_text(errors="replace")

    def logged(self) -> dict[str, list[Seen]]:
        """The outages of each server, by HAProxy's log. One that drains and then is down is out once."""
        found: dict[str, list[Seen]] = {name: [] for name in self.names}
        for at, name, word in LINE.findall(self.log()):
            moment, outages = datetime.fromisoformat(at).timestamp(), found[name]
            lasts = bool(outages) and outages[-1].end is None
            if word in ("DOWN", "stopping") and not lasts:
                outages.append(Seen(moment, None))
            elif word in ("UP", "running") and lasts:
                outages[-1] = outages[-1]._replace(end=moment)
        return {name: [one for one in outages if one.start > self.ready_at] for name, outages in found.items()}

    def told(self) -> dict[str, Any]:
        """What xha-check history tells on the first host, of all members."""
        said: dict[str, Any] = json.loads(history(self.responders["n1"].config, "--json", "--since", "1h").stdout)
        return said


@pytest.fixture
def scene(net: Net, cluster: Cluster) -> Iterator[Scene]:
    cluster.create_account(f"{ACCOUNT}@localhost")
    made = Scene(net, cluster)
    with made.responders["n1"], made.responders["n2"], made.responders["n3"], made.haproxy:
        for name in made.names:
            made.haproxy.wait_status(name, "UP")
        made.ready_at = time.time()
        yield made


def outages_of(availability: dict[str, Any], since: float) -> list[Seen]:
    def moment(text: str | None) -> float | None:
        return None if text is None else datetime.fromisoformat(text).timestamp()

    seen = (Seen(moment(one["start"]) or 0.0, moment(one["end"])) for one in availability["outages"])
    return [one for one in seen if one.start > since]


def differences(ledger: list[Seen], log: list[Seen]) -> list[float]:
    """How far each begin and each end of the ledger is from the log's, in seconds. Both have the same outages."""
    assert len(ledger) == len(log), f"the ledger has {ledger}, and HAProxy {log}"
    found = []
    for kept, logged in zip(ledger, log):
        assert kept.end is not None
        assert logged.end is not None
        found += [abs(kept.start - logged.start), abs(kept.end - logged.end)]
    return found


def test_the_history_has_every_outage_of_haproxy_s_log_and_no_other(scene: Scene, tell: Callable[[str], None]) -> None:
    first, second, third = (scene.responders[name] for name in scene.names)
    put(first.disabled, "{}")  # by hand
    scene.haproxy.wait_status("n1", "DOWN")
    first.disabled.unlink()
    scene.haproxy.wait_status("n1", "UP")
    put(second.drain, "{}")  # 404: HAProxy sends no new connection there
    scene.haproxy.wait_status("n2", "NOLB")
    second.drain.unlink()
    scene.haproxy.wait_status("n2", "UP")
    with patient(scene.cluster):  # a member that is given up meanwhile would be out once more, to join again
        scene.nodes["n3"].signal(signal.SIGSTOP)  # it hangs
        scene.haproxy.wait_status("n3", "DOWN")
        scene.nodes["n3"].signal(signal.SIGCONT)
        scene.haproxy.wait_status("n3", "UP")
    scene.nodes["n2"].kill()  # it is gone, and comes back
    scene.haproxy.wait_status("n2", "DOWN")
    scene.nodes["n2"].start()
    scene.haproxy.wait_status("n2", "UP")
    for one in (first, second, third):  # nobody serves
        put(one.disabled, "{}")
    for name in scene.names:
        scene.haproxy.wait_status(name, "DOWN")
    for one in (third, second, first):
        one.disabled.unlink()
    for name in scene.names:
        scene.haproxy.wait_status(name, "UP")

    def is_written() -> bool:  # a thread writes the ledger
        kept = [outages_of(one, scene.ready_at) for one in scene.told()["nodes"]]
        wanted = [len(scene.logged()[name]) for name in scene.names]
        return [len(one) for one in kept] == wanted and all(each.end for one in kept for each in one)

    wait_until(is_written, 30, lambda: f"the ledger has it all: {scene.told()['nodes']}\n{scene.logged()}")
    told, log = scene.told(), scene.logged()
    worst = 0.0
    for name, availability in zip(scene.names, told["nodes"]):
        assert availability["who"] == scene.nodes[name].address
        worst = max(worst, *differences(outages_of(availability, scene.ready_at), log[name]))
    assert worst < INTERVAL + SLACK
    # Who gave the killed one its data may have been out as a donor besides.
    counted = [[one for one in node["outages"] if one["start"]] for node in told["nodes"]]
    causes = [[one["cause"] for one in outages if one["cause"] != "donor-sst"] for outages in counted]
    assert causes == [["disabled", "disabled"], ["draining", "server-down", "disabled"], ["hung", "disabled"]]
    # Nobody served from the last server's going until the first one's coming.
    last = [log[name][-1] for name in scene.names]
    nobody = Seen(max(one.start for one in last), min(one.end or 0.0 for one in last))
    (whole,) = outages_of(told["cluster"], scene.ready_at)
    assert max(differences([whole], [nobody])) < INTERVAL + SLACK
    assert "proxy mysql has no server available!" in scene.log()
    count = sum(len(one) for one in log.values())
    tell(f"{count} outages and one of the cluster; begin and end differ by at most {worst * 1000:.0f} ms")
