"""The installed agent: at Pacemaker's path, usable by every account, with its man page."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from install.conftest import make
from install.test_install import run_in_place
from loopback import find_program
from xha import __version__
from xha.core.ocf import service_description
from xha.core.ocf.galera_description import DESCRIPTION
from xha.core.ocf.metadata import Description, render_metadata

AGENTS = "usr/lib/ocf/resource.d/xha"


def test_the_agent_stands_where_pacemaker_looks_whatever_the_prefix_is(tmp_path: Path) -> None:
    told = make("--dry-run", "install", f"DESTDIR={tmp_path}", "prefix=/opt/xha")
    assert f"{tmp_path}/usr/lib/ocf/resource.d/xha/galera" in told
    assert f"{tmp_path}/opt/xha/share/man/man7/ocf_xha_galera.7" in told


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be nobody")
@pytest.mark.parametrize(
    ("name", "about"),
    [("galera", DESCRIPTION), ("service", service_description.DESCRIPTION)],
    ids=["galera", "service"],
)
def test_nobody_may_ask_for_the_meta_data(stage: Path, name: str, about: Description) -> None:
    nobody = [find_program("setpriv", "util-linux"), "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    # Only the test can enter the staging directory, so the content of the agent's file is passed on.
    script = (stage / AGENTS / name).read_text()
    done = run_in_place(stage, *nobody, "/usr/bin/python3", "-IS", "-c", script, "meta-data")
    assert done.stderr == ""
    assert done.stdout == render_metadata(__version__, about)


@pytest.mark.parametrize("name", ["ocf_xha_galera", "ocf_xha_service"])
def test_the_man_page_is_found(stage: Path, name: str) -> None:
    man = find_program("man", "man-db")
    done = run_in_place(stage, man, "-M", "/usr/local/share/man", "-w", "7", name)
    assert done.stdout.strip() == f"/usr/local/share/man/man7/{name}.7"
