"""The lock files: their content, and that the installation uses nothing else."""

from __future__ import annotations

import configparser
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from install.conftest import CHECKOUT

LOCKS = {"requirements.lock": [], "tools/lock/pure.lock": ["pure"], "tools/lock/dev.lock": ["pure", "dev"]}
MINORS = [(3, minor) for minor in range(9, 14)]
HASH = "0" * 64


@pytest.fixture
def wheels(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module with which `make install` reads a lock file."""
    monkeypatch.syspath_prepend(str(CHECKOUT / "tools/install"))
    spec = importlib.util.spec_from_file_location("wheels", CHECKOUT / "tools/install/wheels.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "wheels", module)
    spec.loader.exec_module(module)
    return module


def required(extras: list[str]) -> dict[str, str]:
    """The requirements of setup.cfg: the bound by name, "" for none."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(CHECKOUT / "setup.cfg")
    texts = [config["options"]["install_requires"], *(config["options.extras_require"][extra] for extra in extras)]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    found = [re.fullmatch(r"([\w.-]+)\s*(.*)", line) for line in lines if line and not line.startswith("#")]
    return {re.sub(r"[-_.]+", "-", one[1]).lower(): one[2] for one in found if one}


def numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


@pytest.mark.parametrize("minor", MINORS, ids=lambda minor: f"3.{minor[1]}")
@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_has_all_that_setup_cfg_asks_for_and_one_version_of_it(
    name: str, minor: tuple[int, int], wheels: ModuleType
) -> None:
    locked = wheels.read_lock(CHECKOUT / name, minor)
    versions = {one.name: one.version for one in locked}
    assert len(versions) == len(locked)
    for package, bound in required(LOCKS[name]).items():
        assert package in versions, "make lock"
        if bound.startswith(">="):
            assert numbers(versions[package]) >= numbers(bound)
        elif bound.startswith("<"):
            assert numbers(versions[package]) < numbers(bound)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_names_wheels_alone_and_no_index(name: str) -> None:
    text = (CHECKOUT / name).read_text()
    named = re.findall(r"(?m)^# (\S+)$", text)
    assert named
    assert all(one.endswith(".whl") for one in named)
    assert len(named) == text.count("--hash=sha256:")
    assert "://" not in text
    assert "\n-" not in text


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("pymysql==1.2.4", id="no hash"),
        pytest.param(f"pymysql>=1.2 --hash=sha256:{HASH}", id="no version"),
        pytest.param(f"pymysql --hash=sha256:{HASH}", id="any version"),
        pytest.param(f"pymysql==1.2.4 --hash=md5:{HASH[:32]}", id="a hash that can be made to fit"),
        pytest.param(f"pymysql==1.2.4 --hash=sha256:{HASH[1:]}", id="half a hash"),
        pytest.param(f"pymysql @ http://127.0.0.1/pymysql.whl --hash=sha256:{HASH}", id="a place"),
        pytest.param("--index-url http://127.0.0.1/simple", id="an index"),
        pytest.param("-r other.lock", id="another file"),
        pytest.param(f"pymysql==1.2.4 ; os_name == 'nt' --hash=sha256:{HASH}", id="a condition that is not known"),
    ],
)
def test_what_is_not_a_package_with_version_and_hashes_is_refused(
    line: str, wheels: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "a.lock").write_text(f"{line}\n")
    with pytest.raises(wheels.CannotInstall, match="make lock"):
        wheels.read_lock(tmp_path / "a.lock", (3, 11))


@pytest.mark.parametrize(
    ("marker", "minors"),
    [
        ("python_full_version == '3.9.*'", {9}),
        ("python_full_version >= '3.10'", {10, 11, 12, 13}),
        ("python_full_version < '3.11'", {9, 10}),
        ("python_full_version >= '3.10' and python_full_version < '3.12'", {10, 11}),
    ],
)
def test_a_condition_on_the_python_is_understood(
    marker: str, minors: set[int], wheels: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "a.lock").write_text(f"# a wheel\nPy_MySQL==1.2.4 ; {marker} \\\n    --hash=sha256:{HASH}\n")
    for minor in MINORS:
        locked = wheels.read_lock(tmp_path / "a.lock", minor)
        assert [one.name for one in locked] == (["py-mysql"] if minor[1] in minors else [])
