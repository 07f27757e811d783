"""What xha-check asks Pacemaker, on a host where no Pacemaker runs: a plain sentence, and 3."""

from __future__ import annotations

import pytest

from shell.host import Host

NOBODY = 65534
COMMANDS = {
    "explain": ("explain",),
    "explain as JSON": ("explain", "--json"),
    "a named resource": ("explain", "--resource", "db"),
    "grant": ("grant", "forget=db1", "--why", "gone", "--yes"),
    "report": ("report",),
    "explain, as it was spelt before": ("--cluster", "--explain"),
    "grant, as it was spelt before": ("--grant", "forget=db1", "--why", "gone", "--yes"),
    "grant, with --cluster": ("--cluster", "--grant", "forget=db1", "--why", "gone", "--yes"),
    "report, as it was spelt before": ("--report",),
}


@pytest.mark.parametrize("title", COMMANDS)
def test_without_pacemaker_there_is_no_answer(host: Host, title: str) -> None:
    result = host.run("xha-check", *COMMANDS[title])
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith("xha-check: cibadmin: ")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("title", [one for one in COMMANDS if one.startswith(("grant", "report"))])
def test_what_changes_something_is_root_s(host: Host, title: str) -> None:
    result = host.run("xha-check", *COMMANDS[title], user=NOBODY)
    assert (result.code, result.out) == (3, "")
    assert result.err.endswith(": run it as root\n")
