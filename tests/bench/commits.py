"""What the commit probe costs: rows, the responder's processor time, and the rate of its answers."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from contextlib import ExitStack

from bench.measures import CLIENT_CPU, USER, Bench, Row, responder, say
from bench.probes import probe_steadily, run_ab
from loopback import Node, Responder

TABLE = "(node VARCHAR(255) NOT NULL PRIMARY KEY, at TIMESTAMP(3) NOT NULL) ENGINE=InnoDB"
ON, OFF = "on", "off"
SETTINGS = {ON: "commit_probe = auto", OFF: "commit_probe = off"}
SECONDS = 60
# Linux, include/linux/posix-timers_types.h: the clock of a process counts what its threads ran, in nanoseconds.
_CPUCLOCK_SCHED = 2
MOST_ROWS, MOST_OF_A_CORE, LEAST_RATIO = 1.0, 0.001, 0.97


def measure_commit_probe(bench: Bench) -> list[Row]:
    """Two responders of one node, which differ in the probe only: side by side while idle, in turns under load."""
    prepare(bench.node)
    with ExitStack() as stack:
        both = {name: stack.enter_context(responder(bench, database=text)) for name, text in SETTINGS.items()}
        return [*_while_idle(bench.node, both), _under_load(bench, both)]


def prepare(node: Node) -> None:
    """Create the table and the rights of docs/commits.md."""
    node.sql("CREATE DATABASE IF NOT EXISTS xha")
    node.sql(f"CREATE TABLE IF NOT EXISTS xha.canary {TABLE}")
    node.sql(f"GRANT SELECT, INSERT, UPDATE ON xha.canary TO {USER}@localhost")
    node.sql(f"GRANT PROCESS ON *.* TO {USER}@localhost")


def _while_idle(node: Node, both: Mapping[str, Responder]) -> list[Row]:
    say(f"the commit probe, {SECONDS} s at one request a second")
    _ask_each_second(both, 3)
    committed, spent = _committed(node), {name: core_seconds(one.pid) for name, one in both.items()}
    began = time.monotonic()
    _ask_each_second(both, SECONDS)
    seconds = time.monotonic() - began
    written = (_committed(node) - committed) / seconds
    share = {name: (core_seconds(one.pid) - spent[name]) / seconds for name, one in both.items()}
    extra = share[ON] - share[OFF]
    return [
        Row(
            "rows that the commit probe writes",
            f"{written:.2f} a second",
            "",
            f"more than none, at most {MOST_ROWS:g}",
            0 < written <= MOST_ROWS,
        ),
        Row(
            "the responder with the commit probe, a request a second",
            f"{share[ON]:.3%} of a core",
            f"without {share[OFF]:.3%}",
            f"{extra:.3%} more, less than {MOST_OF_A_CORE:.1%}",
            extra < MOST_OF_A_CORE,
        ),
    ]


def _ask_each_second(both: Mapping[str, Responder], seconds: int) -> None:
    for _ in range(seconds):
        for one in both.values():
            probe_steadily(one.address, 1, 0.001)
        time.sleep(1)


def _under_load(bench: Bench, both: Mapping[str, Responder]) -> Row:
    rates: dict[str, list[float]] = {name: [] for name in both}
    for turn in range(bench.rounds):
        say(f"with and without the commit probe, round {turn + 1} of {bench.rounds}")
        for name, one in both.items():
            rates[name].append(run_ab(one.address, CLIENT_CPU, bench.directory).per_second)
    probing, silent = (statistics.median(rates[name]) for name in (ON, OFF))
    ratio = probing / silent
    return Row(
        "probes per second with the commit probe",
        f"{probing:,.0f}/s",
        f"without {silent:,.0f}/s",
        f"ratio {ratio:.2f}, at least {LEAST_RATIO}",
        ratio >= LEAST_RATIO,
    )


def _committed(node: Node) -> int:
    number = node.status("wsrep_last_committed")["wsrep_last_committed"]
    return int(number)


def core_seconds(pid: int) -> float:
    """Return the processor time of all threads, also of those that ended: the process's clock (clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)
