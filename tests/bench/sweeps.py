"""What it costs to remove the records of a deleted resource, by a real Pacemaker of one node, at two sizes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

from bench.growth import Growth, grant_pairs
from bench.measures import Bench, say
from loopback.doors import CHECKOUT
from loopback.files import put
from services.pacemaker import NODE, PacemakerNode
from xha.core.pacemaker.cib_records import set_id

RESOURCE = "p_mysql"
# xha's own sweep, with Pacemaker's tools, as the agent runs it: it ends with 1 where it swept nothing.
SWEEP = (
    "import sys; from xha.adapters.pacemaker.cluster import Pacemaker; "
    f"sys.exit(not Pacemaker({NODE!r}).sweep({RESOURCE!r}))"
)
SIZES = {"100": 100, "10,000": 10_000}


def measure_sweep(bench: Bench) -> list[Growth]:
    """The wall time until a configuration has none of a deleted resource's grants any more."""
    directory = bench.directory / "sweep"
    with PacemakerNode(bench.net, directory) as node:
        took: dict[str, list[float]] = {words: [] for words in SIZES}
        for turn in range(bench.rounds):
            say(f"sweeping grants in Pacemaker, round {turn + 1} of {bench.rounds}")
            for words, number in SIZES.items():
                took[words].append(_sweep_ms(node, number))
    small, large = SIZES
    return [Growth("sweeping grants of a deleted resource, wall", small, large, *map(statistics.median, took.values()))]


def _sweep_ms(node: PacemakerNode, number: int) -> float:
    file = node.log.parent / "grants.xml"
    pairs = grant_pairs(number)
    put(file, f'<crm_config><cluster_property_set id="{set_id(RESOURCE)}">{pairs}</cluster_property_set></crm_config>')
    node.run("cibadmin", "--modify", "--allow-create", "--scope", "crm_config", "--xml-file", str(file))
    assert _count(node) == number, f"{_count(node)} of {number} grants are in the configuration"
    command = [*node.enter, sys.executable, "-c", SWEEP]
    began = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "lib")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    took = (time.monotonic() - began) * 1000
    assert (done.returncode, _count(node)) == (0, 0), done.stderr
    return took


def _count(node: PacemakerNode) -> int:
    return node.run("cibadmin", "--query", "--scope", "crm_config").count(f'name="xha-{RESOURCE}-grant')
