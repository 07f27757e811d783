"""`make install` over a running xha: no one sees half of it, and a process keeps the version it began with."""

from __future__ import annotations

import os
import re
import shutil
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Callable

import pytest

from install.conftest import CHECKOUT
from install.place import AGENT, HOME, NOT_RUNNING, PROBE, Place, make_argv
from install.test_units import GALERA
from loopback import Net, wait_until

# `make test-installations` has twenty: one takes 7 s of processor time with the monitors that run beside it.
INSTALLATIONS = int(os.environ.get("INSTALLATIONS") or 5)
KILLS = 10
# A keeper imports something for the first time long after its start: at /run/go, which the test makes.
LATE = '''#!/usr/bin/python3
"""A resident: what it needs late, it imports late."""

import sys

import os
import time

while not os.path.exists("/run/go"):
    time.sleep(0.02)
import xha
from xha.core.ocf import manpage

print(xha.__version__, manpage.__file__)
'''


# Prints its descriptors, a line "NUMBER PATH" for each.
TELLING = """#!/usr/bin/python3
import sys

import os

links = {}
for number in os.listdir("/proc/self/fd"):
    try:
        links[number] = os.readlink(f"/proc/self/fd/{number}")
    except FileNotFoundError:  # the one that listed them
        pass
with open("/run/said", "w") as said:
    said.writelines(f"{number} {path}\\n" for number, path in links.items())
"""


@pytest.fixture(scope="module")
def kept(place: Place) -> Place:
    place.make("install")
    place.keep()
    return place


@pytest.fixture
def installed(kept: Place) -> Place:
    """The place with one version, this checkout's, which no process runs."""
    kept.restore()
    return kept


@pytest.fixture(scope="module")
def another(net: Net) -> Path:
    """A checkout of a later version, in which a module has another name."""
    copy = net.directory / "another"
    leave = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(CHECKOUT, copy, ignore=leave)
    (copy / "build").mkdir()
    shutil.copytree(CHECKOUT / "build/wheels", copy / "build/wheels")
    init = copy / "lib/xha/__init__.py"
    init.write_text(re.sub(r'__version__ = ".*"', '__version__ = "99.0"', init.read_text()))
    (copy / "lib/xha/doors/ocf/agent.py").rename(copy / "lib/xha/doors/ocf/renamed.py")
    for path in [*(copy / "lib/xha").rglob("*.py"), copy / "agents/galera", copy / "agents/service"]:
        path.write_text(re.sub(r"ocf\.agent\b|\.agent import (leave|Agent|Call|run)\b", rename, path.read_text()))
    return copy


def rename(found: re.Match[str]) -> str:
    return found[0].replace("agent", "renamed", 1)


@contextmanager
def monitors(place: Place, name: str) -> Iterator[list[int]]:
    """Run the agent's monitor in a loop during the block; afterwards the list contains the code of each call."""
    codes: list[int] = []
    loop = f"rm -f /run/end; while ! [ -e /run/end ]; do {AGENT} monitor >>/run/{name}.log 2>&1; echo $?; done"
    with place.popen("/bin/sh", "-c", loop, **PROBE) as process:
        try:
            yield codes
        finally:
            place.sh("touch /run/end")
            codes += [int(word) for word in process.communicate(timeout=60)[0].split()]


def left_over(place: Place) -> str:
    """What an interrupted installation leaves behind."""
    return place.sh("find /usr /etc/xha /etc/xinetd.d -name '.*.new' -o -name '.new-*' -o -name .install.lock")


def test_no_monitor_fails_in_many_installations(installed: Place, tell: Callable[[str], None]) -> None:
    seconds = []
    with monitors(installed, "many") as codes:
        for _ in range(INSTALLATIONS):
            before = time.monotonic()
            installed.make("install")
            seconds.append(time.monotonic() - before)
    tell(
        f"{len(codes)} monitors, {len(codes) - codes.count(NOT_RUNNING)} of them not {NOT_RUNNING}, "
        f"in {INSTALLATIONS} installations of {statistics.median(seconds):.1f} s"
    )
    assert len(codes) > INSTALLATIONS
    assert set(codes) == {NOT_RUNNING}, installed.sh("sort /run/many.log | uniq -c")


def test_no_monitor_fails_where_two_versions_differ_in_their_modules(installed: Place, another: Path) -> None:
    with monitors(installed, "differ") as codes:
        for _ in range(2):
            installed.make("install", checkout=another)
            installed.make("install")
    assert set(codes) == {NOT_RUNNING}, installed.sh("sort /run/differ.log | uniq -c")


def test_no_monitor_fails_when_the_directory_of_older_installations_is_replaced(installed: Place) -> None:
    """Before there were versions, python/ was the only directory, and launchers named it."""
    lay_out_as_before(installed)
    with monitors(installed, "before") as codes:
        wait_until(lambda: installed.sh("ls /run/before.log || true") == "/run/before.log", 20, "the first monitor")
        installed.make("install")
    assert set(codes) == {NOT_RUNNING}, installed.sh("sort /run/before.log | uniq -c")
    installed.make("install")
    assert installed.sh(f"ls {HOME}") == "current\nversions"


