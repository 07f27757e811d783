"""`make deps`, and what it leaves to do: on a machine whose package lists are newer than it is, and without network.

The packages are real ones, in a repository of the test's own; apt reads its lists and an own list of what is installed,
and only simulates.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path

import pytest

from install.place import Place
from lab.document import PACKAGES
from loopback import Net
from loopback.doors import CHECKOUT

NEWER = "99:1"
CONTROL = "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody\nDescription: newer\n"


class Apt:
    """apt on a machine whose lists know a newer version of each of these packages. Values: what the package needs."""

    def __init__(self, place: Place, directory: Path, packages: dict[str, str]) -> None:
        self._place = place
        self._admin = directory / "dpkg"
        for name in ("repository", "state/lists/partial", "cache/archives/partial", "dpkg/info", "dpkg/updates"):
            (directory / name).mkdir(parents=True)
        (self._admin / "status").write_text(Path("/var/lib/dpkg/status").read_text())
        index = [self._build(directory / "repository", name, needs) for name, needs in packages.items()]
        (directory / "repository/Packages").write_text("\n".join(index))
        (directory / "sources.list").write_text(f"deb [trusted=yes] file:{directory}/repository ./\n")
        settings = {
            "Dir::State": directory / "state",
            "Dir::State::status": self._admin / "status",
            "Dir::Cache": directory / "cache",
            "Dir::Etc::sourcelist": directory / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "APT::Sandbox::User": "root",
            "Debug::NoLocking": "1",
        }
        self._config = directory / "apt.conf"
        self._config.write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()))
        self.sh("apt-get -q update")
        with self._config.open("a") as config:
            config.write('APT::Get::Simulate "true";\n')

    def _build(self, repository: Path, name: str, needs: str) -> str:
        """Build a package that holds nothing, and return its paragraph in the repository's index."""
        control = CONTROL.format(name=name, version=NEWER) + (f"Depends: {needs}\n" if needs else "")
        (repository / name / "DEBIAN").mkdir(parents=True)
        (repository / name / "DEBIAN/control").write_text(control)
        subprocess.run(["dpkg-deb", "--build", name, f"{name}.deb"], cwd=repository, check=True, capture_output=True)
        content = (repository / f"{name}.deb").read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        return f"{control}Filename: ./{name}.deb\nSize: {len(content)}\nSHA256: {digest}\n"

    def forget(self, name: str) -> None:
        """Have a package not installed."""
        status = self._admin / "status"
        paragraphs = status.read_text().split("\n\n")
        kept = [one for one in paragraphs if not one.startswith(f"Package: {name}\n")]
        assert len(kept) == len(paragraphs) - 1
        status.write_text("\n\n".join(kept))

    def sh(self, script: str, code: int = 0) -> str:
        return self._place.sh(script, code, APT_CONFIG=str(self._config), DPKG_ADMINDIR=str(self._admin))


@pytest.fixture
def apt(place: Place, tmp_path: Path) -> Apt:
    return Apt(place, tmp_path, {"haproxy": "", "rsync": "", "xinetd": f"rsync (>= {NEWER})"})


def test_newer_versions_in_the_lists_are_no_reason_to_install_anything(apt: Apt) -> None:
    assert "Inst haproxy" in apt.sh("apt-get install haproxy"), "these lists know no newer version"
    assert apt.sh(f"{CHECKOUT}/tools/deps test lab") == "deps: everything for test lab is installed"


def test_the_document_s_hosts_do_with_what_the_machine_has(apt: Apt) -> None:
    """A host of the laboratory has no network. Its first step names packages that are there."""
    said = apt.sh(PACKAGES.today)
    assert "0 upgraded, 0 newly installed, 0 to remove" in said


def test_what_is_missing_comes_with_what_it_needs_and_nothing_else_is_upgraded(apt: Apt) -> None:
    policy = "cat /usr/sbin/policy-rc.d 2>/dev/null || echo none"  # which keeps services down meanwhile
    apt.forget("xinetd")
    before = apt.sh(policy)
    said = apt.sh(f"{CHECKOUT}/tools/deps test lab")
    assert "deps: installing xinetd\n" in said
    assert re.search(rf"(?m)^deps: upgrades rsync \S+ to {NEWER}, for what is missing$", said)
    assert set(re.findall(r"(?m)^Inst (\S+)", said)) == {"rsync", "xinetd"}
    assert apt.sh(policy) == before


def test_after_make_deps_no_network_is_needed(net: Net) -> None:
    """Loopback alone: the environments, the wheels, an installation, and tests with a real database."""
    if os.geteuid() != 0:
        pytest.skip("not root: another network namespace cannot be made")
    tests = 'tests/responder/test_http.py tests/install/test_install.py -k "metrics or staged"'
    script = f"ip link set lo up && make --no-print-directory deps venv wheels && .venv/bin/python -m pytest -q {tests}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PYTEST"))}
    environment["TMPDIR"] = str(net.directory / "tmp")
    (net.directory / "tmp").mkdir()
    (net.directory / "tmp").chmod(0o1777)  # a database has an account of its own
    # Without a network an environment that is out of date would be taken away, and not made.
    asked = subprocess.run(["make", "--question", "venv", "build/debs"], cwd=CHECKOUT, env=environment, check=False)
    assert asked.returncode == 0, "what the tests need is out of date: make deps"
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", script],
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout
