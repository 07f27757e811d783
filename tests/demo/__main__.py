"""`make demo`: on a terminal a live table; without one, or with DEMO=once, lines. Exits 0 if every step succeeded.

OS names the system on which all of it runs, where it is another one than this machine's.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from types import FrameType

from demo.scene import Scene
from demo.screens import Lines, Terminal
from demo.script import Step, steps
from loopback import MissingProgram, claim

LOOK_SECONDS = 0.25
LINGER_SECONDS = 5.0  # on a terminal, a last look before everything ends


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--os", default="", help="the system on which it runs: this machine's own by default")
    name = parser.parse_args().os
    if name:
        from lab import needs, systems  # the demo itself also runs where nothing of the laboratory does
        from lab.shell import CommandFailed

        try:
            system = systems.find_system(name)
        except ValueError as error:
            parser.error(f"OS: {error}")
        lacking = [*needs.missing(), *systems.lacks(system)]
        if lacking and not system.is_own:
            print(f"demo: cannot run on {name} here; it needs {', '.join(lacking)}", file=sys.stderr)
            return 1
        if not system.is_own:
            from demo.elsewhere import perform_on

            try:
                perform_on(system)
            except CommandFailed as error:
                print(f"demo: {error}", file=sys.stderr)
                return 1
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with claim() as net:
            scene = Scene(net)
            with scene.ended_afterwards():
                came_true = perform(scene)
    except MissingProgram as missing:
        print(f"demo: {missing}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted; every process and file of it is gone", file=sys.stderr)
        return 130
    print("demo: every step came true" if came_true else "demo: not every step came true", flush=True)
    return 0 if came_true else 1


def perform(scene: Scene) -> bool:
    """Run the script. Return False at the first step that fails, after printing the logs."""
    plan = steps(scene)
    live = sys.stdout.isatty() and os.environ.get("DEMO") != "once"
    screen = Terminal() if live else Lines(len(plan))
    with screen:
        came_true = all(perform_step(scene, step, screen) for step in plan)
        if live and came_true:
            time.sleep(LINGER_SECONDS)
    if not came_true:
        print(scene.logs(), file=sys.stderr)
    return came_true


def perform_step(scene: Scene, step: Step, screen: Lines | Terminal) -> bool:
    """Act, and look at the scene until the expected state is there, the deadline is over, or the act has failed."""
    failed: list[Exception] = []

    def act() -> None:
        try:
            step.act()
        except Exception as error:
            failed.append(error)

    screen.begin(step)
    acting = threading.Thread(target=act, daemon=True)
    acting.start()
    deadline = time.monotonic() + step.seconds
    came_true = False
    while not (came_true or failed) and time.monotonic() < deadline:
        view = scene.look()
        screen.show(view)
        came_true = not acting.is_alive() and step.expect(view)
        time.sleep(LOOK_SECONDS)
    screen.end(step, came_true)
    for error in failed:
        print(f"demo: {error}", file=sys.stderr)
    return came_true


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
