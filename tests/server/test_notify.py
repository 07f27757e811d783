"""What a server reports to its NOTIFY_SOCKET is received, whatever else is sent there."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from xha.adapters.mysqld.notify_listener import Notice, NotifySocket


def said(path: str, *messages: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        for message in messages:
            sender.sendto(message, path)


@pytest.mark.parametrize(
    ("messages", "notice"),
    [
        ((), Notice()),
        (
            (b"READY=1\nSTATUS=Taking your SQL requests now...\n",),
            Notice(True, "Taking your SQL requests now..."),
        ),
        ((b"STATUS=a", b"STATUS=b=c", b"STATUS=b"), Notice(status="b")),
        ((b"READY=1", b"STOPPING=1"), Notice(ready=True)),
        (
            (b"STATUS=WSREP state transfer ongoing\nEXTEND_TIMEOUT_USEC=60000000\n",),
            Notice(False, "WSREP state transfer ongoing"),
        ),
        ((b"EXTEND_TIMEOUT_USEC=soon", b"READY=yes", b"\xff\xfe", b"", b"NOTHING"), Notice()),
    ],
)
def test_what_was_said_last_counts(tmp_path: Path, messages: tuple[bytes, ...], notice: Notice) -> None:
    notify = NotifySocket(str(tmp_path / "notify"))
    said(notify.path, *messages)
    assert notify.drain() == notice == notify.notice
    notify.close()
    assert not (tmp_path / "notify").exists()


def test_readiness_stays_until_it_is_forgotten(tmp_path: Path) -> None:
    notify = NotifySocket(str(tmp_path / "notify"))
    said(notify.path, b"READY=1")
    assert notify.drain() == Notice(ready=True)
    assert notify.drain() == Notice(ready=True)
    said(notify.path, b"STATUS=of an earlier server")
    notify.forget()
    assert notify.drain() == Notice()
    notify.close()


def test_a_socket_that_an_ended_keeper_left_is_taken_over_and_is_nobody_else_s(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    left = NotifySocket(str(path))
    notify = NotifySocket(str(path))
    said(str(path), b"READY=1")
    assert notify.drain().ready
    assert not left.drain().ready
    assert path.stat().st_mode & 0o177 == 0


class Flood:
    """A socket with a new message at every call; draining it to the end would never finish."""

    received = 0

    def recv(self, size: int) -> bytes:
        self.received += 1
        assert self.received < 100_000, "whoever reads it reads for ever"
        return b"STATUS=x" if self.received % 2 else b"READY=1"

    def close(self) -> None:
        pass


def test_a_server_that_sends_without_a_pause_does_not_hold_its_keeper(tmp_path: Path) -> None:
    notify = NotifySocket(str(tmp_path / "notify"))
    notify._socket.close()
    flood = notify._socket = Flood()  # type: ignore[assignment]
    assert notify.drain() == Notice(True, "x")
    assert flood.received > 512, "no fewer than the kernel keeps: what an earlier server said is forgotten"
    notify.close()
