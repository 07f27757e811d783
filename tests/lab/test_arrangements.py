"""What the arrangements need, and in which order they may be asked for. Nothing is built here."""

from __future__ import annotations

import shutil
from typing import Callable

import pytest

from lab import cluster, needs
from lab.arrangements import field, pair
from lab.laboratory import Laboratory
from lab.place import Place
from lab.shell import run


@pytest.mark.lab
@pytest.mark.parametrize("command", [field.FORWARD, pair.REFEREE_ON], ids=["forward", "referee"])
def test_the_hosts_have_each_program_that_an_arrangement_starts(command: str) -> None:
    """A system that is built has the packages of the list alone, whatever this machine has beside them."""
    program = next(word for word in command.split() if not word.startswith("-") and word != "systemd-run")
    path = shutil.which(program) or program
    assert run(["dpkg-query", "--search", path]).out.split(":")[0] in needs.wanted_packages()


@pytest.mark.parametrize("there", [False, True], ids=["anew", "there"])
def test_a_second_cluster_is_formed_where_there_is_none(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    """No laboratory is built: what Pacemaker has, and what is done, is given. The one before may have failed, and
    then the laboratory is a new one."""
    done: list[str] = []

    def act(name: str, broken: list[str]) -> Callable[[Laboratory], list[str]]:
        return lambda _: done.append(name) or broken

    monkeypatch.setattr(
        cluster, "read_resources", lambda _: f"<clone id='{pair.RESOURCE}-clone'/>" if there else "<x/>"
    )
    lab = Laboratory(Place("none"))
    monkeypatch.setattr(pair, "form", act("form", []))
    assert pair.paired(act("act", ["lost"]))(lab) == ["lost"]
    assert done == (["act"] if there else ["form", "act"])
    monkeypatch.setattr(pair, "form", act("form", ["no quorum"]))
    assert pair.paired(act("act", []))(lab) == ([] if there else ["no quorum"])
