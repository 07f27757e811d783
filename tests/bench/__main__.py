"""make bench: measures xha and its yardsticks in the same run, in turns."""

from __future__ import annotations

import argparse

from bench.commits import measure_commit_probe
from bench.elections import measure_election
from bench.installed import install
from bench.measures import (
    PASSWORD,
    USER,
    Bench,
    Row,
    measure_forked,
    measure_hung,
    measure_monitors,
    measure_service_answer,
    measure_throughput,
    say,
)
from loopback import Node, claim


def main() -> int:
    """Measure, print the table, and return whether every target was met."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often subject and yardstick take turns")
    parser.add_argument("--hung-seconds", type=float, default=60, help="how long mysqld is frozen")
    options = parser.parse_args()
    with claim() as net:
        say("installing xha, compiled, as make install does")
        installed = install(net.directory / "installed")
        say("starting a Galera node")
        with Node(net, net.directory / "node", net.address(1)) as node:
            node.create_account(f"{USER}@localhost", f"IDENTIFIED BY '{PASSWORD}'")
            bench = Bench(net, node, net.directory, options.rounds)
            rows = [
                *measure_throughput(bench),
                *measure_service_answer(bench),
                *measure_commit_probe(bench),
                *measure_forked(bench, installed),
                *measure_monitors(bench, installed),
                *measure_hung(bench, options.hung_seconds),
                *measure_election(),
            ]
    print_table(rows)
    return 0


def print_table(rows: list[Row]) -> None:
    """Print Markdown that can be pasted."""
    print("medians of alternating runs; what was not met fails nothing: machines are shared and noisy\n")
    print("| what | xha | yardstick | target | met |\n|---|---|---|---|---|")
    for row in rows:
        print(f"| {row.what} | {row.xha} | {row.yardstick} | {row.target} | {'yes' if row.met else 'NO'} |")


if __name__ == "__main__":
    raise SystemExit(main())
