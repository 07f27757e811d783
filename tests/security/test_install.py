"""What root may be given to install: a changed wheel, a source archive, an index with a password, a foreign file.

pip is real, and asks a real index on loopback, or searches a directory. It reads only the test's configuration.
"""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from install.conftest import place
from install.place import HOME, Place
from loopback import Net
from loopback.doors import CHECKOUT

__all__ = ["place"]  # a fixture

USER, PASSWORD = "fetcher", "not-for-the-log"
VICTIM = "pymysql"


def tag_of(place: Place) -> str:
    """The cache's name for the wheels of this machine's own Python."""
    code = "import platform, sys; print(sys.implementation.cache_tag, platform.machine(), sep='-')"
    return place.run("/usr/bin/python3", "-c", code).strip()


@pytest.fixture(scope="module")
def good(place: Place, net: Net) -> Path:
    """A directory with exactly the wheels of the lock file."""
    place.make("wheels")
    directory = net.directory / "good-wheels"
    shutil.copytree(CHECKOUT / "build/wheels" / tag_of(place), directory)
    return directory


@pytest.fixture(scope="module")
def changed(good: Path, net: Net) -> Path:
    """The same, but one wheel has an additional module. It is a valid wheel nevertheless."""
    directory = net.directory / "changed-wheels"
    shutil.copytree(good, directory)
    with zipfile.ZipFile(next(directory.glob(f"{VICTIM}-*.whl")), "a") as wheel:
        wheel.writestr(f"{VICTIM}/more.py", "open('/run/owned', 'w')\n")
    return directory


@contextmanager
def index(net: Net, directory: Path) -> Iterator[str]:
    """A package index (PEP 503) with the files of a directory, for one user with a password; its URL, with both."""
    allowed = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.strip("/").split("/")
            if self.headers.get("Authorization") != allowed:
                self.answer(401, b"")
            elif path[0] == "files":
                self.answer(200, (directory / path[1]).read_bytes())
            else:
                wanted = path[1].replace("-", "_")
                names = [one.name for one in directory.iterdir() if one.name.split("-")[0].lower() == wanted]
                self.answer(200, "".join(f'<a href="/files/{name}">{name}</a>\n' for name in names).encode())

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("WWW-Authenticate", "Basic")
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((net.next_address(), 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{USER}:{PASSWORD}@{server.server_name}:{server.server_port}/simple"
        finally:
            server.shutdown()


def asks(url: str) -> dict[str, str]:
    """pip's settings for this index only."""
    return {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": url, "PIP_NO_CACHE_DIR": "1"}


def looks_into(directory: Path) -> dict[str, str]:
    """pip's settings for this directory only."""
    return {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(directory)}


def refused(place: Place, settings: dict[str, str], wheels: Path) -> str:
    """The output of `make install`, with its own cache of wheels, when it must install nothing."""
    said = place.make("install", f"WHEELS={wheels}", code=2, **settings)
    assert place.sh(f"ls -d {HOME}/versions {HOME}/current /etc/xha 2>/dev/null || true") == ""
    assert place.sh("ls /run/owned 2>/dev/null || true") == ""
    assert "Traceback" not in said
    return said


def test_what_an_index_with_a_password_gives_is_installed_and_the_password_is_not_told(
    place: Place, good: Path, net: Net, tmp_path: Path
) -> None:
    with index(net, good) as url:
        said = place.make("install", f"WHEELS={tmp_path}/cache", **asks(url))
        assert f"fetched by pip {bundled_pip(place)}, bundled with Python" in said
        assert f"from {url.replace(f'{USER}:{PASSWORD}@', '')}\n" in said
    for wheel in good.iterdir():
        assert f": {wheel.name}, sha256 " in said
    assert PASSWORD not in said
    assert USER not in said
    place.make("uninstall")


def bundled_pip(place: Place) -> str:
    return place.sh("/usr/bin/python3 -c 'import ensurepip; print(ensurepip.version())'")


def test_a_changed_wheel_in_an_index_is_refused(place: Place, changed: Path, net: Net, tmp_path: Path) -> None:
    with index(net, changed) as url:
        said = refused(place, asks(url), tmp_path / "cache")
    assert f"install: {VICTIM} " in said
    assert "has the SHA-256" in said
    assert "not in requirements.lock" in said
    assert PASSWORD not in said


def test_a_changed_wheel_in_a_directory_is_refused(place: Place, changed: Path, tmp_path: Path) -> None:
    said = refused(place, looks_into(changed), tmp_path / "cache")
    assert f"install: {VICTIM} " in said
    assert "not in requirements.lock" in said


def test_a_changed_wheel_in_the_cache_is_not_used(place: Place, good: Path, changed: Path, tmp_path: Path) -> None:
    """An account that may write to build/wheels gains nothing: the hash is that of the bytes that are unpacked."""
    cache = tmp_path / "cache" / tag_of(place)
    shutil.copytree(changed, cache)
    said = refused(place, looks_into(tmp_path), tmp_path / "cache")
    assert "is not a wheel of requirements.lock: left aside" in said
    # If an index is reachable, the wheel is fetched again and replaced.
    place.make("install", f"WHEELS={tmp_path}/cache", **looks_into(good))
    assert place.sh(f"ls {HOME}/current/python/{VICTIM}/more.py 2>/dev/null || true") == ""
    assert {one.name: one.read_bytes() for one in cache.iterdir()} == {
        one.name: one.read_bytes() for one in good.iterdir()
    }
    place.make("uninstall")


def test_a_source_archive_is_not_built(place: Place, good: Path, tmp_path: Path) -> None:
    """Its setup.py would run as root before a hash is compared with its result."""
    links = tmp_path / "links"
    shutil.copytree(good, links)
    (wheel,) = links.glob(f"{VICTIM}-*.whl")
    version = wheel.name.split("-")[1]
    wheel.unlink()
    with tarfile.open(links / f"{VICTIM}-{version}.tar.gz", "w:gz") as archive:
        for name, text in (("setup.py", "open('/run/owned', 'w')\n"), ("PKG-INFO", f"Name: {VICTIM}\n")):
            member = tarfile.TarInfo(f"{VICTIM}-{version}/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    said = refused(place, looks_into(links), tmp_path / "cache")
    assert f"pip finds no wheel of {VICTIM} {version} for Python " in said
    assert "make install SYSTEM_PACKAGES=1" in said


def test_a_wheel_that_writes_what_is_another_s_is_refused(tmp_path: Path) -> None:
    """The wheel has the right hash: an error in the lock file must not replace xha's own modules."""
    code = """
import io, pathlib, sys, zipfile
sys.path.insert(0, sys.argv[1])
from wheels import CannotInstall, Locked, Wheel, unpack
for name in ("xha/core/node/verdict.py", "../outside.py", "/run/owned", "a/../../outside.py"):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, "")
    try:
        unpack([Wheel(Locked("bad", "1", frozenset()), "bad.whl", "", content.getvalue())], pathlib.Path(sys.argv[2]))
    except CannotInstall as error:
        print(error)
"""
    module = tmp_path / "python/xha/core/node/verdict.py"
    module.parent.mkdir(parents=True)
    module.write_text("ours\n")
    command = [sys.executable, "-c", code, str(CHECKOUT / "tools/install"), str(tmp_path / "python")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.count("bad.whl would write ") == 4
    assert module.read_text() == "ours\n"
    assert [str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*.py")] == ["python/xha/core/node/verdict.py"]
