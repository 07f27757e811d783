"""docs/haproxy.cfg and docs/galera.cnf, read by the programs that they are for.

What the first one does for clients is in tests/responder/test_drained_stop.py, and in the laboratory's fast world.
"""

from __future__ import annotations

import re
import subprocess

import pytest

from loopback import Net, Node, find_program
from loopback.doors import CHECKOUT
from loopback.server_root import ROOT, server_command

HAPROXY_CFG, OPENSTACK_CFG, GALERA_CNF = (
    CHECKOUT / "docs" / name for name in ("haproxy.cfg", "haproxy-openstack.cfg", "galera.cnf")
)
SECONDS = 60  # what a busy machine may take
FORMS = {"alone": (HAPROXY_CFG,), "with the other services": (HAPROXY_CFG, OPENSTACK_CFG)}


@pytest.mark.parametrize("files", FORMS.values(), ids=FORMS)
def test_haproxy_reads_the_file_without_a_warning(files: tuple[object, ...]) -> None:
    words = [word for file in files for word in ("-f", str(file))]
    command = [find_program("haproxy", "haproxy"), "-c", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr.strip()) == (0, "Configuration file is valid", "")


def options() -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.+)$", GALERA_CNF.read_text(encoding="utf-8"), re.MULTILINE))


def provider_options() -> dict[str, str]:
    return dict(word.split("=") for word in options()["wsrep_provider_options"].strip('"').split(";"))


@pytest.mark.skipif(bool(ROOT), reason="the server of another root does not see this file")
def test_mariadbd_reads_every_option_of_the_file_as_it_is_meant() -> None:
    command = [*server_command("mariadbd", "mariadb-server"), f"--defaults-file={GALERA_CNF}", "--verbose", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    understood = dict(re.findall(r"^([a-z][\w-]*) +(\S.*)$", done.stdout.partition("\nVariables ")[2], re.MULTILINE))
    said = {name.replace("_", "-"): value.strip('"') for name, value in options().items()}
    assert {name: understood[name] for name in said} == {**said, "wsrep-on": "TRUE"}


def test_galera_starts_with_the_options_for_its_provider(net: Net) -> None:
    given = {**provider_options(), "gcache.size": "16M"}
    told = ";".join(f"{name}={value}" for name, value in given.items())
    with Node(net, net.directory / "advised", net.next_address(), provider_options=told) as node:
        ((answer,),) = node.sql("SELECT @@wsrep_provider_options")
    in_force = dict(word.split(" = ") for word in str(answer).split("; ") if " = " in word)
    assert {name: in_force[name] for name in given} == given


def test_the_times_of_galera_are_in_the_order_that_it_needs() -> None:
    """A member has to say something more than once before it is suspected, and is looked for more often than that."""
    times = {name: float(value[2:-1]) for name, value in provider_options().items() if value.startswith("PT")}
    assert times["evs.keepalive_period"] * 3 < times["evs.suspect_timeout"] < times["evs.inactive_timeout"]
    assert times["evs.join_retrans_period"] * 3 < times["evs.suspect_timeout"], (
        "while a node joins, nothing else is said"
    )
    assert times["evs.inactive_check_period"] * 2 < times["evs.suspect_timeout"]
    assert times["evs.install_timeout"] <= times["evs.inactive_timeout"]
