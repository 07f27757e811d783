"""make bench: measures xha and its yardsticks in the same run, in turns."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Callable

from bench.commits import measure_commit_probe
from bench.elections import measure_election
from bench.growth import Growth, measure_growth
from bench.installed import install
from bench.keepers import measure_keeper
from bench.measures import PASSWORD, USER, Bench, Row, measure_forked, measure_hung, measure_monitors, say
from bench.page import compare, figures, make_part, read_parts, render, write
from bench.residents import measure_residents
from bench.responders import measure_beside, measure_freshness, measure_service_answer, measure_throughput
from bench.services import measure_services
from bench.sweeps import measure_sweep
from loopback import Node, claim

if TYPE_CHECKING:
    from bench.installed import Installed


def main() -> int:
    """Measure, print the tables, and say what became worse. It is no failure: machines are shared and noisy."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help="measure these only: throughput, growth, keeper...")
    parser.add_argument("--rounds", type=int, default=7, help="how often subject and yardstick take turns")
    parser.add_argument("--hung-seconds", type=float, default=60, help="how long mysqld is frozen")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md and its figures")
    options = parser.parse_args()
    with claim() as net:
        say("installing xha, compiled, as make install does")
        installed = install(net.directory / "installed")
        say("starting a Galera node")
        with Node(net, net.directory / "node", net.address(1)) as node:
            node.create_account(f"{USER}@localhost", f"IDENTIFIED BY '{PASSWORD}'")
            bench = Bench(net, node, net.directory, options.rounds)
            all_parts = choose(bench, installed, options.hung_seconds)
            unknown = set(options.parts) - set(all_parts)
            if unknown:
                parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(all_parts)}")
            parts = {name: make_part(all_parts[name]()) for name in options.parts or all_parts}
    print(render(parts))
    print("\n".join(compare(figures(parts), figures(read_parts())) or ["no ratio became worse"]))
    if options.write:
        write(parts)
    return 0


def choose(
    bench: Bench, installed: Installed, hung_seconds: float
) -> dict[str, Callable[[], list[Row] | list[Growth]]]:
    """Return what can be measured, in its order."""
    return {
        "throughput": lambda: measure_throughput(bench),
        "answers": lambda: measure_service_answer(bench),
        "beside": lambda: measure_beside(bench),
        "freshness": lambda: measure_freshness(bench),
        "commits": lambda: measure_commit_probe(bench),
        "forked": lambda: measure_forked(bench, installed),
        "residents": lambda: measure_residents(bench, installed),
        "monitors": lambda: measure_monitors(bench, installed),
        "services": lambda: measure_services(bench, installed),
        "hung": lambda: measure_hung(bench, hung_seconds),
        "elections": measure_election,
        "growth": lambda: measure_growth(bench, installed),
        "sweep": lambda: measure_sweep(bench),
        "keeper": lambda: measure_keeper(bench),
    }


if __name__ == "__main__":
    raise SystemExit(main())
