"""xha-check disable, drain and enable: who, why and until when, and files that are not as they should be."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from loopback import Node, wait_until
from shell.conftest import PATIENT
from shell.host import Host

DISABLED, LEGACY = "/etc/xha/disabled", "/var/tmp/clustercheck.disabled"
DRAIN = "/run/xha/drain"
NOBODY = 65534


def written(host: Host) -> dict[str, Any]:
    document = json.loads(host.path(DISABLED).read_text())
    assert isinstance(document, dict)
    return document


def seen(host: Host, expected_code: int = 1) -> Mapping[str, Any]:
    """The node's document; text, JSON and exit code agree on whether it is disabled."""
    result = host.run("xha-check", "--json")
    assert result.code == expected_code, result.said
    assert host.run("xha-check").code == expected_code
    document: Mapping[str, Any] = json.loads(result.out)
    return document


def test_disable_and_enable_take_the_node_out_and_put_it_back(host: Host, galera: Node) -> None:
    result = host.run("xha-check", "disable", "--why", "new disk, ask Ada", env={"SUDO_USER": "grace"})
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("disabled until xha-check enable: ")
    assert written(host) == {"by": "grace", "why": "new disk, ask Ada", "until": None}
    document = seen(host)
    assert document["disabled"] == written(host)
    assert document["verdict"]["code"] == "disabled"
    assert document["verdict"]["available"] is False
    assert document["verdict"]["live"] is True
    text = host.run("xha-check").out
    assert "out of service, disabled: the node was taken out of service by hand: new disk, ask Ada\n" in text
    assert "  to do: xha-check enable\n" in text
    assert "  disabled: by grace, new disk, ask Ada\n" in text
    assert host.run("xha-check", "enable").out == "enabled\n"
    assert not host.path(DISABLED).exists()
    assert seen(host, 0)["disabled"] is None


def test_drain_and_enable_begin_and_end_it(host: Host, galera: Node) -> None:
    host.path("/run/xha").mkdir(exist_ok=True)
    result = host.run("xha-check", "drain", "--why", "kernel", "--until", "2h", env={"SUDO_USER": "grace"})
    assert (result.code, result.err) == (0, "")
    said = json.loads(host.path(DRAIN).read_text())
    assert (said["by"], said["why"]) == ("grace", "kernel")
    assert result.out.startswith(f"draining until {said['until']}: ")
    document = seen(host)
    assert (document["drain"], document["disabled"]) == (said, None)
    assert [document["verdict"][name] for name in ("code", "available", "live")] == ["draining", False, True]
    assert f"  drained: by grace, until {said['until']}, kernel\n" in host.run("xha-check").out
    assert host.run("clustercheck").code == 1  # it knows two answers
    assert host.run("xha-check", "enable").out == "enabled\n"
    assert not host.path(DRAIN).exists()
    assert seen(host, 0)["drain"] is None


def test_a_drained_node_that_is_disabled_stays_disabled_until_both_are_ended(host: Host, galera: Node) -> None:
    host.path("/run/xha").mkdir(exist_ok=True)
    assert host.run("xha-check", "disable").code == 0
    result = host.run("xha-check", "drain")
    assert result.code == 1
    assert "the node is disabled, which outranks this" in result.err
    assert seen(host)["verdict"]["code"] == "disabled"
    assert host.run("xha-check", "enable").out == "enabled\n"
    assert seen(host, 0)["drain"] is None


def test_who_is_the_user_where_sudo_names_nobody(host: Host) -> None:
    assert host.run("xha-check", "disable").code == 0
    assert written(host)["by"] == "root"
    host.path("/etc/xha").chmod(0o777)
    host.path(DISABLED).unlink()
    assert host.run("xha-check", "disable", user=12345).code == 0
    assert written(host)["by"] == "12345"