def test_a_resident_of_an_older_installation_keeps_its_directory(installed: Place) -> None:
    lay_out_as_before(installed)
    with resident(installed, f"{HOME}/python", AGENT, holds=False) as process:
        installed.make("install")
        assert "may run from it" in installed.make("install")
        installed.sh("touch /run/go")
        assert f"{HOME}/python/xha/core/ocf/manpage.py" in process.communicate(timeout=30)[0]
    installed.make("install")
    assert installed.sh(f"ls {HOME}") == "current\nversions"


def lay_out_as_before(place: Place) -> None:
    place.sh(f"mv {HOME}/versions/*/python {HOME}/python && rm -r {HOME}/versions {HOME}/current")
    for name, source in (("galera", "agents/galera"), ("service", "agents/service")):
        script = f's|^import sys$|import sys\\nsys.path.insert(0, "{HOME}/python")|'
        place.sh(f"sed -e '{script}' {CHECKOUT}/{source} >/usr/lib/ocf/resource.d/xha/{name}")


@contextmanager
def resident(place: Place, library: str, path: str, *, holds: bool = True) -> Iterator[subprocess.Popen[str]]:
    """A process of an old launcher at that path, from before there were versions, with a late import."""
    place.sh("rm -f /run/go; cat >/run/late <<'END'\n" + LATE + "END")
    if holds:
        place.sh(f"{CHECKOUT}/tools/install/launcher /run/late '/usr/bin/python3 -IBS' {library} >/run/launcher")
    else:
        place.sh(f"sed 's|^import sys$|import sys; sys.path.insert(0, \"{library}\")|' /run/late >/run/launcher")
    place.sh(f"chmod 755 /run/launcher && mv {path} /run/aside && cp -p /run/launcher {path}")
    with place.popen(path, "keeper") as process:
        try:
            wait_until(lambda: place.sh(f"pgrep -c -f '{path} keeper$' || true") != "0", 20, "the resident runs")
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_a_resident_imports_from_its_own_version_to_its_end(installed: Place, another: Path) -> None:
    (first,) = installed.versions()
    with resident(installed, f"{HOME}/versions/{first}/python", AGENT) as process:
        for _ in range(2):
            said = installed.make("install", checkout=another)
        assert re.search(rf"{first} stays: process \d+ runs from it", said)
        assert len(installed.versions()) == 3
        installed.sh("touch /run/go")
        version, path = process.communicate(timeout=30)[0].split()
    assert version != "99.0"
    assert path == f"{HOME}/versions/{first}/python/xha/core/ocf/manpage.py"
    # Only the version before the last one is kept, for an operator who wants it back.
    installed.make("install", checkout=another)
    assert first not in installed.versions()
    assert len(installed.versions()) == 2


def test_a_keeper_and_its_server_go_on_and_are_stopped_by_the_next_version(installed: Place, another: Path) -> None:
    """A real keeper and server, on a network of their own: the server uses the ports of a server of this machine."""
    (first,) = installed.versions()
    node = {
        **PROBE,
        "OCF_RESKEY_CRM_meta_timeout": "120000",
        "OCF_RESKEY_config": "/run/my.cnf",
        "OCF_RESKEY_datadir": "/run/data",
        "OCF_RESKEY_enable_creation": "1",
        "OCF_RESKEY_wsrep_cluster_address": "gcomm://127.0.0.1",
    }
    installed.sh(f"cat >/run/my.cnf <<'END'\n{GALERA}user = mysql\nEND")
    installed.sh("install -d -o mysql /run/data")
    installed.run("unshare", "--net", "sh", "-c", f"ip link set lo up && exec {AGENT} start", **node)
    # The oldest: a child that it forks looks like it for a moment.
    keeper = installed.sh(f"pgrep -o -f '{AGENT} keeper$'")
    there = f"nsenter --target={keeper} --net -- {AGENT}"
    said = "".join(installed.make("install", checkout=another) for _ in range(2))
    assert f"{first} stays: process {keeper} runs from it" in said
    often = {**node, "OCF_RESKEY_CRM_meta_interval": "10000"}
    wait_until(lambda: installed.sh(f"{there} monitor 2>/dev/null; echo $?", **often) == "0", 60, "the node serves")
    assert installed.sh(f"pgrep -o -f '{AGENT} keeper$'") == keeper
    installed.sh(f"{there} stop", **node)
    installed.make("install", checkout=another)
    assert first not in installed.versions()


