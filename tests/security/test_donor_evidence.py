"""Which processes may prove that a node is a donor: any user can start a process with any command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from loopback import wait_until
from security.believed import WHO_IS_BELIEVED
from xha.adapters.host.login_name import server_uids
from xha.adapters.mysqld.donor_evidence import find_donor_evidence

SOCKET = "/run/of-this-test.sock"


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every account can enter."""
    made = Path(tempfile.mkdtemp(prefix="xha-evidence-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.mark.skipif(os.geteuid() != 0, reason="not root")
@pytest.mark.parametrize(("account", "setuid", "believed"), WHO_IS_BELIEVED)
def test_only_the_server_s_account_and_root_prove_a_state_transfer(
    open_directory: Path, account: str, setuid: bool, believed: bool
) -> None:
    program = open_directory / "cat"
    shutil.copy("/bin/cat", program)
    program.chmod(0o4755 if setuid else 0o755)
    words = ["/usr/bin/wsrep_sst_rsync", "--", "-", "--role", "donor", "--socket", SOCKET]
    with subprocess.Popen(words, executable=program, stdin=subprocess.PIPE, user=account) as transfer:
        try:
            wait_until(lambda: Path(f"/proc/{transfer.pid}/cmdline").read_bytes() != b"", 10, "it runs")
            found = find_donor_evidence(SOCKET, None, server_uids("mysql"))
            assert (found is not None) == believed
            if found:
                assert found.process == f"wsrep_sst_rsync, pid {transfer.pid}"
        finally:
            transfer.kill()


@pytest.mark.parametrize("error", [psutil.AccessDenied(1), OSError(24, "too many open files")])
def test_processes_that_cannot_be_looked_at_prove_nothing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse(_: object) -> Iterator[object]:
        raise error

    monkeypatch.setattr(psutil, "process_iter", refuse)
    assert find_donor_evidence(SOCKET, None, {0}) is None