@pytest.mark.parametrize(("text", "seconds"), [("2h", 7200), ("90m", 5400), ("1d", 86400)])
def test_until_may_be_a_duration(host: Host, galera: Node, text: str, seconds: float) -> None:
    result = host.run("xha-check", "disable", "--until", text)
    until = datetime.fromisoformat(written(host)["until"])
    assert until.utcoffset() == timedelta(0)
    assert abs(until.timestamp() - datetime.now(timezone.utc).timestamp() - seconds) < 120
    assert f"disabled until {written(host)['until']}: " in result.out
    assert f"until {written(host)['until']}" in host.run("xha-check").out
    assert seen(host)["disabled"]["until"] == written(host)["until"]


def test_until_may_be_a_time_with_a_zone(host: Host) -> None:
    for text, utc in [
        ("2999-12-31T22:00:00+01:00", "2999-12-31T21:00:00+00:00"),
        ("2999-12-31T22:00:00Z", "2999-12-31T22:00:00+00:00"),
    ]:
        assert host.run("xha-check", "disable", "--until", text).code == 0
        assert written(host)["until"] == utc


@pytest.mark.parametrize(
    "text",
    ["", "2", "2 weeks", "-2h", "tomorrow", "2999-12-31T22:00:00", "2999-13-01T00:00:00Z", "999999999d",
     "9999-12-31T23:59:59-23:00", "2001-01-01T00:00:00Z", "0s"],
)  # fmt: skip
def test_until_that_means_nothing_disables_nothing(host: Host, text: str) -> None:
    result = host.run("xha-check", "disable", f"--until={text}")
    assert result.code == 3
    assert result.err.startswith("xha-check: ")
    assert result.err.count("\n") == 1
    assert not host.path(DISABLED).exists()


def test_it_runs_out_by_itself(host: Host, galera: Node) -> None:
    assert host.run("xha-check", "disable", "--until", "3s").code == 0
    wait_until(lambda: host.run("xha-check").code == 0, 30, "the time is over")
    assert seen(host, 0)["disabled"] is None


def test_a_broken_server_outranks_a_disabled_node_and_both_are_told(host: Host, galera: Node) -> None:
    host.run("xha-check", "disable", "--why", "maintenance")
    galera.kill()
    document = seen(host, 2)
    assert document["verdict"]["code"] == "server-down"
    assert document["disabled"]["why"] == "maintenance"
    assert "  disabled: by root, maintenance\n" in host.run("xha-check").out


def test_the_file_is_replaced_in_one_step_and_readable_by_all(host: Host) -> None:
    reader, names = host.path(DISABLED), set()
    host.run("xha-check", "disable", "--why", "first")
    with reader.open() as kept:
        host.run("xha-check", "disable", "--why", "second", wrapper=["/bin/sh", "-c", 'umask 077; exec "$@"', "sh"])
        assert json.loads(kept.read())["why"] == "first"  # a reader of the old file still has all of it
    assert written(host)["why"] == "second"
    assert stat.S_IMODE(reader.stat().st_mode) == 0o644
    names = {path.name for path in host.path("/etc/xha").iterdir()}
    assert names == {"client.cnf", "disabled"}


def test_control_characters_go_and_200_characters_stay(host: Host, galera: Node) -> None:
    host.run("xha-check", "disable", "--why", "a\x1b[31m\nb\u202e\u2028" + "ä" * 300, env={"SUDO_USER": "ada\x07\n"})
    document = seen(host)["disabled"]
    assert document == written(host)
    assert document["why"] == ("a [31m b  " + "ä" * 300)[:200]
    assert document["by"] == "ada"
    host.write(DISABLED, json.dumps({"by": "x\x1b", "why": "\x1b[2J" + "y" * 500, "until": None}))
    text = host.run("xha-check").out
    assert "\x1b" not in text
    assert "y" * 196 in text
    assert "y" * 197 not in text


