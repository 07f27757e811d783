"""What costs more the larger a cluster, a fleet or a configuration is: the same figure at two sizes, in one run."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Callable, NamedTuple

from bench.elections import slowest
from bench.installed import Installed
from bench.measures import OPTION_FILE, Bench, say
from loopback import Responder
from loopback.responder import PORT
from xha.core.election.facts import Grant, GrantKind
from xha.core.pacemaker.cib import parse_cib
from xha.core.pacemaker.cib_records import grant_name, record_name, render_grant, set_id

MEMBERS = 3


class Growth(NamedTuple):
    """One line of the table: what is measured, both sizes in words, and the milliseconds of CPU at each."""

    what: str
    small: str
    large: str
    small_ms: float
    large_ms: float

    @property
    def ratio(self) -> float:
        """How many times as much the larger one costs."""
        return self.large_ms / self.small_ms


def measure_growth(bench: Bench, installed: Installed) -> list[Growth]:
    """Return a line for each thing that grows."""
    say("cost against size: an election, a configuration")
    few, many = slowest(3)[1], slowest(9)[1]
    lines = [
        Growth("one `elect`, slowest situation", "3 nodes", "9 nodes", few, many),
        _configuration("reading the CIB", {"0.1 MB": _cib(100_000), "5 MB": _cib(5_000_000)}, bench.rounds),
        _configuration("reading grants", {"100": _records(100), "10,000": _records(10_000)}, bench.rounds),
    ]
    addresses = [(bench.net.next_address(), PORT) for _ in range(9)]
    directory = bench.directory / "growth"
    everywhere = "detail_from = 127.0.0.0/8"
    with Responder(
        bench.net, directory, addresses, bench.node.socket, client=OPTION_FILE, responder=everywhere
    ) as members:
        hosts = [host for host, _ in addresses]
        lines.append(_commands("`xha-check cluster`, CPU", members, installed, hosts, bench.rounds))
        lines.append(_fleets(members, installed, hosts, bench.rounds))
    return lines


def _commands(what: str, members: Responder, installed: Installed, hosts: Sequence[str], rounds: int) -> Growth:
    """The members are one responder's addresses; the server behind them listens at none by TCP."""
    commands = {}
    for number in (3, 9):
        config = members.directory / f"cluster-{number}.conf"
        config.write_text(f"{members.settings}\n[cluster]\nmembers = {' '.join(hosts[:number])}\n")
        commands[number] = [installed.door("xha-check"), "cluster", "--json", "--config", str(config)]
    return _in_turns(what, "{} nodes", commands, rounds)


def _fleets(members: Responder, installed: Installed, hosts: Sequence[str], rounds: int) -> Growth:
    commands = {}
    for number in (200, 600):
        fleet = members.directory / f"fleet-{number}"
        # A cluster's members differ; clusters may share theirs.
        lines = (
            f"c{one}: {' '.join(hosts[(one + place) % len(hosts)] for place in range(MEMBERS))}"
            for one in range(number)
        )
        fleet.write_text("\n".join(lines) + "\n")
        commands[number] = [installed.door("xha-check"), "fleet", "--json", "--deadline", "20s", str(fleet)]
    return _in_turns(f"`xha-check fleet` ({MEMBERS} members each), CPU", "{} clusters", commands, rounds)


def _in_turns(what: str, words: str, commands: Mapping[int, Sequence[str]], rounds: int) -> Growth:
    say(f"cost against size: {what}")
    spent: dict[int, list[float]] = {number: [] for number in commands}
    for _ in range(rounds):
        for number, command in commands.items():
            spent[number].append(_cpu_ms(command))
    small, large = commands
    return Growth(
        what, words.format(small), words.format(large), *(statistics.median(spent[number]) for number in (small, large))
    )


def _cpu_ms(command: Sequence[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, env=dict(os.environ), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not done.stdout.startswith("{"):
        raise RuntimeError(f"{command}: exit {done.returncode}: {done.stdout[:500]}{done.stderr[:500]}")
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def _configuration(what: str, texts: Mapping[str, str], rounds: int) -> Growth:
    spent = [[_parse_ms(text) for text in texts.values()] for _ in range(rounds)]
    small, large = texts
    return Growth(what, small, large, *(statistics.median(each) for each in zip(*spent)))


def _parse_ms(text: str) -> float:
    return _process_ms(lambda: parse_cib(text, "p_mysql"))


def _process_ms(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return (time.process_time() - began) * 1000


def _cib(size: int) -> str:
    """A configuration of about this many bytes: resources of others with their parameters and operations."""
    one = (
        '<primitive id="r{0}" class="ocf" provider="pacemaker" type="Dummy"><instance_attributes id="r{0}-p">'
        '<nvpair id="r{0}-p-state" name="state" value="/run/{0}"/></instance_attributes>'
        '<operations><op id="r{0}-m" name="monitor" interval="10s"/></operations></primitive>'
    )
    return _whole("", "".join(one.format(number) for number in range(size // len(one))))


def grant_pairs(number: int) -> str:
    """Return this many of xha's own grants, as a configuration has them."""
    grants = (Grant(GrantKind.FORGET, f"n{one}", "d" * 16, 1e9) for one in range(number))
    texts = ((record_name("p_mysql", grant_name(one)), render_grant(one)) for one in grants)
    return "".join(
        f'<nvpair id="{name}" name="{name}" value="{text.replace(chr(34), "&quot;")}"/>' for name, text in texts
    )


def _records(number: int) -> str:
    """A configuration with this many of xha's own grants."""
    pairs = grant_pairs(number)
    return _whole(f'<cluster_property_set id="{set_id("p_mysql")}">{pairs}</cluster_property_set>', "")


def _whole(sets: str, resources: str) -> str:
    own = '<primitive id="p_mysql" class="ocf" provider="xha" type="galera"/>'
    parts = f"<crm_config>{sets}</crm_config><nodes/><resources>{own}{resources}</resources><constraints/>"
    return f'<cib have-quorum="1"><configuration>{parts}</configuration><status/></cib>'
