"""xha-check fleet on real responders: 200 clusters of three members each, and members that do not answer."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import time
from pathlib import Path
from typing import Callable

import pytest

from loopback import Net, Node
from loopback.doors import door
from loopback.files import put
from responder.conftest import MakeResponder
from responder.process import Responder

CLUSTERS = 200
PORTS = (49101, 49102, 49103)


def fleet(file: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [door("xha-check"), "fleet", str(file), *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def many(net: Net, database: Node, make_responder: MakeResponder) -> list[Responder]:
    """Three responders, each of which answers on 200 addresses: 600 members."""
    prefix = net.next_address().rpartition(".")[0]
    addresses = [f"{prefix}.{number}" for number in range(1, CLUSTERS + 1)]
    return [make_responder(database, listen=[(one, port) for one in addresses]) for port in PORTS]


def write(many: list[Responder], file: Path, *more: str) -> None:
    rows = []
    for number in range(CLUSTERS):
        members = [f"{host}:{port}" for host, port in (one.addresses[number] for one in many)]
        rows.append(f"cluster-{number:03}: {' '.join(members)}")
    put(file, "\n".join([*rows, *more]) + "\n")


def children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.alone
def test_two_hundred_clusters_within_three_seconds(
    many: list[Responder], tmp_path: Path, tell: Callable[[str], None]
) -> None:
    file = tmp_path / "fleet"
    write(many, file)
    fleet(file)  # whatever is imported and compiled for the first time
    began, cpu = time.monotonic(), children_cpu()
    result = fleet(file, "--json", "--deadline", "20s")
    wall, cpu = time.monotonic() - began, children_cpu() - cpu
    tell(f"{CLUSTERS} clusters: {wall:.2f} s, {cpu:.2f} s of a processor, load {os.getloadavg()[0]:.0f}")
    document = json.loads(result.stdout)
    assert {one["standing"] for one in document["clusters"]} == {"ok"}
    assert len(document["clusters"]) == CLUSTERS
    assert result.returncode == 0
    # On a busy machine a second is long: what it costs is what can be compared.
    assert cpu < 2.5


def test_who_is_out_and_who_is_unknown_stands_first(
    net: Net, database: Node, make_responder: MakeResponder, tmp_path: Path
) -> None:
    well, off, closed = (
        make_responder(database),
        make_responder(database),
        make_responder(database, responder="detail_from = 192.0.2.1/32"),
    )
    put(off.disabled, "{}")
    silent = socket.create_server((net.next_address(), PORTS[0]))  # it accepts nothing, and answers nothing
    names = {one: f"{one.address[0]}:{one.address[1]}" for one in (well, off, closed)}
    refused = f"{net.next_address()}:49000"
    file = tmp_path / "fleet"
    put(
        file,
        f"well: {names[well]} {names[closed]}\nout: {names[off]}\ndegraded: {names[well]} {names[off]}\n"
        f"unknown: {refused} {silent.getsockname()[0]}:{PORTS[0]} no-such-host.invalid\n",
    )
    try:
        result = fleet(file, "--json", "--deadline", "10s")
    finally:
        silent.close()
    clusters = {one["name"]: one for one in json.loads(result.stdout)["clusters"]}
    assert list(clusters) == ["out", "unknown", "degraded", "well"]
    assert result.returncode == 2
    assert [one["code"] for one in clusters["well"]["members"]] == ["synced", "synced"]
    why = [one["why"] for one in clusters["unknown"]["members"]]
    assert why[:2] == ["port 49000: connection refused", f"no answer on port {PORTS[0]} in time"]
    assert "does not resolve" in why[2]
    text = fleet(file)
    assert text.stdout.splitlines()[0].split() == ["CLUSTER", "STANDING", "IN", "WHY"]
    assert text.stdout.splitlines()[1].split()[:3] == ["out", "out", "0/1"]
    assert fleet(file, "--nagios").stdout.startswith("FLEET CRITICAL: 1 of 4 clusters ok, out out, unknown unknown")


def test_a_wrong_file_is_a_sentence(tmp_path: Path) -> None:
    result = fleet(tmp_path / "absent")
    assert (result.returncode, result.stderr) == (3, f"xha-check: {tmp_path}/absent: no such file or directory\n")