GARBAGE = [
    "", "\n", "rubbish", "[]", "null", '"x"', "{", '{"until": "tomorrow"}', '{"until": 5}', "[" * 3000, "\0",
    '{"by": "a", "until": "2001-01-01T00:00:00"}', '{"until": {"a": 1}}', "9" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("text", GARBAGE, ids=[repr(text[:30]) for text in GARBAGE])
def test_garbage_counts_as_disabled_and_says_so(host: Host, galera: Node, text: str) -> None:
    host.write(DISABLED, text)
    result = host.run("xha-check")
    assert (result.code, result.err) == (1, "")
    assert "it counts as disabled" in result.out


def test_an_unreadable_file_counts_as_disabled_and_says_so(host: Host, galera: Node) -> None:
    host.path("/etc/xha/client.cnf").chmod(0o644)
    host.write(DISABLED, '{"by": null, "why": null, "until": null}', 0o600)
    result = host.run("xha-check", user=NOBODY)
    assert result.code == 1
    assert "the disabled file cannot be read (permission denied); it counts as disabled" in result.out


def test_a_fifo_or_directory_in_its_place_neither_hangs_nor_enables(host: Host, galera: Node) -> None:
    os.mkfifo(host.path(DISABLED))
    assert seen(host)["verdict"]["code"] == "disabled"
    assert host.run("xha-check", "enable").code == 0
    host.path(DISABLED).mkdir()
    assert seen(host)["verdict"]["code"] == "disabled"
    failed = host.run("xha-check", "enable")
    assert failed.code == 3
    assert f"xha-check: removing {DISABLED}: is a directory" in failed.err
    assert host.run("xha-check", "disable").code == 3


@pytest.mark.parametrize("mode", ["--disable", "--enable"])
def test_who_may_not_write_is_told_what_to_do(host: Host, mode: str) -> None:
    host.write(DISABLED, "{}")
    result = host.run("xha-check", mode, user=NOBODY)
    assert result.code == 3
    doing = "writing" if mode == "--disable" else "removing"
    assert result.err == f"xha-check: {doing} {DISABLED}: permission denied; run it as root\n"
    assert result.out == ""
    assert {path.name for path in host.path("/etc/xha").iterdir()} == {"client.cnf", "disabled"}


def test_a_missing_directory_is_named(host: Host) -> None:
    host.write("/run/xha.conf", "[responder]\ndisabled_file = /run/no-such/disabled\n")
    result = host.run("xha-check", "--config", "/run/xha.conf", "--disable")
    assert (result.code, result.out) == (3, "")
    assert "writing /run/no-such/disabled: no such file or directory" in result.err


def test_xha_conf_may_name_another_file(host: Host, galera: Node) -> None:
    text = f"[database]\nsocket = {galera.socket}\n{PATIENT}disabled_file = /run/off\n"
    host.write("/etc/xha/xha.conf", text)
    assert host.run("xha-check", "disable").code == 0
    assert host.path("/run/off").exists()
    assert not host.path(DISABLED).exists()
    assert host.run("xha-check").code == 1
    assert host.run("xha-check", "enable").out == "enabled\n"


def test_enabling_twice_is_no_error(host: Host) -> None:
    result = host.run("xha-check", "enable")
    assert (result.code, result.out) == (0, "enabled already: there was no disabled and no drain file\n")


def test_enable_names_the_file_that_still_keeps_clustercheck_at_503(host: Host) -> None:
    host.write(LEGACY, "")
    host.run("xha-check", "disable")
    result = host.run("xha-check", "enable")
    assert result.code == 1
    assert LEGACY in result.err
    assert "remove it" in result.err


def test_clustercheck_s_file_counts_where_xha_conf_names_it_and_is_never_opened(host: Host, galera: Node) -> None:
    os.mkfifo(host.path(LEGACY))
    assert host.run("xha-check").code == 0
    text = f"[database]\nsocket = {galera.socket}\n{PATIENT}legacy_disabled_file = {LEGACY}\n"
    host.write("/etc/xha/xha.conf", text)
    assert seen(host)["disabled"]["why"] == f"{LEGACY} exists"


def test_another_host_s_node_is_not_disabled_by_this_host_s_file(host: Host, galera: Node) -> None:
    host.run("xha-check", "disable")
    assert host.run("xha-check", "node", galera.address).code == 0
