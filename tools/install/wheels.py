"""The packages that xha requires: from a lock file, as wheels with known hashes, or the distribution's own.

pip fetches, from the index that this machine has configured; what a wheel may be is said by the lock file alone. A
wheel is unpacked from the very bytes whose hash was computed, so it makes no difference who may write to the cache.
"""

from __future__ import annotations

import configparser
import hashlib
import importlib.metadata
import io
import os
import platform
import re
import site
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

from saying import CannotInstall, say

CHECKOUT = Path(__file__).resolve().parents[2]
LOCK = CHECKOUT / "requirements.lock"
PYTHON = platform.python_version()


class Locked(NamedTuple):
    """A package of the lock file. hashes: SHA-256 in hexadecimal of each of its wheels."""

    name: str
    version: str
    hashes: frozenset[str]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Wheel(NamedTuple):
    """A wheel whose content is what the lock file says."""

    package: Locked
    file: str
    digest: str
    content: bytes


def canonical(name: str) -> str:
    """PEP 503's one spelling of a package's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _holds(marker: str, minor: tuple[int, int]) -> bool:
    """Whether a marker as `make lock` writes it is true of a Python: conditions joined by `and`."""
    for clause in filter(None, marker.split(" and ")):
        found = re.fullmatch(r"python_full_version (==|>=|<) '3\.(\d+)(?:\.\*)?'", clause.strip())
        if not found:
            raise CannotInstall(f"{LOCK.name}: cannot read the condition {marker!r}; write the file anew: make lock")
        asked = (3, int(found[2]))
        if not {"==": minor == asked, ">=": minor >= asked, "<": minor < asked}[found[1]]:
            return False
    return True


def read_lock(path: Path = LOCK, minor: tuple[int, int] = sys.version_info[:2]) -> list[Locked]:
    """Return the packages that a Python needs. Raises CannotInstall for any line that is not a package with hashes."""
    packages = []
    text = re.sub(r"(?m)^#.*\n", "", path.read_text(encoding="utf-8")).replace("\\\n", " ")
    for line in filter(None, text.splitlines()):
        found = re.fullmatch(r"([\w.-]+)==([\w.+!-]+)(?: ; ([^-]*?))?((?: +--hash=sha256:[0-9a-f]{64})+) *", line)
        if not found:
            raise CannotInstall(f"{path.name}: not a package with version and hashes: {line[:60]!r}; make lock")
        name, version, marker, hashes = found.groups()
        if _holds(marker or "", minor):
            packages.append(Locked(canonical(name), version, frozenset(re.findall(r"[0-9a-f]{64}", hashes))))
    return packages


def get_wheels(cache: Path) -> list[Wheel]:
    """Return every wheel that the lock file names for this interpreter: from the cache, or fetched into it now."""
    packages = read_lock()
    directory = cache / f"{sys.implementation.cache_tag}-{platform.machine()}"
    try:
        wheels, where = _look(packages, directory), f"from {directory}"
    except CannotInstall:
        with tempfile.TemporaryDirectory() as work:
            where = f"fetched by {_fetch(packages, Path(work))}"
            wheels = _look(packages, Path(work))
        _store(wheels, directory)
    for wheel in wheels:
        say(f"{wheel.package}: {wheel.file}, sha256 {wheel.digest[:16]}")
    say(f"these {len(wheels)} wheels have the hashes of {LOCK.name}; {where}")
    return wheels


def _look(packages: list[Locked], directory: Path) -> list[Wheel]:
    """Return the wheels in a directory. Raises CannotInstall unless each package has one whose hash is the lock's."""
    found: dict[str, Wheel] = {}
    by_name = {package.name: package for package in packages}
    for path in sorted(directory.glob("*.whl")):
        package = by_name.get(canonical(path.name.split("-")[0]))
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if package and digest in package.hashes:
            found[package.name] = Wheel(package, path.name, digest, content)
        else:
            say(f"{path} is not a wheel of {LOCK.name}: left aside")
    missing = [str(package) for package in packages if package.name not in found]
    if missing:
        raise CannotInstall(f"{directory} has no wheel of {', '.join(missing)} with a hash of {LOCK.name}")
    return [found[package.name] for package in packages]


