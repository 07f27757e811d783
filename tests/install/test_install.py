"""`make install` into a staging directory, moved into place and run there; `make uninstall`."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from install.conftest import CHECKOUT, make

VERSION = re.search(r'__version__ = "(.+)"', (CHECKOUT / "lib/xha/__init__.py").read_text())[1]  # type: ignore[index]
DOORS = [
    "/usr/local/bin/xha-check",
    "/usr/local/bin/clustercheck",
    "/usr/local/libexec/xha/xha-responder",
    "/usr/local/libexec/xha/xha-services",
]

# The staged /usr/local replaces this machine's for one command, in a mount namespace that ends with it.
IN_PLACE = 'mount --bind "$1" /usr/local && shift && exec env -i "$@"'


def run_in_place(stage: Path, *command: str) -> subprocess.CompletedProcess[str]:
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return subprocess.run(
        ["unshare", "--mount", *as_root, "sh", "-c", IN_PLACE, "in-place", str(stage / "usr/local"), *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",
        timeout=30,
        check=False,
    )


def files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file() or path.is_symlink())


def ours(stage: Path) -> list[Path]:
    """The installed files outside of the versions."""
    return [path for path in files(stage) if "versions" not in path.parts]


@pytest.mark.parametrize("door", DOORS)
def test_a_staged_door_runs_where_it_belongs(stage: Path, door: str) -> None:
    done = run_in_place(stage, door, "--help")
    assert "usage:" in done.stdout.lower(), done.stderr
    assert not done.stderr


@pytest.mark.parametrize("door", [door for door in DOORS if not door.endswith("clustercheck")])
def test_a_staged_door_tells_the_version(stage: Path, door: str) -> None:
    assert run_in_place(stage, door, "--version").stdout.split() == [Path(door).name, VERSION]


def test_no_installed_file_names_the_staging_directory(stage: Path) -> None:
    assert [path for path in files(stage) if path.is_file() and str(stage).encode() in path.read_bytes()] == []
    assert [path for path in files(stage) if path.is_symlink() and str(stage) in os.readlink(path)] == []


def test_no_placeholder_is_left(stage: Path) -> None:
    assert [path for path in ours(stage) if path.is_file() and re.search(rb"@\w+dir@", path.read_bytes())] == []


def test_what_is_installed(stage: Path) -> None:
    assert {str(path.relative_to(stage)): oct(path.stat().st_mode & 0o777) for path in ours(stage)} == {
        "etc/xha/client.cnf": "0o640",
        "etc/xha/xha.conf": "0o644",
        "etc/xinetd.d/xha": "0o644",
        "usr/lib/ocf/resource.d/xha/galera": "0o755",
        "usr/lib/ocf/resource.d/xha/service": "0o755",
        "usr/lib/sysctl.d/60-xha.conf": "0o644",
        "usr/lib/systemd/system/xha-fleet.service": "0o644",
        "usr/lib/systemd/system/xha-fleet.timer": "0o644",
        "usr/lib/systemd/system/xha-responder.service": "0o644",
        "usr/lib/systemd/system/xha-responder.socket": "0o644",
        "usr/lib/systemd/system/xha-services.service": "0o644",
        "usr/lib/sysusers.d/xha.conf": "0o644",
        "usr/lib/tmpfiles.d/xha.conf": "0o644",
        "usr/local/bin/clustercheck": "0o755",
        "usr/local/bin/xha-check": "0o755",
        "usr/local/lib/xha/current": "0o755",
        "usr/local/libexec/xha/xha-responder": "0o755",
        "usr/local/libexec/xha/xha-services": "0o755",
        "usr/local/share/bash-completion/completions/xha-check": "0o644",
        "usr/local/share/doc/xha/CHANGELOG.md": "0o644",
        "usr/local/share/doc/xha/LICENSE": "0o644",
        "usr/local/share/doc/xha/README.md": "0o644",
        "usr/local/share/doc/xha/commands.md": "0o644",
        "usr/local/share/doc/xha/configuration.md": "0o644",
        "usr/local/share/doc/xha/galera.cnf": "0o644",
        "usr/local/share/doc/xha/galeracheck.xinetd": "0o644",
        "usr/local/share/doc/xha/haproxy-openstack.cfg": "0o644",
        "usr/local/share/doc/xha/haproxy.cfg": "0o644",
        "usr/local/share/doc/xha/installation.md": "0o644",
        "usr/local/share/doc/xha/services.md": "0o644",
        "usr/local/share/man/man5/xha.conf.5": "0o644",
        "usr/local/share/man/man7/ocf_xha_galera.7": "0o644",
        "usr/local/share/man/man7/ocf_xha_service.7": "0o644",
        "usr/local/share/man/man8/clustercheck.8": "0o644",
        "usr/local/share/man/man8/xha-check.8": "0o644",
        "usr/local/share/man/man8/xha-responder.8": "0o644",
        "usr/local/share/man/man8/xha-services.8": "0o644",
        "usr/local/share/zsh/site-functions/_xha-check": "0o644",
    }


def test_the_service_user_cannot_write_what_it_runs(stage: Path) -> None:
    (installed,) = stage.glob("usr/local/lib/xha/versions/*/python")
    assert installed == (stage / "usr/local/lib/xha/current/python").resolve()
    assert [path for path in files(installed) if path.stat().st_mode & 0o022] == []
    assert list(installed.glob("xha/core/__pycache__/*.pyc")), "not compiled, and nobody may do it later"


def test_configuration_survives_a_second_install_and_an_uninstall(tmp_path: Path) -> None:
    configure = str(CHECKOUT / "tools/install/configure")
    (tmp_path / "etc/xha").mkdir(parents=True)
    (tmp_path / "etc/xha/xha.conf").write_text("[policy]\navailable_when_donor = 1\n")
    subprocess.run([configure, "/etc/xha", str(tmp_path), "none"], check=True, capture_output=True)
    assert "donor = 1" in (tmp_path / "etc/xha/xha.conf").read_text()
    make("uninstall", f"DESTDIR={tmp_path}")
    assert [str(path.relative_to(tmp_path)) for path in files(tmp_path)] == ["etc/xha/xha.conf"]


def test_uninstall_removes_every_file(stage: Path, tmp_path: Path) -> None:
    subprocess.run(["cp", "-a", f"{stage}/.", str(tmp_path)], check=True)
    make("uninstall", f"DESTDIR={tmp_path}")
    assert files(tmp_path) == []
    assert not (tmp_path / "usr/local/lib/xha").exists()
    assert not (tmp_path / "usr/lib/ocf/resource.d/xha").exists()
