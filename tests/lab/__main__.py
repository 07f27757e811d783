"""The laboratory's commands: `make lab`, `make lab-down`, `make lab-shell HOST=h1`, `make lab-report AGENT=...`."""

from __future__ import annotations

import argparse
import os
import random
import sys

from lab import needs, systems
from lab.contenders import BY_PROVIDER, CONTENDERS, XHA
from lab.faults import FAULTS
from lab.laboratory import Laboratory, guarded
from lab.place import HOSTS, MORE, Place
from lab.shell import CommandFailed
from lab.sweep import Busy, locked, sweep, sweep_abandoned
from lab.waiting import GaveUp
from lab.worlds import FAST, SEED, WORLDS


def up(options: argparse.Namespace) -> None:
    from lab.standing import stand_up

    lab = Laboratory(Place(options.name), options.system, (*HOSTS, *MORE)[: options.nodes])
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


def operate(options: argparse.Namespace) -> None:
    from lab.operations import carry_out, procedure

    carry_out(Laboratory(Place(options.name)), procedure(options.title))


def rehearse(options: argparse.Namespace) -> int:
    from lab.rehearsal import run_rehearsals

    lab = Laboratory(Place(f"rehearsal-{os.getpid()}"), options.system)
    with guarded(lab.place):
        return 0 if run_rehearsals(lab, options.titles) else 1


def report(options: argparse.Namespace) -> None:
    from lab.matrix import names_of, run_matrix

    lab = Laboratory(Place(f"report-{os.getpid()}"), options.system)
    with guarded(lab.place):
        world = WORLDS[options.world]
        run_matrix(lab, CONTENDERS[options.agent], world, names_of(world, options.faults), options.runs)


def matrix(options: argparse.Namespace) -> int:
    from lab.matrix import check_matrix

    lab = Laboratory(Place(f"matrix-{os.getpid()}"), options.system)
    with guarded(lab.place):
        return 0 if check_matrix(lab, CONTENDERS[options.agent], options.faults) else 1


def soak(options: argparse.Namespace) -> int:
    from lab.soak import run_soak

    seed = options.seed or str(random.SystemRandom().randrange(10**6))
    print(f"lab: the seed is {seed}; the same command with --seed {seed} repeats this soak, or goes on with it")
    lab = Laboratory(Place(f"soak-{os.getpid()}"), options.system)
    with guarded(lab.place):
        held = run_soak(lab, CONTENDERS[options.agent], WORLDS[options.world], seed, options.sequences)
    return 0 if held else 1


def remote(options: argparse.Namespace) -> int:
    from lab.remote import run_remote

    if not options.system.is_own:
        print(f"lab: remote fetches the package of {systems.OWN.name} for its hosts: leave OS= out", file=sys.stderr)
        return 2
    lab = Laboratory(Place(f"remote-{os.getpid()}"))
    with guarded(lab.place):
        return 0 if run_remote(lab) else 1


def arrange(options: argparse.Namespace) -> int:
    from lab.arrangements import ARRANGEMENTS, run_arrangements

    wanted = [ARRANGEMENTS[name] for name in options.arrangements or ARRANGEMENTS]
    place = Place(f"arranged-{os.getpid()}")
    with guarded(place):
        held = run_arrangements(lambda nodes: Laboratory(place, options.system, (*HOSTS, *MORE)[:nodes]), wanted)
    return 0 if held else 1


def timeline(options: argparse.Namespace) -> None:
    from lab.chronicle import run_chronicle

    lab = Laboratory(Place(f"timeline-{os.getpid()}"), options.system)
    with guarded(lab.place):
        run_chronicle(lab)


def plot(_: argparse.Namespace) -> None:
    from lab.matrix import read_reports
    from lab.plot import render_plot

    sys.stdout.write(render_plot(read_reports()))


def document(_: argparse.Namespace) -> None:
    from lab.page import render_document

    sys.stdout.write(render_document())


