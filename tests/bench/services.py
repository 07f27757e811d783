"""What xha-services costs: one check of each kind, and twenty services at their usual interval."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.installed import INTERPRETER, Installed
from bench.measures import OPTION_FILE, Bench, Row, say
from loopback import Daemon, HAProxy, wait_until
from loopback.memcached import PORT, Memcached

SECONDS, MOST_OF_A_CORE = float(os.environ.get("BENCH_SECONDS", "60")), 0.03
TICK = 1 / os.sysconf("SC_CLK_TCK")
# What each API answers to the request of its check; HAProxy gives it, for none of them is installed here.
VERSIONS = '{"versions": [{"id": "v2.1", "status": "CURRENT"}]}'
KEYSTONE = '{"version": {"id": "v3.14", "status": "stable"}}'
APIS = """\
frontend apis
  mode http
  timeout client 5s
  bind {address}:8000
  http-request return status 200 content-type application/json string '{keystone}' if {{ path /v3 }}
  http-request return status 200 content-type text/plain string OK if {{ path /healthcheck }}
  http-request return status 200 content-type text/html string '<html></html>' if {{ path /vnc_lite.html }}
  http-request return status 200 content-type application/json string '{versions}'
"""
HTTP = ("keystone", "glance-api", "glance-registry", "nova-api", "placement-api", "neutron-server", "cinder-api")
WORKERS = (
    "nova-conductor",
    "nova-scheduler",
    "nova-consoleauth",
    "neutron-rpc-server",
    "neutron-dhcp-agent",
    "neutron-l3-agent",
    "cinder-scheduler",
    "cinder-volume",
)
# Runs each check as xha-services does, in a child of a process that has imported everything; prints the CPU of each.
CHILDREN = """\
import json, resource, statistics, sys
from xha.app.checks.fork_runner import job_of, load_checks, run_jobs
from xha.app.node.reader import ConfigFile
from xha.core.services.settings import parse_services
services, faults = parse_services(ConfigFile(sys.argv[1]).refresh())
assert not faults, faults
load_checks(map(job_of, services), stays=True)
def spent():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
said = {}
for service in services:
    costs = []
    for _ in range(int(sys.argv[2])):
        before = spent()
        [(_, result)] = run_jobs([job_of(service)])
        costs.append((spent() - before) * 1000)
    said[service.name] = (statistics.median(costs), result.status.value, result.message)
print(json.dumps(said))
"""


class Controller(NamedTuple):
    """A host with twenty services: their xha.conf, and how many there are."""

    config: Path
    services: int


@contextmanager
def controller(bench: Bench) -> Iterator[Controller]:
    """Daemons for twenty services. The APIs are HAProxy's answers, and the workers are processes with their names."""
    directory, address = bench.directory / "controller", bench.net.next_address()
    apis = APIS.format(address=address, keystone=KEYSTONE, versions=VERSIONS)
    with ExitStack() as stack:
        proxy = stack.enter_context(HAProxy(bench.net, directory / "haproxy", apis))
        cache = stack.enter_context(Memcached(bench.net, directory / "memcached"))
        for name in WORKERS:
            script = directory / name
            script.write_text("import time\ntime.sleep(86400)\n")
            stack.enter_context(Daemon(bench.net, [sys.executable, str(script)], directory / f"{name}.log"))
        client = directory / "client.cnf"
        client.write_text(OPTION_FILE)
        sections = [
            f"[database]\nsocket = {bench.node.socket}\ndefaults_file = {client}",
            f"[responder]\nservices_directory = {directory}/results\ndisabled_file = {directory}/disabled",
            *(f"[service {name}]\nurl = http://{address}:8000\nlevel = protocol" for name in HTTP),
            f"[service nova-novncproxy]\nurl = http://{address}:8000\nlevel = protocol",
            *(f"[service {name}]\nlevel = process\nprocess = ^\\S+ {directory}/{name}$" for name in WORKERS),
            f"[service mysql]\nprocess = ^\\S+ .*--bind-address={bench.node.address} ",
            f"[service memcached]\nhost = {cache.address}\nport = {PORT}",
            f"[service haproxy]\nstats_socket = {proxy.socket}\nlevel = protocol",
        ]
        config = directory / "xha.conf"
        config.write_text("\n".join(sections) + "\n")
        yield Controller(config, len(sections) - 2)


def measure_services(bench: Bench, installed: Installed) -> list[Row]:
    """Return a row for each kind of check, and one for all services together."""
    with controller(bench) as host:
        say("each check of xha-services")
        rows = [_row(name, *one) for name, one in _each_check(host, installed, bench.rounds * 3).items()]
        say(f"xha-services with {host.services} services, {SECONDS:g} s")
        share = _share(host, installed)
    per_check = share * 10 / host.services * 1000
    return [
        *rows,
        Row(
            f"xha-services, {host.services} services at 10 s",
            f"{share:.2%} of a core ({per_check:.1f} ms a check)",
            "",
            f"under {MOST_OF_A_CORE:.0%}",
            share < MOST_OF_A_CORE,
        ),
    ]


def _row(name: str, cpu: float, status: str, message: str) -> Row:
    return Row(f"CPU of one check, {name}", f"{cpu:.1f} ms", "", f"is ok ({status}: {message})", status == "ok")


def _each_check(host: Controller, installed: Installed, runs: int) -> dict[str, tuple[float, str, str]]:
    done = subprocess.run(
        [INTERPRETER, "-c", CHILDREN, str(host.config), str(runs)],
        env={**os.environ, "PYTHONPATH": str(installed.packages), "XHA_TOKENS": str(host.config.parent)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = {name: (cpu, status, message) for name, (cpu, status, message) in json.loads(done.stdout).items()}
    kinds = {"an API (HTTP)": HTTP[1:], "a worker (process)": WORKERS}
    medians = {
        kind: (statistics.median(found[name][0] for name in names), *found[names[0]][1:])
        for kind, names in kinds.items()
    }
    together = {name for names in kinds.values() for name in names}
    return {**{name: one for name, one in found.items() if name not in together}, **medians}


def _share(host: Controller, installed: Installed) -> float:
    argv = [installed.door("xha-services"), "--config", str(host.config)]
    with subprocess.Popen(argv, env={**os.environ, "PYTHONPATH": str(installed.packages)}) as process:
        try:
            results = host.config.parent / "results"
            done = lambda: results.is_dir() and len(list(results.glob("*.json"))) >= host.services  # noqa: E731
            wait_until(done, 60, "each service has a result")
            time.sleep(10)  # the checks spread over the interval
            before, began = _seconds(process.pid), time.monotonic()
            time.sleep(SECONDS)
            return (_seconds(process.pid) - before) / (time.monotonic() - began)
        finally:
            process.terminate()


def _seconds(pid: int) -> float:
    """The processor time of a process and of its children that have ended (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) * TICK
