"""Whether the server's account can write where the server does: a real write, by a real child."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import Net
from loopback.server_root import SERVER_USER
from xha.adapters.files.as_account import Account, act_as
from xha.adapters.lifecycle import disk_writes
from xha.adapters.lifecycle.disk_writes import NAME, find_unwritable
from xha.adapters.mysqld.program import find_account

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root")


@pytest.fixture
def account() -> Account:
    return find_account(SERVER_USER, SERVER_USER)


@pytest.fixture
def directory(net: Net) -> Iterator[Path]:
    """A directory of the server's, below others that let its account pass."""
    own = net.directory / "writes" / "own"
    own.mkdir(parents=True)
    shutil.chown(own, SERVER_USER)
    yield own
    shutil.rmtree(own.parent)


def test_a_directory_that_takes_a_write_is_left_as_it_was(account: Account, directory: Path) -> None:
    (directory / NAME).write_text("what a killed child has left")
    assert find_unwritable(account, [("datadir", str(directory)), ("log_bin", str(directory))], 10) == ""
    assert list(directory.iterdir()) == []


def test_the_first_that_does_not_take_it_is_named_with_why(account: Account, directory: Path) -> None:
    roots = directory.parent / "roots"
    roots.mkdir(mode=0o755)
    own = ("datadir", str(directory))
    assert find_unwritable(account, [own, ("tmpdir", str(roots))], 10) == f"tmpdir {roots}: permission denied"
    gone = directory / "gone"
    assert find_unwritable(account, [own, ("log_bin", str(gone))], 10) == f"log_bin {gone}: no such file or directory"


def test_a_link_in_the_place_of_the_file_is_removed_and_not_followed(account: Account, directory: Path) -> None:
    victim = directory / "victim"
    victim.write_text("rows")
    shutil.chown(victim, SERVER_USER)
    (directory / NAME).symlink_to(victim)
    assert find_unwritable(account, [("datadir", str(directory))], 10) == ""
    assert victim.read_text() == "rows"


def test_the_child_holds_none_of_the_files_of_which_its_parent_has_the_lock(account: Account, directory: Path) -> None:
    """It may wait in the kernel for as long as a disk is frozen, and no other keeper could begin."""
    with (directory / "lock").open("w") as lock:

        def find_out() -> bytes:
            disk_writes._let_go_of_files()
            try:
                os.fstat(lock.fileno())
            except OSError:
                return b"closed"
            return b"held"

        assert act_as(account, find_out) == b"closed"
