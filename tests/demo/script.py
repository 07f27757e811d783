"""What happens to the scene, and what must follow each time: in xha's view, in HAProxy's, and for a client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from demo.scene import Scene, View

# HAProxy's check intervals are those of the guides, so its view may be up to 15 seconds late.
PATIENCE = 45.0


@dataclass(frozen=True)
class Step:
    """`act` may take long; the screen is updated meanwhile. Then `expect` must become true within `seconds`."""

    title: str
    act: Callable[[], None]
    expected: str
    expect: Callable[[View], bool]
    seconds: float = PATIENCE


def in_service(view: View, name: str) -> bool:
    row = view.row(name)
    return row.verdict == "synced" and row.haproxy == "UP"


def out_of_service(view: View, name: str, verdict: str) -> bool:
    row = view.row(name)
    return row.verdict == verdict and row.haproxy == "DOWN"


def all_in_service(view: View) -> bool:
    """Each verdict is green, and HAProxy has checked it: a server is UP before its first check too."""
    return all(in_service(view, row.node) and row.seen_by_check == "L7OK" for row in view.rows)


def steps(scene: Scene) -> list[Step]:
    first, third = scene.node("node-1"), scene.node("node-3")
    return [
        Step(
            "start three Galera nodes, and a responder for each",
            scene.start_nodes,
            "every verdict is synced",
            lambda view: all(row.verdict == "synced" for row in view.rows),
            seconds=90,
        ),
        Step(
            "start HAProxy with the `listen mysql` section of the OpenStack guides",
            scene.start_haproxy,
            "HAProxy has all three UP, clients reach node-1",
            lambda view: all_in_service(view) and view.client == "node-1",
        ),
        Step(
            "kill node-1 (SIGKILL)",
            first.kill,
            "node-1 is server-down, HAProxy has it DOWN, clients reach node-2",
            lambda view: out_of_service(view, "node-1", "server-down") and view.client == "node-2",
        ),
        Step(
            "start node-1 again",
            first.start,
            "node-1 is synced, HAProxy has it UP, clients are back on node-1",
            lambda view: all_in_service(view) and view.client == "node-1",
        ),
        Step(
            "freeze node-3 (SIGSTOP): its port still accepts connections",
            third.freeze,
            "node-3 is hung, HAProxy has it DOWN, the others serve",
            lambda view: (
                out_of_service(view, "node-3", "hung") and in_service(view, "node-1") and in_service(view, "node-2")
            ),
        ),
        Step(
            "let node-3 go on (SIGCONT)",
            third.thaw,
            "node-3 is synced, HAProxy has all three UP",
            all_in_service,
        ),
    ]
