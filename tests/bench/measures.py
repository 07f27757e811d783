"""Runs each subject and its yardstick in turns, and returns rows for the table."""

from __future__ import annotations

import os
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, NamedTuple

from bench.installed import INTERPRETER, Installed
from bench.monitors import Agent, heartbeat, lone_node, processor_ms
from bench.probes import REQUEST, probe_steadily
from loopback import Net, Node, Responder
from loopback.responder import PORT

SERVER_CPU, CLIENT_CPU = 0, 1
DEADLINE = 1.0
USER, PASSWORD = "xha", "bench"
OPTION_FILE = f"[client]\nuser={USER}\npassword={PASSWORD}\n"
# What every check with one process for each probe has to pay: import PyMySQL, log in, send clustercheck's query.
YARDSTICK_SCRIPT = """\
import pymysql, sys
connection = pymysql.connect(unix_socket=sys.argv[1], user="xha", password="bench", ssl_disabled=True)
cursor = connection.cursor()
cursor.execute("SHOW STATUS LIKE 'wsrep_local_state'")
print(cursor.fetchall())
cursor.execute("SHOW GLOBAL VARIABLES LIKE 'read_only'")
print(cursor.fetchall())
connection.close()
"""
# What a user would pick instead: the client, once for the state and once for read_only.
SHELL = "bash and the mariadb client, twice"
SHELL_SCRIPT = """\
ask="mariadb --defaults-file=$1 --socket=$2 --connect-timeout=10 -NBe"
state=$($ask "SHOW STATUS LIKE 'wsrep_local_state'" | cut -f2)
read_only=$($ask "SHOW GLOBAL VARIABLES LIKE 'read_only'" | cut -f2)
[ "$state" = 4 ] && [ "$read_only" = OFF ] && printf 'HTTP/1.1 200 OK\\r\\n\\r\\n'
"""


class Row(NamedTuple):
    """One line of the table: the subject, xha's figure, the yardstick's, the target, and whether it was met.

    ratio: what later runs are compared by, less is better; 0 where a figure of another machine says nothing.
    """

    what: str
    xha: str
    yardstick: str
    target: str
    met: bool
    ratio: float = 0.0


class Bench(NamedTuple):
    """What the measures share."""

    net: Net
    node: Node
    directory: Path
    rounds: int

    @property
    def client_options(self) -> list[str]:
        """Address and account for the forked checks."""
        file = self.directory / "client.cnf"
        file.write_text(OPTION_FILE)
        file.chmod(0o600)
        return ["--defaults-file", str(file), "--socket", str(self.node.socket)]


@contextmanager
def responder(bench: Bench, settings: str = "", database: str = "") -> Iterator[Responder]:
    """The responder, on the servers' CPU. settings, database: lines for these sections of xha.conf."""
    address = (bench.net.next_address(), PORT)
    directory = bench.directory / f"responder-{address[0]}"
    sections = {"database": database, "responder": settings}
    one = Responder(bench.net, directory, [address], bench.node.socket, client=OPTION_FILE, **sections)
    with on_cpu(SERVER_CPU), one:
        yield one


