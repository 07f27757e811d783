"""The laboratory for a person: `make lab`, `make lab-down`, `make lab-shell HOST=h1`, `make lab-report AGENT=...`."""

from __future__ import annotations

import argparse
import os
import sys

from lab import needs
from lab.contenders import CONTENDERS, HEARTBEAT
from lab.laboratory import Laboratory, guarded
from lab.place import HOSTS, Place
from lab.shell import CommandFailed
from lab.sweep import Busy, locked, sweep, sweep_abandoned
from lab.waiting import GaveUp
from lab.worlds import SEED, WORLDS


def up(options: argparse.Namespace) -> None:
    from lab.standing import stand_up

    lab = Laboratory(Place(options.name))
    with guarded(lab.place) as keep:
        lab.build()
        stand_up(lab, CONTENDERS[options.agent], WORLDS[options.world], in_full=options.in_full)
        keep()
    print(f"The laboratory stands. A shell in it: make lab-shell HOST={HOSTS[0]}; its end: make lab-down")


def down(options: argparse.Namespace) -> None:
    with locked(Place(options.name)):
        sweep(Place(options.name))
    for name in sweep_abandoned():
        print(f"lab: swept {name}, which nobody used any more")


def shell(options: argparse.Namespace) -> None:
    lab = Laboratory(Place(options.name))
    if options.host == "client":
        words = ["nsenter", f"--net={lab.place.namespace('client')}", "bash"]
    else:
        words = [*lab[options.host].enter(), f"TERM={os.environ.get('TERM', 'dumb')}", "bash", "--login"]
    os.execvp(words[0], words)


def document(_: argparse.Namespace) -> None:
    from lab.page import render_document

    sys.stdout.write(render_document())


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lab", description=__doc__)
    parser.add_argument("--name", default="lab", help="which laboratory, if there is more than one")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    verb = verbs.add_parser("up", help="build it, as the document says")
    verb.add_argument("--agent", choices=CONTENDERS, default=HEARTBEAT.name)
    verb.add_argument("--world", choices=WORLDS, default=SEED.name)
    verb.add_argument("--in-full", action="store_true", help="with pcsd, as the document does; about 20 s more")
    verb.set_defaults(act=up)

    verbs.add_parser("down", help="take it down, whatever state it is in").set_defaults(act=down)

    verb = verbs.add_parser("shell", help="a root shell on a host, or at the client's place")
    verb.add_argument("host", choices=(*HOSTS, "client"))
    verb.set_defaults(act=shell)

    verbs.add_parser("document", help="print docs/lab/document.md").set_defaults(act=document)
    return parser.parse_args(arguments)


def main() -> int:
    options = parse(sys.argv[1:])
    lacking = needs.missing()
    if lacking and options.act is not document:
        print(f"lab: cannot stand here; it needs {', '.join(lacking)}", file=sys.stderr)
        return 1
    try:
        options.act(options)
    except (CommandFailed, GaveUp, Busy, ConnectionError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
