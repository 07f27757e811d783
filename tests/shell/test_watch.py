"""xha-check --watch: a table in place on a terminal, a line a change in a pipe, until Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from loopback import Cluster, Node, NotInTime
from shell.databases import patient
from shell.host import Host
from shell.terminal import CONTROL_C, Terminal

ESCAPE = "\x1b"
HIDE_CURSOR, SHOW_CURSOR = f"{ESCAPE}[?25l", f"{ESCAPE}[?25h"
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  \S.*")


class Pipe:
    """A watch whose output goes into a pipe."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._rest = ""

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Read lines until one holds the text."""
        assert self.process.stdout is not None
        stream = self.process.stdout.fileno()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            line, newline, rest = self._rest.partition("\n")
            if newline:
                self._rest = rest
                assert LINE.fullmatch(line), line
                self.lines.append(line)
                if text in line:
                    return
            elif select.select([stream], [], [], 0.1)[0]:
                data = os.read(stream, 65536)
                assert data, f"it ended after {self.lines}"
                self._rest += data.decode()
        raise NotInTime(f"{text!r} in a line of {self.lines}")

    def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C; return the exit code and what was said after it."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, (out + err).decode()


@contextlib.contextmanager
def watching(host: Host, *arguments: str) -> Iterator[Pipe]:
    with host.popen("xha-check", "--watch", *arguments) as process:
        try:
            yield Pipe(process)
        finally:
            process.kill()


def test_on_a_terminal_the_table_follows_the_node_until_ctrl_c(host: Host, galera: Node) -> None:
    with Terminal(host.enter(host.door("xha-check"), "--watch")) as terminal:
        terminal.wait_for("Ctrl-C ends")
        assert "SERVICE" in terminal.text
        assert "synced" in terminal.text
        galera.kill()
        shown = terminal.wait_for("server-down")
        assert f"{ESCAPE}[1A" in shown or f"{ESCAPE}[2K" in shown  # drawn over, not below
        terminal.press(CONTROL_C)
        assert terminal.wait_end() == 2
    assert "Traceback" not in terminal.text
    assert terminal.text.count(SHOW_CURSOR) == terminal.text.count(HIDE_CURSOR)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_however_it_is_ended_the_terminal_has_its_cursor_back(host: Host, galera: Node, number: signal.Signals) -> None:
    with Terminal(host.enter(host.door("xha-check"), "--watch")) as terminal:
        terminal.wait_for("Ctrl-C ends")
        terminal.process.send_signal(number)
        assert terminal.wait_end() == 128 + number
    assert "Traceback" not in terminal.text
    assert terminal.text.count(SHOW_CURSOR) == terminal.text.count(HIDE_CURSOR)


def test_in_a_pipe_a_change_is_a_line_and_writes_are_none(host: Host, galera: Node) -> None:
    galera.sql("CREATE DATABASE IF NOT EXISTS watched")
    galera.sql("CREATE OR REPLACE TABLE watched.t (id INT PRIMARY KEY AUTO_INCREMENT)")
    with watching(host) as pipe:
        pipe.wait_for("  in  synced  Synced  1  ")
        for _ in range(20):
            galera.sql("INSERT INTO watched.t VALUES ()")
        galera.freeze()
        pipe.wait_for("  out  hung  ")
        galera.thaw()
        pipe.wait_for("  in  synced  ")
        galera.kill()
        pipe.wait_for("  out  server-down  ")
        assert pipe.interrupt() == (2, "")
    assert len(pipe.lines) == 4
    assert ESCAPE not in "".join(pipe.lines)


def test_a_wrong_configuration_is_a_line_and_the_watch_goes_on(host: Host, galera: Node) -> None:
    right = host.path("/etc/xha/xha.conf").read_text()
    with watching(host) as pipe:
        pipe.wait_for("synced")
        host.write("/etc/xha/xha.conf", right + "[nonsense]\n")
        pipe.wait_for("config-error  -  -  -  -  -  the fault is the check's own")
        assert "/etc/xha/xha.conf" in pipe.lines[-1]
        host.write("/etc/xha/xha.conf", right)
        pipe.wait_for("synced")
        assert pipe.interrupt() == (0, "")


def test_it_ends_in_silence_when_nobody_reads_any_more(host: Host, galera: Node) -> None:
    with watching(host) as pipe:
        pipe.wait_for("synced")
        assert pipe.process.stdout is not None
        pipe.process.stdout.close()
        galera.kill()
        assert pipe.process.wait(40) == 3
        assert pipe.process.stderr is not None
        assert pipe.process.stderr.read() == b""


def test_a_cluster_is_watched_although_who_knew_it_hangs(host: Host, members: Cluster) -> None:
    first, second, _ = members.nodes
    with patient(members), watching(host, "--cluster") as pipe:
        for node in members.nodes:
            pipe.wait_for(f"  {node.address}:3306  in  synced")
        assert len(pipe.lines) == 3
        second.freeze()
        pipe.wait_for(f"  {second.address}:3306  unknown  unreachable")
        second.thaw()
        pipe.wait_for(f"  {second.address}:3306  in  synced")
        first.freeze()
        pipe.wait_for(f"  {first.address}:3306  unknown  unreachable")
        first.thaw()
        pipe.wait_for(f"  {first.address}:3306  in  synced")
        assert pipe.interrupt() == (0, "")
    assert len(pipe.lines) == 7
    assert ESCAPE not in "".join(pipe.lines)


def test_a_cluster_s_table_is_drawn_in_place(host: Host, members: Cluster) -> None:
    with Terminal(host.enter(host.door("xha-check"), "cluster", "--watch")) as terminal:
        terminal.wait_for("Ctrl-C ends")
        for node in members.nodes:
            assert f"{node.address}:3306" in terminal.text
        members.nodes[2].freeze()
        terminal.wait_for("unreachable")
        terminal.press(CONTROL_C)
        assert terminal.wait_end() == 2
        members.nodes[2].thaw()