@contextmanager
def on_cpu(cpu: int) -> Iterator[None]:
    """Run the processes that are started here on one CPU. This process returns to its former CPUs."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure_hung(bench: Bench, seconds: float) -> list[Row]:
    """mysqld frozen under 1,000 probes per second."""
    say(f"mysqld frozen, {seconds:g} s at 1,000 probes per second")
    with responder(bench) as ours:
        probe_steadily(ours.address, 100, 1)
        before = (resident_mb(ours.pid), descriptors(ours.pid))
        bench.node.freeze()
        try:
            with on_cpu(CLIENT_CPU):
                probes = probe_steadily(ours.address, 1000, seconds)
        finally:
            bench.node.thaw()
        after = (resident_mb(ours.pid), descriptors(ours.pid))
    # Within max_age of the freeze, the last finished reading is still the right answer.
    late = [one for one in probes if "503" not in one.status][100:]
    worst = max(one.seconds for one in probes)
    p99 = sorted(one.seconds for one in probes)[int(len(probes) * 0.99)]
    return [
        Row(
            f"mysqld frozen, {len(probes):,} probes: slowest 503",
            f"{worst * 1000:.0f} ms (p99 {p99 * 1000:.1f} ms)",
            "percona-clustercheck 10.1 s (design.md)",
            f"at most {DEADLINE * 1000 + 50:.0f} ms",
            worst <= DEADLINE + 0.05 and not late,
        ),
        Row(
            "the same, growth",
            f"{after[0] - before[0]:+.1f} MB, {after[1] - before[1]:+d} descriptors",
            "",
            "none (2 MB, 10 descriptors)",
            after[0] - before[0] < 2 and after[1] - before[1] < 10,
        ),
    ]


def measure_forked(bench: Bench, installed: Installed) -> list[Row]:
    """The checks that start a process each time, against a script that only imports PyMySQL and sends a query."""
    environment = {**os.environ, "PYTHONPATH": str(installed.packages)}
    extra = bench.directory / "clustercheck.cnf"
    extra.write_text(f"[client]\nsocket={bench.node.socket}\n")
    script = bench.directory / "yardstick.py"
    script.write_text(YARDSTICK_SCRIPT)
    yardstick, clustercheck, one_shot, node = "script", "clustercheck", "responder, wait = no", "xha-check --node"
    shell = bench.directory / "yardstick.sh"
    shell.write_text(SHELL_SCRIPT)
    subjects: dict[str, Callable[[], None]] = {
        SHELL: lambda: run(
            ["/bin/bash", str(shell), str(bench.client_options[1]), str(bench.node.socket)], environment
        ),
        yardstick: lambda: run([INTERPRETER, str(script), str(bench.node.socket)], environment),
        clustercheck: lambda: run(
            [installed.door("clustercheck"), USER, PASSWORD], {**environment, "DEFAULTS_EXTRA_FILE": str(extra)}
        ),
        one_shot: lambda: run_on_connection([installed.door("xha-responder"), *bench.client_options], environment),
        node: lambda: run([installed.door("xha-check"), "--node", *bench.client_options], environment),
    }
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in subjects}
    for turn in range(bench.rounds):
        say(f"forked checks, round {turn + 1} of {bench.rounds}")
        for name, subject in list(subjects.items()) * 5:
            costs[name].append(cost(subject))
    medians = {name: [statistics.median(figures) for figures in zip(*each)] for name, each in costs.items()}
    script_cpu, script_wall = medians[yardstick]
    rows = []
    for name in (clustercheck, one_shot):
        cpu, wall = medians[name]
        ratio = cpu / script_cpu
        rows += [
            Row(
                f"CPU of one {name}",
                f"{cpu:.0f} ms",
                f"a script that imports PyMySQL and asks {script_cpu:.0f} ms",
                f"ratio {ratio:.2f}, at most 1.3",
                ratio <= 1.3,
                ratio,
            ),
            Row("the same, wall", f"{wall:.0f} ms", f"{script_wall:.0f} ms", "at most 112 ms", wall <= 112),
        ]
    mine, bash = medians[clustercheck][0], medians[SHELL][0]
    rows.append(
        Row("CPU of one clustercheck", f"{mine:.0f} ms", f"{SHELL} {bash:.0f} ms", "none yet", True, mine / bash)
    )
    wall = medians[node][1]
    return [*rows, Row("xha-check --node, wall", f"{wall:.0f} ms", "", "under 150 ms", wall < 150)]


def measure_monitors(bench: Bench, installed: Installed) -> list[Row]:
    """The agent's monitor against that of ocf:heartbeat:galera, which queries the server; both on one server."""
    say("monitors of the agents, on a host of their own")
    ours, alone, theirs = "ocf:xha:galera", "ocf:xha:galera, the keeper is not asked", "ocf:heartbeat:galera"
    program = installed.door("galera")
    with lone_node(bench.net, program) as one:
        agents = {ours: Agent(program), alone: Agent(program, asks=False), theirs: heartbeat(one)}
        spent = processor_ms(one, agents, bench.rounds * 5)
    rows = []
    for name, most in ((ours, 0.2), (alone, 0.5)):
        ratio = spent[name] / spent[theirs]
        rows.append(
            Row(
                f"CPU of one monitor, depth 0{name[len(ours) :]}",
                f"{spent[name]:.1f} ms",
                f"{theirs} {spent[theirs]:.1f} ms",
                f"ratio {ratio:.2f}, at most {most}",
                ratio <= most,
                ratio,
            )
        )
    return rows


def cost(subject: Callable[[], None]) -> tuple[float, float]:
    """CPU time and wall time, in milliseconds, of the one process that the subject runs."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subject()
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000, wall * 1000


def run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a check. Raises if it does not succeed."""
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=True)


def run_on_connection(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a check as xinetd does with `wait = no`: an accepted connection is its standard input and output."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
    with client, accepted:
        client.sendall(REQUEST)
        process = subprocess.Popen(command, env=environment, stdin=accepted, stdout=accepted, stderr=accepted)
        accepted.close()
        answer = b"".join(iter(lambda: client.recv(4096), b""))
        client.close()
        if process.wait() or b" 200 " not in answer[:20]:
            raise RuntimeError(f"{command[1]}: exit {process.returncode}, {answer!r}")


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def descriptors(pid: int) -> int:
    """How many file descriptors a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def say(text: str) -> None:
    """Print a progress line that is not part of the table."""
    print(f"bench: {text}", file=sys.stderr, flush=True)