def test_an_installation_that_is_killed_leaves_what_was_there_at_work(installed: Place) -> None:
    began = time.monotonic()
    installed.make("install")
    whole = time.monotonic() - began
    killed = 0
    for part in range(1, KILLS):
        began = time.monotonic()
        process = installed.popen(*make_argv(), "install")
        with process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(whole * part / KILLS)
                whole = time.monotonic() - began  # the machine was busier before
            killed += process.poll() is None
            with suppress(ProcessLookupError):  # it ended just now
                os.killpg(process.pid, signal.SIGKILL)
        installed.run(AGENT, "monitor", code=NOT_RUNNING, **PROBE)
        assert installed.sh("/usr/local/bin/xha-check --version; true").startswith("xha-check ")
    assert killed > KILLS / 4
    installed.make("install")
    assert left_over(installed) == ""
    installed.run(AGENT, "monitor", code=NOT_RUNNING, **PROBE)


def test_two_installations_at_once_come_one_after_the_other(installed: Place, another: Path) -> None:
    with monitors(installed, "both") as codes:
        both = [installed.popen(*make_argv(one), "install") for one in (CHECKOUT, another)]
        said = [process.communicate(timeout=120)[0] for process in both]
        assert [process.returncode for process in both] == [0, 0], said
    assert set(codes) == {NOT_RUNNING}
    # Every launcher is of the last version, whichever that is.
    named = installed.sh(
        f"cat /usr/local/bin/xha-check /usr/local/bin/clustercheck /usr/local/libexec/xha/* {AGENT} {AGENT[:-6]}service"
        " | grep -o 'versions/[^/]*' | sort -u"
    )
    assert named == installed.sh(f"readlink {HOME}/current")
    assert left_over(installed) == ""


def test_an_installation_waits_for_the_other_and_says_so(installed: Place) -> None:
    hold = f"exec 9>{HOME}/.install.lock; flock 9; echo held; while ! [ -e /run/let-go ]; do sleep 0.05; done"
    with installed.popen("/bin/sh", "-c", hold) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with installed.popen(*make_argv(), "install") as waiting:
            assert waiting.stdout is not None
            told = f"install: waits for another installation: it holds {HOME}/.install.lock\n"
            assert told in iter(waiting.stdout.readline, "")
            installed.sh("touch /run/let-go")
            assert "install: done" in waiting.stdout.read()


def test_only_root_may_hold_the_lock(installed: Place) -> None:
    with installed.popen(*make_argv(), "install") as process:
        seen = set()
        while process.poll() is None:
            seen.add(installed.sh(f"stat -c '%U %a' {HOME}/.install.lock 2>/dev/null || true"))
    assert seen - {""} == {"root 600"}


def test_running_it_writes_nothing_beside_it(installed: Place) -> None:
    def listing() -> str:
        return installed.sh(f"find {HOME} -printf '%p %T@ %C@\\n' | sort")

    before = listing()
    for _ in range(2):
        installed.run(AGENT, "monitor", code=NOT_RUNNING, **PROBE)
        installed.run("/usr/local/bin/xha-check", "--node", code=2)
        installed.run("/usr/local/bin/clustercheck", code=1)
    assert listing() == before
    # Not even if it would help, for instance after an upgrade of the distribution's Python.
    installed.sh(f"find {HOME} -name __pycache__ -prune -exec rm -r {{}} +")
    installed.run(AGENT, "monitor", code=NOT_RUNNING, **PROBE)
    assert installed.sh(f"find {HOME} -name __pycache__") == ""


def test_what_is_installed_can_be_verified(installed: Place) -> None:
    installed.sh(f"cd {HOME}/current && sha256sum --quiet --check SHA256SUMS")
    installed.sh(f"echo >>{HOME}/current/python/xha/__init__.py")
    installed.sh(f"cd {HOME}/current && sha256sum --quiet --check SHA256SUMS", code=1)


def test_a_launcher_works_with_its_streams_closed_and_holds_none_of_their_numbers(installed: Place) -> None:
    assert installed.sh(f"{AGENT} monitor <&- >&- 2>&-; echo $?", **PROBE) == str(NOT_RUNNING)
    (version,) = installed.versions()
    installed.sh(f"cat >/run/door <<'END'\n{TELLING}END")
    library = f"{HOME}/versions/{version}/python"
    installed.sh(f"{CHECKOUT}/tools/install/launcher /run/door '/usr/bin/python3 -IBS' {library} >/run/closed")
    installed.sh("chmod 755 /run/closed && /run/closed <&- >&- 2>&-")
    held = [line.split() for line in installed.sh("cat /run/said").splitlines()]
    assert [int(number) > 2 for number, path in held if path == library] == [True], held


def test_a_stanza_that_is_switched_on_stays_so(installed: Place) -> None:
    installed.sh("sed -i '/disable/s/yes/no/; /port/s/49000/49001/' /etc/xinetd.d/xha")
    before = installed.sh("cat /etc/xinetd.d/xha")
    assert "/etc/xinetd.d/xha is switched on, and stays as it is" in installed.make("install")
    assert installed.sh("cat /etc/xinetd.d/xha") == before
    installed.sh("rm /etc/xinetd.d/xha")
    installed.make("install")
    assert "disable         = yes" in installed.sh("cat /etc/xinetd.d/xha")
