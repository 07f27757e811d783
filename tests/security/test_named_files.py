"""Files that a configuration names: a FIFO, a device or an endless include in their place blocks nothing."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Callable

import pytest

from xha.adapters.files import config_files
from xha.adapters.files.config_files import read_config, read_sysconfig
from xha.adapters.files.secrets import read_secret
from xha.adapters.files.whole_file import MAX_BYTES
from xha.adapters.mysql.option_files import read_client_options
from xha.core.services.model.kind import Secret
from xha.core.text.values import ConfigError

PATIENCE = 60  # seconds, on a busy machine; a failure would hang forever


@pytest.fixture(autouse=True)
def _ends() -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"it still waits after {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(PATIENCE)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def fifo(path: Path) -> None:
    os.mkfifo(path, 0o600)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    path.touch(0o600)
    os.truncate(path, 1 << 40)  # a terabyte that takes no room


READERS: dict[str, Callable[[str], object]] = {
    "xha.conf": read_config,
    "the option file": read_client_options,
    "a secret": lambda path: read_secret(Secret(path=path)),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("put", "reason"),
    [
        pytest.param(fifo, "is no regular file", id="fifo"),
        pytest.param(endless, "is no regular file", id="device"),
        pytest.param(unix_socket, "no such device or address", id="socket"),
        pytest.param(huge, "more than", id="a terabyte"),
        pytest.param(Path.mkdir, "is a directory", id="directory"),
    ],
)
def test_what_stands_in_a_file_s_place_is_named_and_not_waited_for(
    tmp_path: Path, reader: str, put: Callable[[Path], None], reason: str
) -> None:
    path = tmp_path / "named"
    put(path)
    with pytest.raises(ConfigError, match=f"{path}: .*{reason}"):
        READERS[reader](str(path))


@pytest.mark.parametrize("put", [fifo, endless, huge])
def test_clustercheck_s_files_have_no_settings_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put: Callable[[Path], None]
) -> None:
    bad, good = tmp_path / "sysconfig", tmp_path / "default"
    put(bad)
    good.write_text("MYSQL_USERNAME=check\r\n")
    monkeypatch.setattr(config_files, "SYSCONFIG_FILES", (str(bad), str(good)))
    assert read_sysconfig() == {"MYSQL_USERNAME": "check"}


@pytest.mark.parametrize("put", [fifo, endless, unix_socket])
def test_what_is_included_and_is_no_file_is_passed_over_as_mysql_passes_over_it(
    tmp_path: Path, put: Callable[[Path], None]
) -> None:
    directory = tmp_path / "conf.d"
    directory.mkdir()
    put(directory / "a.cnf")
    path = tmp_path / "client.cnf"
    path.write_text(f"[client]\nuser=check\n!include {directory}/a.cnf\n!includedir {directory}\n")
    assert read_client_options(str(path)).values == {"user": "check"}


def test_a_file_that_includes_itself_four_times_is_refused_and_not_read_a_million_times(tmp_path: Path) -> None:
    path = tmp_path / "client.cnf"
    path.write_text("[client]\nuser=check\n" + f"!include {path}\n" * 4)
    with pytest.raises(ConfigError, match=f"{path}: more than 256 files are included; does one include itself"):
        read_client_options(str(path))


def test_includes_that_are_too_much_together_are_refused(tmp_path: Path) -> None:
    directory = tmp_path / "conf.d"
    directory.mkdir()
    for number in range(9):
        (directory / f"{number}.cnf").write_text("#" * (MAX_BYTES // 8) + "\n")
    path = tmp_path / "client.cnf"
    path.write_text(f"[client]\nuser=check\n!includedir {directory}\n")
    with pytest.raises(ConfigError, match=f"{path}: it and what it includes have more than 512 KiB"):
        read_client_options(str(path))


def test_a_directory_of_many_small_files_is_read_whole(tmp_path: Path) -> None:
    directory = tmp_path / "conf.d"
    directory.mkdir()
    for number in range(200):
        (directory / f"{number:03}.cnf").write_text(f"[client]\nuser=user{number}\n")
    path = tmp_path / "client.cnf"
    path.write_text(f"!includedir {directory}\n")
    assert read_client_options(str(path)).values == {"user": "user199"}
