"""Whatever `make install` installs is in exactly one Debian package, and in the RPM spec."""

from __future__ import annotations

import fnmatch
import re
import subprocess

import pytest

from house.test_imports import ROOT

# The variables of packaging/deb/rules and of the spec's %install, and what these remove again.
DEB = ["prefix=/usr", "zshdir=/usr/share/zsh/vendor-completions"]
RPM = ["prefix=/usr"]
REMOVED_BY_DEB = {"/usr/share/doc/xha/LICENSE"}
REMOVED_BY_RPM = {"/etc/xinetd.d/xha", "/usr/share/doc/xha/galeracheck.xinetd", "/usr/share/doc/xha/LICENSE"}
MACROS = {
    "_bindir": "/usr/bin",
    "_datadir": "/usr/share",
    "_docdir": "/usr/share/doc",
    "_libexecdir": "/usr/libexec",
    "_mandir": "/usr/share/man",
    "_sysctldir": "/usr/lib/sysctl.d",
    "_sysusersdir": "/usr/lib/sysusers.d",
    "_tmpfilesdir": "/usr/lib/tmpfiles.d",
    "_unitdir": "/usr/lib/systemd/system",
    "name": "xha",
}


def installed(variables: list[str]) -> list[str]:
    """The paths that `make install` writes, with these variables; make itself expands its functions."""
    command = ["make", "--no-print-directory", "-n", "install", "PACKAGE=1", *variables]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout
    found = re.findall(r"'(?:door|man|completion|unit|stanza|file):[^=']+=([^']+)'", told)
    assert len(found) > 20
    return found


def debian_packages() -> dict[str, list[str]]:
    """The paths that each package takes: files, and directories with all that is in them."""
    lists = sorted((ROOT / "packaging/deb").glob("*.install"))
    return {path.stem: [f"/{row}" for row in path.read_text(encoding="utf-8").split()] for path in lists}


def rpm_packages() -> dict[str, list[str]]:
    """The same of the spec's %files; a %dir has no file in it."""
    found: dict[str, list[str]] = {}
    spec = (ROOT / "packaging/rpm/xha.spec").read_text(encoding="utf-8")
    for row in spec.partition("\n%changelog")[0].splitlines():
        if row.startswith("%files"):
            found[row] = []
        elif found and row and not row.startswith("%dir "):
            list(found.values())[-1].append(re.sub(r"%\{(\w+)\}", lambda each: MACROS[each[1]], row.split()[-1]))
    return found


def takers(path: str, packages: dict[str, list[str]]) -> list[str]:
    """The packages that have a file."""
    return [
        name
        for name, rows in packages.items()
        if any(fnmatch.fnmatchcase(path, row) or path.startswith(f"{row}/") for row in rows)
    ]


CASES = {
    "deb": (DEB, REMOVED_BY_DEB, debian_packages),
    "rpm": (RPM, REMOVED_BY_RPM, rpm_packages),
}


@pytest.mark.parametrize("kind", CASES)
def test_what_is_installed_is_in_exactly_one_package(kind: str) -> None:
    variables, removed, read = CASES[kind]
    paths, packages = installed(variables), read()
    assert removed <= set(paths)
    wrong = {path: takers(path, packages) for path in paths if path not in removed}
    assert {path: names for path, names in wrong.items() if len(names) != 1} == {}


def run_script(path: str, action: str) -> str:
    """What a maintainer script does, told and not done: each command is one that only tells its name."""
    script = (ROOT / path).read_text(encoding="utf-8")
    assert "/usr/share/xha/install/activate" in script
    tells = script.replace("/usr/share/xha/install/activate", "echo activate").replace("/run/systemd/system", "/absent")
    done = subprocess.run(
        ["sh", "-s", action, "1"], input=tells, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout


@pytest.mark.parametrize("action", ["configure", "abort-upgrade", "abort-remove", "abort-deconfigure"])
def test_whatever_dpkg_breaks_off_the_version_is_active_afterwards(action: str) -> None:
    """prerm has taken the link away, through which every command leads, before a removal is broken off."""
    assert run_script("packaging/deb/xha.prerm", "remove") == "activate --remove\n"
    assert run_script("packaging/deb/xha.postinst", action) == "activate\n"
