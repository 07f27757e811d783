"""Which systems a laboratory can be made of, and what is said of another one. Nothing is built here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lab import systems
from lab.laboratory import environment
from lab.place import REPOSITORY
from lab.systems import OWN, System, find_system, lacks, name_machine


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param('ID=debian\nVERSION_ID="12"\n', "debian12", id="Debian"),
        pytest.param("PRETTY_NAME='x=y'\n\nVERSION_ID=24.04\nID=\"ubuntu\"", "ubuntu24.04", id="another, in any order"),
        pytest.param("ID=debian\n", "debian", id="Debian unstable has no number"),
    ],
)
def test_a_machine_s_own_name(text: str, name: str) -> None:
    assert name_machine(text) == name


def test_the_machine_s_own_system_is_its_own_root_and_the_default() -> None:
    assert find_system("") is find_system(OWN.name) is OWN
    assert OWN.root == Path("/")


def test_another_one_is_below_build_roots() -> None:
    other = next(name for name in systems.BUILT if name != OWN.name)
    assert find_system(other) == System(other, REPOSITORY / "build/roots" / other)


def test_where_nothing_can_build_a_root_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systems.shutil, "which", lambda _: None)
    assert lacks(OWN) == []
    assert lacks(System("debian13", tmp_path)) == []
    (said,) = lacks(System("debian13", tmp_path / "none"))
    assert said.startswith("debootstrap, which builds ")
    assert said.endswith(": tools/deps roots")


@pytest.mark.parametrize("module", ["lab", "demo"])
def test_an_unknown_system_is_an_error_that_names_those_there_are(module: str) -> None:
    verb = ["--os", "debian11", *(["up"] if module == "lab" else [])]
    done = subprocess.run(
        [sys.executable, "-m", module, *verb], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"OS: no system 'debian11': {OWN.name}, which this machine runs, or debian13" in done.stderr


def test_a_root_that_nobody_knows_is_an_error() -> None:
    done = subprocess.run([REPOSITORY / "tools/root", "debian11"], capture_output=True, text=True, check=False)
    known = "debian13, debian13-services, debian13-bundles, unstable, bare-debian12 or bare-debian13"
    assert (done.returncode, done.stderr) == (2, f"root: no root debian11: {known}\n")
