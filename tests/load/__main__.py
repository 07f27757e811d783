"""make test-load: prints a line for each disturbance, and ends with 1 if any answer was a false red."""

from __future__ import annotations

import argparse
import contextlib
import threading
import time

from load.disturbances import Disturbance, Scene, in_turn, settle
from load.traffic import Writer, create_tables
from load.watching import Watcher
from loopback import Cluster, claim
from responder.commit_probe import prepare_commit_probe
from responder.process import Responder

# A backup follows the redo log: one of the tests' usual 4 MiB is overwritten before it was copied.
OPTIONS = (
    *("--log-bin=binlog", "--innodb-flush-log-at-trx-commit=1", "--innodb-log-file-size=96M"),
    "--wsrep-sst-auth=root:",  # root has no password
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make test-load", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600, help="how long the load lasts, 3600 by default")
    options = parser.parse_args()
    stop = threading.Event()
    with claim() as net, contextlib.ExitStack() as stack:
        say("starting three nodes")
        cluster = stack.enter_context(Cluster(net, net.directory / "cluster", options=OPTIONS, by_file=True))
        create_tables(cluster.nodes[0])
        prepare_commit_probe(cluster.nodes[0])
        responders = [
            stack.enter_context(Responder(net, f"load-{number}", node, policy="last_node = 0"))
            for number, node in enumerate(cluster.nodes, start=1)
        ]
        watchers = [Watcher(number, one.address, stop) for number, one in enumerate(responders, start=1)]
        writers = [Writer(node, stop) for node in (*cluster.nodes[:2], cluster.nodes[0])]
        stack.callback(stop.set)
        for thread in (*watchers, *writers):
            thread.start()
        scene = Scene(net, cluster)
        false_reds = sum(disturb(scene, one, watchers, stop) for one in in_turn(options.seconds))
        stop.set()
        for thread in (*watchers, *writers):
            thread.join(60)
    answers = sum(len(one.answers) for one in watchers)
    slowest = max(one.slowest for one in writers)
    say(f"{sum(one.committed for one in writers)} transactions, the slowest took {slowest:.1f} s")
    say(f"{answers} answers, {false_reds} false reds")
    return 1 if false_reds else 0


def disturb(scene: Scene, one: Disturbance, watchers: list[Watcher], stop: threading.Event) -> int:
    """Do it, say what was answered meanwhile, and return how many answers were false reds."""
    began = time.monotonic()
    one.act(scene)
    acted = time.monotonic() - began
    settle(scene.cluster.nodes, stop)
    false, seen = 0, []
    for watcher in watchers:
        red = watcher.red(began, time.monotonic())
        wrong = {code: count for code, count in red.items() if code not in one.allowed.get(watcher.number, ())}
        false += sum(wrong.values())
        if red:
            seen.append(f"node-{watcher.number} {', '.join(f'{code} {count}' for code, count in red.items())}")
        if wrong:
            seen.append(f"node-{watcher.number} FALSE: {', '.join(wrong)}")
    say(f"{one.name}: {acted:.1f} s, {'; '.join(seen) or 'always 200'}")
    return false


def say(text: str) -> None:
    print(f"test-load: {text}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