# What makes hosts, and needs their system.
WITHOUT_OPTIONS = (
    ("down", down, "take it down, whatever state it is in"),
    ("remote", remote, "a node of pacemaker-remote, and faults there"),
    ("timeline", timeline, "write docs/lab/timeline.md: where the seconds go"),
    ("plot", plot, "print docs/lab/outages.svg, from the reports"),
    ("document", document, "print docs/lab/document.md"),
)
BUILD = (up, rehearse, report, matrix, soak, arrange, timeline)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lab", description=__doc__)
    parser.add_argument("--name", default="lab", help="which laboratory, if there is more than one")
    known = ", ".join(dict.fromkeys((systems.OWN.name, *systems.BUILT)))
    parser.add_argument("--os", default="", help=f"what the hosts run: {known}; this machine's own system by default")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    choice = argparse.ArgumentParser(add_help=False)
    choice.add_argument(
        "--agent",
        type=lambda name: BY_PROVIDER.get(name, name),
        choices=CONTENDERS,
        default=XHA.name,
        help=f"or in short: {', '.join(BY_PROVIDER)}",
    )
    choice.add_argument("--world", choices=WORLDS, default=SEED.name)

    verb = verbs.add_parser("up", help="build it, as the document says", parents=[choice])
    verb.add_argument(
        "--in-full",
        action="store_true",
        help="with pcsd, and one after the other, as the document does; about 20 s more",
    )
    verb.add_argument("--nodes", type=int, choices=(3, 4, 5), default=3, help="how many hosts; 3 as the document has")
    verb.set_defaults(act=up)

    for name, act, text in WITHOUT_OPTIONS:
        verbs.add_parser(name, help=text).set_defaults(act=act)

    verb = verbs.add_parser("shell", help="a root shell on a host, or at the client's place")
    verb.add_argument("host", choices=(*HOSTS, *MORE, "client"))
    verb.set_defaults(act=shell)

    verb = verbs.add_parser("operate", help="type a procedure of docs/operations.md, word for word")
    verb.add_argument("title", help="the section's heading")
    verb.set_defaults(act=operate)

    verb = verbs.add_parser("rehearse", help="prepare, type and judge the procedures of docs/operations.md")
    verb.add_argument("titles", nargs="*", metavar="TITLE", help="all, or some of the headings")
    verb.set_defaults(act=rehearse)

    verb = verbs.add_parser("report", help="try faults and write docs/lab/AGENT.json and .md", parents=[choice])
    verb.add_argument("--runs", type=int, default=3, help="how often each; what was noted before counts")
    verb.add_argument("faults", nargs="*", metavar="FAULT", help=f"all, or some of: {', '.join(FAULTS)}")
    verb.set_defaults(act=report)

    verb = verbs.add_parser("matrix", help="try each fault once in each world; 1 if it is not as docs/lab says")
    verb.add_argument("--agent", choices=CONTENDERS, default=XHA.name)
    verb.add_argument("faults", nargs="*", metavar="FAULT", help="all, or some")
    verb.set_defaults(act=matrix)

    verb = verbs.add_parser("soak", help="random sequences of five faults", parents=[choice])
    verb.add_argument("--sequences", type=int, default=50)
    verb.add_argument("--seed", help="any word; the same one repeats a soak, or goes on with it")
    verb.set_defaults(act=soak)

    verb = verbs.add_parser("arrange", help="other clusters: five nodes, two clusters, garbd, settings from the field")
    verb.add_argument("arrangements", nargs="*", metavar="ARRANGEMENT", help="all, or some")
    verb.set_defaults(act=arrange)

    options = parser.parse_args(arguments)
    if getattr(options, "in_full", False) and options.nodes != len(HOSTS):
        parser.error("--in-full: the document has three hosts")
    if getattr(options, "world", "") == FAST.name and getattr(options, "nodes", len(HOSTS)) != len(HOSTS):
        parser.error("--world fast: docs/haproxy.cfg and docs/galera.cnf are for three hosts")
    unknown = [name for name in getattr(options, "faults", ()) if name not in FAULTS]
    if unknown:
        parser.error(f"no fault {', '.join(unknown)}; there are {', '.join(FAULTS)}")
    try:
        options.system = systems.find_system(options.os)
    except ValueError as error:
        parser.error(f"OS: {error}")
    return options


def main() -> int:
    options = parse(sys.argv[1:])
    lacking = [*needs.missing(), *systems.lacks(options.system)]
    if lacking and options.act not in (document, plot):
        print(f"lab: cannot stand here; it needs {', '.join(lacking)}", file=sys.stderr)
        return 1
    try:
        if options.act in BUILD:
            systems.build(options.system)
        return options.act(options) or 0
    except (CommandFailed, GaveUp, Busy, ConnectionError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
