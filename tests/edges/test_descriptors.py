"""What a process is started with, and what it reads from others, in forms that no service manager uses."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from loopback.doors import CHECKOUT
from xha.adapters.files.watch_state import WatchFile
from xha.adapters.files.whole_file import read_text
from xha.adapters.host import sd_notify as systemd
from xha.adapters.host.faults import Faults
from xha.adapters.host.log import Log
from xha.core.ocf.service_rule import Watch, render_watch


@pytest.mark.parametrize("text", ["", "x", "-1", "²", "1e3", "9" * 5000, "0"])
def test_a_watchdog_that_is_no_number_is_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", text)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    assert systemd.watchdog_interval() is None
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    assert systemd.watchdog_interval() == 5.0


@pytest.mark.parametrize("text", ["", "x", "-1", "²", "9" * 5000, "64"])
def test_sockets_that_are_none_are_not_taken(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", text)
    monkeypatch.setattr(systemd, "_FIRST_FD", 5000)  # nothing is open there
    assert systemd.take_listeners() == []


def test_a_manager_is_told_or_not_whatever_its_address_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("/no/such/socket", "@" + "x" * 200, "x" * 5000, "\udcff"):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        systemd.notify("WATCHDOG=1")

    def out_of_descriptors(*_: object) -> socket.socket:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(socket, "socket", out_of_descriptors)
    systemd.notify("WATCHDOG=1")


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 100_000, "a\nb\rc\x1b[31m\u2028d"], ids=ascii)
@pytest.mark.parametrize("use_syslog", [True, False])
def test_no_text_breaks_the_log_or_its_line(text: str, use_syslog: bool, capfd: pytest.CaptureFixture[str]) -> None:
    log = Log("xha-test", use_syslog)
    log.warning(text)
    said = capfd.readouterr().err
    assert said.count("\n") == (0 if use_syslog else 1)
    assert all(part.isprintable() for part in said.split("\n"))
    assert len(said) < 8000


class Odd(Exception):
    """An exception that cannot be turned into text."""

    def __str__(self) -> str:
        raise ValueError("no words")


def test_a_fault_is_told_once_and_then_every_ten_minutes_with_how_often(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    monkeypatch.setattr(Log, "_write", lambda self, priority, line: lines.append(line))
    faults = Faults(Log("xha-test"))

    def note(error: Exception) -> str:
        try:
            raise error
        except Exception as caught:
            return faults.note("testing", caught)

    for _ in range(1000):
        assert note(KeyError("x")) == "KeyError: 'x'"
    assert len(lines) == 1
    assert lines[0].startswith("a fault of xha's own while testing: KeyError: 'x'; ")
    assert "in note" in lines[0]
    note(TypeError("another"))
    assert len(lines) == 2
    now += 599
    note(KeyError("x"))
    now += 1
    note(KeyError("x"))
    assert re.search(r"testing: KeyError: 'x'; .* \(said 1002 times since \d\d:\d\d\)$", lines[2])
    assert note(Odd()) == "Odd"
    assert lines[3] == "testing: Odd"
    for number in range(200):
        note(type(f"Kind{number}", (Exception,), {})("x"))
    assert len(lines) < 40


def test_a_small_file_is_read_and_nothing_else_in_its_place_is(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xffgood")
    assert read_text(str(path), 5) == "\ufffdgood"
    with pytest.raises(OSError, match="more than 4 bytes"):
        read_text(str(path), 4)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(OSError, match="a symbolic link"):
        read_text(str(link), 5)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(OSError, match="no regular file"):
        read_text(str(fifo), 5)
    with pytest.raises(IsADirectoryError):
        read_text(str(tmp_path), 5)
    with pytest.raises(FileNotFoundError):
        read_text(str(tmp_path / "nothing"), 5)


def test_what_ocf_xha_service_remembers_is_a_regular_file(tmp_path: Path) -> None:
    file = WatchFile("w", str(tmp_path))
    os.mkfifo(file.path)
    assert file.read() is None
    os.unlink(file.path)
    Path(file.path).write_text(render_watch(Watch("a")).replace("null", "NaN"))
    assert file.read() is None
    file.write(Watch("a"))
    assert file.read() == Watch("a")


CODE = """
import os, sys
sys.path.insert(0, sys.argv[1])
from xha.doors.terminal.streams import abandon_stdout, mend_streams
from xha.doors.terminal.stderr import complain
mend_streams()
told = [os.readlink(f"/proc/self/fd/{fd}") for fd in (0, 1, 2)]
os.close(2)
complain("nobody hears this\\n")
os.close(1)
abandon_stdout()
told += [os.readlink(f"/proc/self/fd/{fd}") for fd in (1, 2)]
told += [str(os.get_inheritable(fd)) for fd in (0, 1, 2)]
open(sys.argv[2], "w").write(" ".join(told))
"""


def test_closed_standard_streams_are_dev_null_for_good(tmp_path: Path) -> None:
    command = [sys.executable, "-IS", "-c", CODE, str(CHECKOUT / "lib"), str(tmp_path / "told")]
    subprocess.run(["/bin/sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh", *command], check=True)
    assert (tmp_path / "told").read_text() == " ".join(["/dev/null"] * 5 + ["True"] * 3)
