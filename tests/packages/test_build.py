"""What `make deb`, `make rpm` and `make dist` make: the packages that there are, and what lintian and rpmlint say."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from loopback import Net, find_program
from loopback.doors import CHECKOUT
from packages.conftest import MAINTAINER, Built, run

DEBS = ["resource-agents-xha", "xha", "xha-clustercheck", "xha-services"]


def test_one_source_builds_four_packages_and_leaves_nothing_in_the_checkout(built: Built) -> None:
    assert sorted(deb.name.partition("_")[0] for deb in built.debs) == DEBS
    assert {deb.name.partition("_")[2] for deb in built.debs} == {f"{built.version}-1_all.deb"}
    assert list(built.directory.glob("*.dsc"))
    assert not (CHECKOUT / "debian").exists()


def test_who_answers_for_the_packages_is_told_at_the_build(built: Built, rpms: Path) -> None:
    for deb in built.debs:
        assert run("dpkg-deb", "--field", str(deb), "Maintainer").strip() == "Database Team <dba@example.org>"
    assert "Database Team <dba@example.org>" in built.changes.read_text()
    for rpm in rpms.glob("*.noarch.rpm"):
        told = run(find_program("rpm", "rpm"), "--query", "--changelog", "--package", str(rpm))
        assert "Database Team <dba@example.org>" in told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"DEBEMAIL": "dba@example.org"}, "xha maintainers <dba@example.org>"),
        ({"DEBEMAIL": "DB Team <dba@example.org>"}, "DB Team <dba@example.org>"),
        ({"DEBEMAIL": "DB Team <dba@example.org>", "DEBFULLNAME": "Ops"}, "Ops <dba@example.org>"),
        ({"DEBEMAIL": "", "DEBFULLNAME": "Ops"}, "xha maintainers <maintainers@xha.invalid>"),
        ({"DEBEMAIL": "dba"}, None),
        ({"DEBEMAIL": "dba@example.org\nPriority: required"}, None),
        ({"DEBEMAIL": "dba@example.org", "DEBFULLNAME": "Ops\nX: y"}, None),
        ({"DEBEMAIL": "dba@example.org", "DEBFULLNAME": "%(id)"}, None),
    ],
)
def test_a_maintainer_is_one_name_and_one_address(given: dict[str, str], told: str | None) -> None:
    environment = {"PATH": os.environ["PATH"], **given}
    words = [str(CHECKOUT / "tools/package/maintainer")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if told is None:
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(("maintainer: DEBEMAIL: ", "maintainer: DEBFULLNAME: "))
    else:
        assert (done.returncode, done.stdout) == (0, f"{told}\n"), done.stderr


def test_lintian_finds_no_fault(built: Built, tmp_path: Path) -> None:
    words = [find_program("lintian", "lintian"), "--profile", "debian", "--allow-root", "--fail-on", "error,warning"]
    own = {**os.environ, "TMPDIR": str(tmp_path)}  # it leaves files there
    done = subprocess.run([*words, str(built.changes)], env=own, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_a_controller_has_the_readme_and_every_page_beside_it(built: Built) -> None:
    (deb,) = built.directory.glob("xha_*.deb")
    inside = "usr/share/doc/xha"
    shown = f'dpkg-deb --fsys-tarfile "{deb}" | tar -x --to-stdout ./{inside}/README.md'
    assert run("sh", "-c", shown) == (CHECKOUT / "README.md").read_text(encoding="utf-8")
    there = set(run("dpkg-deb", "--contents", str(deb)).split())
    pages = {path.name for path in (CHECKOUT / "docs").glob("*.md")} - {"README.md"}
    assert {name for name in pages if f"./{inside}/{name}" not in there} == set()
    below = {path.relative_to(CHECKOUT / "docs").as_posix() for path in (CHECKOUT / "docs").glob("*/*")}
    assert {name for name in below if f"./{inside}/{name}" not in there} == set()


def test_what_a_package_depends_on_is_what_setup_cfg_requires(built: Built) -> None:
    (deb,) = built.directory.glob("xha_*.deb")
    depends = run("dpkg-deb", "--field", str(deb), "Depends")
    for line in (CHECKOUT / "setup.cfg").read_text().partition("install_requires =\n")[2].splitlines():
        if not line.startswith("    "):
            break
        name, _, least = line.strip().partition(" >= ")
        assert f"python3-{name.lower()} (>= {least})" in depends


@pytest.fixture(scope="module")
def rpms(net: Net) -> Path:
    """What `make rpm` makes of this checkout."""
    directory = net.directory / "packages/rpm"
    run("tools/package/rpm", str(directory), **MAINTAINER)
    return directory


def test_rpmlint_finds_no_fault(rpms: Path) -> None:
    config = str(CHECKOUT / "packaging/rpm/rpmlint.toml")
    files = [*map(str, rpms.glob("*.rpm")), str(rpms / "xha.spec")]
    assert "0 errors, 0 warnings" in run(find_program("rpmlint", "rpmlint"), "--config", config, *files)


def test_rpm_installs_the_tree_of_which_a_version_is_made(rpms: Path, tmp_path: Path) -> None:
    """In a root of its own, without what it depends on: no packages of EL can be had here. Its scripts are not run."""
    if os.geteuid() != 0:
        pytest.skip("not root: nothing was installed")
    rpm = [find_program("rpm", "rpm"), "--root", str(tmp_path), "--nodeps", "--noscripts"]
    run(*rpm, "--install", *map(str, rpms.glob("*.noarch.rpm")))
    assert os.readlink(tmp_path / "usr/bin/clustercheck") == "../lib/xha/current/bin/clustercheck"
    assert (tmp_path / "usr/lib/systemd/system/xha-services.service").is_file()
    assert not (tmp_path / "etc/xinetd.d").exists()
    home = tmp_path / "usr/lib/xha"
    run(str(tmp_path / "usr/share/xha/install/activate"), "--home", str(home))
    assert (
        "xha-check "
        in subprocess.run(
            [tmp_path / "usr/bin/xha-check", "--version"], capture_output=True, text=True, check=False
        ).stdout
    )
    assert {path.name for path in (home / "current/bin").iterdir()} == {
        "clustercheck",
        "galera",
        "service",
        "xha-check",
        "xha-responder",
        "xha-services",
    }
    run(str(tmp_path / "usr/share/xha/install/activate"), "--home", str(home), "--remove")
    assert not (home / "current").exists()
    # The version itself stays where another test's host runs the same one: its processes are seen from here.
    shutil.rmtree(home, ignore_errors=True)
    run(*rpm, "--erase", *DEBS)
    assert [path for path in tmp_path.rglob("*") if "xha" in path.name and path.is_file()] == []


def test_an_archive_of_the_same_commit_has_the_same_bytes(tmp_path: Path) -> None:
    digests = set()
    for name in ("first", "second"):
        path = Path(run("tools/package/dist", str(tmp_path / name)).splitlines()[-1])
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1
    names = run("tar", "-tzf", str(path)).splitlines()
    top = path.name[: -len(".tar.gz")]
    assert {f"{top}/Makefile", f"{top}/lib/xha/__init__.py", f"{top}/packaging/deb/control"} <= set(names)
    assert not [name for name in names if "/build/" in name or "/.venv/" in name or "__pycache__" in name]
