"""The objects for Icinga 2: read by the real icinga2, which then runs the checks of a member and of the fleet."""

from __future__ import annotations

import contextlib
import re
import subprocess
from pathlib import Path

import pytest

from loopback import Daemon, Net, Node, find_program, wait_until
from loopback.doors import door
from loopback.files import put
from responder.conftest import MakeResponder

OBJECTS = Path(__file__).parents[2] / "docs/monitoring/icinga2.conf"
# What a site has of its own: what runs checks and writes down what they came to, and a member.
SITE = """
include <itl>
const NodeName = "monitor"
object CheckerComponent "checker" {{ }}
object PerfdataWriter "perfdata" {{
  host_perfdata_path = "{directory}/host.perfdata"
  service_perfdata_path = "{directory}/service.perfdata"
  host_temp_path = "{directory}/host.temp"
  service_temp_path = "{directory}/service.temp"
  host_format_template = "$host.name$\t$host.state$\t$host.output$\t$host.perfdata$"
  service_format_template = "$service.name$\t$service.state$\t$service.output$\t$service.perfdata$"
  rotation_interval = 1s
}}
object Host "member" {{
  check_command = "xha-node"
  vars.galera = true
  vars.xha_config = "{config}"
}}
"""


class Icinga:
    """icinga2 with our objects and a site's own, all of it below one directory."""

    def __init__(self, net: Net, directory: Path, config: Path, fleet: Path) -> None:
        self.directory = directory
        objects = OBJECTS.read_text().replace("/usr/bin/xha-check", door("xha-check"))
        objects = objects.replace('"/etc/xha/fleet"', f'"{fleet}"')
        objects = re.sub(r"(check|retry)_interval = \S+", r"\1_interval = 2s", objects)
        put(directory / "xha.conf", objects)
        put(
            directory / "icinga2.conf",
            SITE.format(directory=directory, config=config) + f'include "{directory}/xha.conf"\n',
        )
        for name in ("data", "log", "cache", "run"):
            (directory / name).mkdir()
        self.argv = [
            find_program("icinga2", "icinga2-bin"),
            "daemon",
            "--config",
            str(directory / "icinga2.conf"),
            *("--define", "RunAsUser=root", "--define", "RunAsGroup=root"),  # its own account reads no test's files
            *("--define", f"DataDir={directory}/data", "--define", f"LogDir={directory}/log"),
            *("--define", f"CacheDir={directory}/cache", "--define", f"InitRunDir={directory}/run"),
        ]
        self.daemon = Daemon(net, self.argv, directory / "icinga2.log")

    def results(self, kind: str) -> dict[str, tuple[str, str, str]]:
        """The last result of each object: its state, its output and its performance data."""
        lines: list[str] = []
        for path in sorted(self.directory.glob(f"{kind}.*")):
            with contextlib.suppress(FileNotFoundError):  # each second icinga2 gives what it has written another name
                *whole, _ = path.read_text().split("\n")  # the last line is not written to its end
                lines += whole
        fields = [line.split("\t") for line in lines]
        return {one[0]: (one[1], one[2], one[3]) for one in fields if len(one) == 4}


@pytest.fixture
def icinga(net: Net, database: Node, make_responder: MakeResponder, tmp_path: Path) -> Icinga:
    responder = make_responder(database)
    responder.verdict()
    host, port = responder.address
    put(tmp_path / "fleet", f"prod: {host}:{port}\n")
    return Icinga(net, tmp_path, responder.config, tmp_path / "fleet")


def test_icinga_reads_them_and_runs_the_checks(icinga: Icinga) -> None:
    read = subprocess.run([*icinga.argv, "--validate"], capture_output=True, text=True, timeout=120, check=False)
    assert read.returncode == 0, read.stdout
    assert "critical" not in read.stdout
    assert "warning" not in read.stdout
    with icinga.daemon:
        wait_until(
            lambda: (
                {"xha-fleet", "member"} <= set(icinga.results("host"))
                and {"galera-node", "galera-availability", "galera-doctor"} <= set(icinga.results("service"))
            ),
            120,
            lambda: f"{icinga.results('host')} {icinga.results('service')}\n{icinga.daemon.tail()}",
        )
    hosts, services = icinga.results("host"), icinga.results("service")
    state, output, data = services["galera-node"]
    assert (state, output.strip()) == ("OK", "GALERA OK: synced, the node is synced and answers queries")
    assert "wsrep_local_state=4" in data
    assert hosts["member"][0] == "UP"
    assert re.match(r"FLEET (OK|WARNING|CRITICAL)", hosts["xha-fleet"][1]), hosts
    assert services["galera-availability"][1].startswith("HISTORY "), services
    assert services["galera-doctor"][1].startswith("DOCTOR "), services


def test_each_command_is_one_that_there_is(icinga: Icinga) -> None:
    words = re.findall(r'command = \[ XhaCheck, "(\w+)", "--nagios" \]', OBJECTS.read_text())
    assert words == ["node", "cluster", "fleet", "history", "doctor"]
    for word in words:
        told = subprocess.run(
            [door("xha-check"), word, "--help"], capture_output=True, text=True, timeout=60, check=False
        )
        options = set(
            re.findall(r'"(--\w+)" =', OBJECTS.read_text().partition(f'"xha-{word}"')[2].partition("\n}\n")[0])
        )
        assert {option for option in options if option not in told.stdout} == set()
