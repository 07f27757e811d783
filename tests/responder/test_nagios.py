"""The objects for Nagios: read by the real nagios4, and the command of each run as Nagios would."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from loopback import Net, Node, find_program
from loopback.doors import door
from loopback.files import put
from responder.conftest import MakeResponder

OBJECTS = Path(__file__).parents[2] / "docs/monitoring/nagios.cfg"
COMMANDS = dict(re.findall(r"command_name +(\S+)\n +command_line +(.*)", OBJECTS.read_text()))


def test_nagios_reads_them(tmp_path: Path) -> None:
    # An installation has a contact of its own: Nagios does not begin without any.
    put(
        tmp_path / "contact.cfg",
        "define contact {\ncontact_name me\nhost_notification_commands check_xha_cluster\n"
        "service_notification_commands check_xha_cluster\nhost_notification_period xha-always\n"
        "service_notification_period xha-always\n}\n",
    )
    # Its own account could not read a directory of this test.
    settings = ("nagios_user=root", "nagios_group=root", f"log_file={tmp_path}/log", f"check_result_path={tmp_path}")
    put(tmp_path / "nagios.cfg", "\n".join([f"cfg_file={OBJECTS}", f"cfg_file={tmp_path}/contact.cfg", *settings, ""]))
    argv = [find_program("nagios4", "nagios4-core"), "-v", str(tmp_path / "nagios.cfg")]
    result = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert "Total Errors:   0" in result.stdout, result.stdout
    assert result.returncode == 0
    assert set(re.findall(r"check_command +(\w+)", OBJECTS.read_text())) <= set(COMMANDS)


@pytest.mark.parametrize("name", ["check_xha_fleet", "check_xha_history"])
def test_its_command_prints_what_a_plugin_prints(
    name: str, net: Net, database: Node, make_responder: MakeResponder, tmp_path: Path
) -> None:
    responder = make_responder(database)
    responder.verdict()
    host, port = responder.address
    put(tmp_path / "fleet", f"prod: {host}:{port}\n")
    line = COMMANDS[name].replace("/usr/local/bin/xha-check", door("xha-check"))
    line = line.replace("$ARG1$", str(tmp_path / "fleet") if name == "check_xha_fleet" else "24h")
    if name == "check_xha_history":
        line += f" --config {responder.config}"
    result = subprocess.run(line.split(), capture_output=True, text=True, timeout=60, check=False)
    assert re.fullmatch(r"[A-Z]+ (OK|WARNING|CRITICAL|UNKNOWN): [^|\n]+ \| [^|\n]+\n", result.stdout)
    assert result.returncode in (0, 3)  # 3: nothing was recorded yet
