"""Which processes may prove that a server receives a state transfer: any user can start one with any command line."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import wait_until
from security.believed import WHO_IS_BELIEVED
from xha.adapters.datadir import joiner
from xha.adapters.datadir.joiner import Asked, Joiner, find_joiner
from xha.adapters.host.login_name import server_uids

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root")

SOCKET = "/run/of-this-test.sock"
HOST, PORT = "127.0.0.99", 3399


class Place:
    """A directory that every account can enter, with a program that waits, and a data directory of mysql's."""

    def __init__(self, directory: Path) -> None:
        directory.chmod(0o755)
        self.program = directory / "cat"
        shutil.copy("/bin/cat", self.program)
        self.datadir = directory / "data"
        self.datadir.mkdir()
        shutil.chown(self.datadir, "mysql", "mysql")

    @contextlib.contextmanager
    def process(self, name: str, *options: str, account: str = "mysql", setuid: bool = False) -> Iterator[int]:
        """A process with this name and these options, of an account. Yields its pid."""
        program = self.program.with_name(name)
        shutil.copy("/bin/cat", program)
        program.chmod(0o4755 if setuid else 0o755)
        words = [f"/usr/bin/{name}", "--", "-", *options]
        with subprocess.Popen(words, executable=program, stdin=subprocess.PIPE, user=account) as started:
            try:
                wait_until(lambda: Path(f"/proc/{started.pid}/cmdline").read_bytes() != b"", 10, "it runs")
                yield started.pid
            finally:
                started.kill()

    def script(
        self, *options: str, account: str = "mysql", setuid: bool = False, role: str = "joiner"
    ) -> contextlib.AbstractContextManager[int]:
        """A state transfer's script for the data directory."""
        words = ["--role", role, "--datadir", f"{self.datadir}/", *options]
        return self.process("wsrep_sst_rsync", *words, account=account, setuid=setuid)


@pytest.fixture
def place() -> Iterator[Place]:
    made = Path(tempfile.mkdtemp(prefix="xha-joiner-"))
    yield Place(made)
    shutil.rmtree(made)


def look(datadir: object = "", socket: str | None = SOCKET) -> Joiner | None:
    return find_joiner(Asked(socket, None if socket else HOST, PORT, str(datadir)), server_uids("mysql"))


@pytest.mark.parametrize(("account", "setuid", "believed"), WHO_IS_BELIEVED)
def test_only_the_server_s_account_and_root_prove_a_state_transfer(
    place: Place, account: str, setuid: bool, believed: bool
) -> None:
    with place.script(account=account, setuid=setuid) as pid:
        expected = Joiner(f"wsrep_sst_rsync, pid {pid}", ours=True) if believed else None
        assert look(place.datadir) == expected
    assert look(place.datadir) is None


def test_a_script_that_has_outlived_its_server_proves_nothing(place: Place) -> None:
    with place.script("--parent", "4194305") as pid:  # above the kernel's largest pid
        assert look(place.datadir) is None
        with place.process("mysqld"):
            found = look()  # another test's transfer on this machine may be one, for which server is not known
            assert found is None or (found.ours, f"pid {pid}" in found.evidence) == (False, False)


def test_a_parent_that_is_no_pid_is_none(place: Place) -> None:
    with place.script("--parent", "9" * 5000):  # int refuses more than 4,300 digits
        found = look(place.datadir)
        assert found is not None
        assert found.ours


def test_the_sender_of_a_state_transfer_is_no_joiner(place: Place) -> None:
    with place.script(role="donor"):
        assert look(place.datadir) is None


def test_another_server_s_transfer_is_not_this_one_s(place: Place) -> None:
    with place.script():
        assert look("/another/data/directory") is None


def test_a_socket_in_the_data_directory_tells_whose_transfer_it_is(place: Place) -> None:
    with place.process("mysqld"), place.process("mariadbd"), place.script():
        found = look(socket=f"{place.datadir}/mysql.sock")
        assert found is not None
        assert found.ours
        found = look()
        assert found is not None
        assert not found.ours  # two servers, and nothing tells which of them was asked


@pytest.mark.parametrize(
    ("options", "socket", "ours"),
    [
        pytest.param([f"--socket={SOCKET}"], SOCKET, True, id="its socket"),
        pytest.param(["--socket=/another.sock"], SOCKET, False, id="another socket"),
        pytest.param([f"--port={PORT}", f"--bind-address={HOST}"], None, True, id="its port and address"),
        pytest.param([f"--port={PORT}", f"--bind-address=::1,{HOST}"], None, True, id="one of two addresses"),
        pytest.param([f"--port={PORT}", "--bind-address=0.0.0.0"], None, True, id="its port, on all addresses"),
        pytest.param([f"--port={PORT}", "--bind-address=127.0.0.98"], None, False, id="another address"),
        pytest.param(["--port=3306", f"--bind-address={HOST}"], None, False, id="another port"),
    ],
)
def test_what_the_server_s_command_line_names_counts(
    place: Place, options: list[str], socket: str | None, ours: bool
) -> None:
    with place.process("mysqld", *options) as server, place.script("--parent", str(server)):
        found = look(socket=socket)
        assert (found is not None and found.ours) == ours


def test_a_port_alone_does_not_tell_two_servers_apart(place: Place) -> None:
    port = f"--port={PORT}"
    with place.process("mariadbd"), place.process("mysqld", port) as server, place.script("--parent", str(server)):
        found = look(socket=None)
        assert found is not None
        assert not found.ours


def test_the_mark_of_a_transfer_counts_only_beside_a_live_server(place: Place) -> None:
    (place.datadir / "sst_in_progress").touch()
    assert look(place.datadir) is None
    with place.process("mysqld", f"--datadir={place.datadir}", account="nobody"):
        assert look(place.datadir) is None
    with place.process("mysqld", f"--datadir={place.datadir}") as server:
        assert look(place.datadir) == Joiner(f"sst_in_progress beside mysqld, pid {server}", ours=True)
        (place.datadir / "sst_in_progress").unlink()
        assert look(place.datadir) is None
    assert look(place.datadir) is None


def test_the_mark_is_not_proved_by_other_servers_that_do_not_say_where_their_data_are(place: Place) -> None:
    (place.datadir / "sst_in_progress").touch()
    with place.process("mysqld"), place.process("mariadbd"):
        assert look(place.datadir) is None


def test_a_recovery_is_no_live_server(place: Place) -> None:
    (place.datadir / "sst_in_progress").touch()
    with place.process("mysqld", f"--datadir={place.datadir}", "--wsrep-recover"):
        assert look(place.datadir) is None


def test_processes_that_cannot_be_looked_at_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> list[int]:
        raise OSError(24, "too many open files")

    monkeypatch.setattr(joiner, "read_pids", refuse)
    assert look() is None