def _store(wheels: list[Wheel], directory: Path) -> None:
    """Keep the wheels for the next time, each put there in one step, in the place of what was there."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for wheel in wheels:
            descriptor, fresh = tempfile.mkstemp(dir=directory)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(wheel.content)
            os.chmod(fresh, 0o644)
            os.rename(fresh, directory / wheel.file)
        for path in {*directory.glob("*.whl")} - {directory / wheel.file for wheel in wheels}:
            path.unlink(missing_ok=True)
    except OSError as error:
        say(f"the wheels are not kept for the next time: {error}")


def _fetch(packages: list[Locked], directory: Path) -> str:
    """Have pip fetch the wheels into the directory, and return the name of that pip and its index."""
    with tempfile.TemporaryDirectory() as work:
        python = Path(work, "venv/bin/python")
        made = _run([sys.executable, "-Im", "venv", str(python.parents[1])])
        if made.returncode:
            raise CannotInstall(
                f"{sys.executable} cannot make an environment for pip: {_last(made.stdout)}; on Debian: apt-get "
                "install python3-venv, or take the distribution's packages: make install SYSTEM_PACKAGES=1"
            )
        pip = [str(python), "-Im", "pip"]
        version = " ".join(_run([*pip, "--version"]).stdout.split()[:2])
        safe = ["--require-hashes", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check"]
        done = _run([*pip, "download", *safe, "--dest", str(directory), "--requirement", str(LOCK)])
        index = _index(done.stdout, _run([*pip, "config", "list"]).stdout)
        if done.returncode:
            raise CannotInstall(_explain(done.stdout, index, packages))
        return f"{version}, bundled with Python {PYTHON}, from {index}"


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def _last(text: str) -> str:
    return _hide(([line for line in text.splitlines() if line.strip()] or ["it said nothing"])[-1].strip())


def _hide(text: str) -> str:
    """Return the text without what stands in a URL between // and @, and behind a ?."""
    return re.sub(r"\?\S*", "", re.sub(r"//[^/\s@]*@", "//", text))


def _index(said: str, configuration: str) -> str:
    """Return where pip looked: it names its indexes only where they are not PyPI alone."""
    indexes = re.search(r"(?m)^Looking in indexes: (.*)$", said)
    links = re.search(r"(?m)^Looking in links: (.*)$", said)
    places = [indexes[1]] if indexes else [] if "no-index=" in configuration else ["PyPI"]
    return _hide(", ".join(places + ([links[1]] if links else []))) or "no index"


def _explain(said: str, index: str, packages: list[Locked]) -> str:
    """Return pip's failure as a sentence: what, for which Python, and what to do."""
    nothing = re.search(r"No matching distribution found for ([\w.-]+)==(\S+)", said)
    wrong = re.search(r"(?ms)DO NOT MATCH THE HASHES.*?^\s+(\S+) from .*?Got\s+([0-9a-f]{64})", said)
    if wrong:
        name = canonical(re.split(r"[=<>!~\[;]", wrong[1])[0])
        package = next((str(package) for package in packages if package.name == name), wrong[1])
        return (
            f"{package}: the file that {index} gave has the SHA-256 {wrong[2]}, which is not in {LOCK.name}: "
            "it was changed on its way, or in the index. Nothing was installed. Find out who changed it"
        )
    elsewhere = (
        "`make wheels` on a host of the same kind that reaches an index, and build/wheels copied from there, or the "
        "distribution's packages: make install SYSTEM_PACKAGES=1"
    )
    if nothing:
        return (
            f"pip finds no wheel of {nothing[1]} {nothing[2]} for Python {PYTHON} on {platform.machine()} in {index}, "
            f"or does not reach it. {LOCK.name} has the wheels for Python 3.9 to 3.13 on x86_64 and aarch64. "
            f"What helps: another interpreter, make install SYSPYTHON=...; {elsewhere}"
        )
    return f"pip could not fetch the packages of {LOCK.name}: {_last(said)}. What helps: {elsewhere}"


def unpack(wheels: list[Wheel], directory: Path) -> None:
    """Unpack wheels beside what is in the directory. Two that bring the same file are refused."""
    for wheel in wheels:
        with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
            for member in archive.infolist():
                name = re.sub(r"^[^/]+\.data/(purelib|platlib)/", "", member.filename)
                if member.is_dir() or re.match(r"[^/]+\.data/", name):  # commands, headers and man pages
                    continue
                target = directory / name
                if name.startswith("/") or ".." in name.split("/") or os.path.lexists(target):
                    raise CannotInstall(f"{wheel.file} would write {name!r}, which is not its own")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(member))


def find_system_packages() -> list[str]:
    """Return the directories of the distribution's packages, if all that setup.cfg requires is there and new enough."""
    # Not those of /usr/local: what is there was put there by pip, from anywhere.
    places = [place for place in site.getsitepackages() if not place.startswith("/usr/local/") and Path(place).is_dir()]
    installed = {}
    for place in reversed(places):
        for one in importlib.metadata.distributions(path=[place]):
            installed[canonical(one.metadata["Name"] or "")] = (one.version, place)
    config = configparser.ConfigParser(interpolation=None)
    config.read(CHECKOUT / "setup.cfg")
    missing, used = [], set()
    for line in config["options"]["install_requires"].split("\n"):
        name, _, least = (part.strip() for part in line.partition(">="))
        if not name:
            continue
        version, place = installed.get(canonical(name), ("", ""))
        if not version or _numbers(version) < _numbers(least):
            missing.append(f"{name} {least} or newer ({f'{version} is there' if version else 'not there'})")
            continue
        say(f"{name} {version}: the distribution's, in {place} (at least {least})")
        used.add(place)
    if missing:
        raise CannotInstall(
            f"SYSTEM_PACKAGES=1: Python {PYTHON} lacks {', '.join(missing)} in {', '.join(places) or 'no directory'}; "
            "on Debian: apt-get install python3-pymysql python3-pika python3-psutil python3-requests python3-rich, or "
            "leave SYSTEM_PACKAGES out"
        )
    return [place for place in places if place in used]
