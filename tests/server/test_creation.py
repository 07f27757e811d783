"""A creation that was cut short is done again from its beginning, and never over the data of users."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from loopback import find_program
from loopback.doors import CHECKOUT
from loopback.server_root import server_user
from server.machine import Server
from xha.adapters.datadir.hold import InUse
from xha.adapters.lifecycle.creation import create
from xha.adapters.lifecycle.launch import Unusable
from xha.core.galera.lineage import Generation
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.position import Position

MARK = ".xha-creating"
UUID = "6c0f2d1e-7a5b-11ee-9d3a-0242ac120002"
SECONDS = 300
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root logs in as root, and mounts")


def again(server: Server) -> None:
    create(server.program(), time.monotonic() + SECONDS)


def own(*paths: Path) -> None:
    user = server_user()
    if user:
        entry = pwd.getpwnam(user)
        for path in paths:
            os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def put(path: Path, text: str = "") -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    own(path.parent, path)


def bootstrap(server: Server, statements: str) -> None:
    """Run statements, one a line, as a creation does: by a server without accounts, clients and Galera."""
    subprocess.run(
        [*server.program().command, "--bootstrap"],
        input=statements,
        text=True,
        check=True,
        capture_output=True,
        user=server_user(),
    )


def seen(directory: Path) -> list[tuple[str, int]]:
    """All names below a directory, with their inodes."""
    return sorted((str(path.relative_to(directory)), path.lstat().st_ino) for path in directory.rglob("*"))


@pytest.fixture
def cut(server: Server) -> Server:
    """A server whose creation was cut short at its end, for all that can be seen."""
    put(server.datadir / MARK)
    return server


@as_root
def test_remains_without_root_are_made_anew(cut: Server) -> None:
    # mariadb-install-db does nothing, and ends with 0, where the view mysql.user is.
    bootstrap(cut, "DELETE FROM mysql.global_priv;\nDELETE FROM mysql.help_topic;\n")
    again(cut)
    assert not cut.files.has_creation_mark()
    cut.form()
    assert cut.sql("SELECT CURRENT_USER()") == (("root@localhost",),)
    assert cut.sql("SELECT COUNT(*) > 0 FROM mysql.help_topic") == ((1,),)


@as_root
def test_the_accounts_are_those_of_the_distribution_s_package(cut: Server) -> None:
    again(cut)
    cut.form()
    made = sorted({"root", server_user() or "root"})
    assert cut.sql("SELECT User, Host FROM mysql.user WHERE User NOT LIKE 'mariadb.%' ORDER BY User") == tuple(
        (user, "localhost") for user in made
    )
    for user in made:
        assert "unix_socket" in str(cut.sql(f"SHOW CREATE USER '{user}'@localhost"))


def test_what_no_creation_makes_stays(cut: Server) -> None:
    kept = ["server-key.pem", "galera.cache", "h1.err", ".ssh/key"]
    for name in kept:
        put(cut.datadir / name, name)
    cut.files.write_grastate(Position(), safe_to_bootstrap=True)
    cut.files.write_record(NodeRecord(superseded=True))
    again(cut)
    assert [(cut.datadir / name).read_text() for name in kept] == kept
    assert cut.files.read_grastate() is not None
    assert cut.files.read_record() == NodeRecord(superseded=True)
    assert not cut.files.has_creation_mark()


def test_links_are_removed_and_what_they_lead_to_is_not(cut: Server) -> None:
    outside = cut.directory / "outside"
    names = ["schema/table", "file"]
    for name in names:
        (outside / name).parent.mkdir(exist_ok=True, parents=True)
        (outside / name).write_text(name)
    own(outside, outside / "schema", *(outside / name for name in names))
    before = seen(outside)
    shutil.rmtree(cut.datadir / "mysql")
    links = {"mysql": "schema", "sys/inner": "schema", "sys/file": "file"}
    for link, target in links.items():
        (cut.datadir / link).symlink_to(outside / target)
        own(cut.datadir / link)
    again(cut)
    assert seen(outside) == before
    assert [(outside / name).read_text() for name in names] == names
    assert not any((cut.datadir / link).is_symlink() for link in links)
    assert (cut.datadir / "mysql" / "global_priv.frm").exists()


def torn(name: str) -> Callable[[Server], None]:
    return lambda server: put(server.datadir / name, "{")


def link(server: Server) -> None:
    (server.datadir / "shop").symlink_to("/srv")


def placed(server: Server) -> None:
    server.configure(f"innodb_log_group_home_dir={server.datadir}/shop")
    put(server.datadir / "shop" / "orders.ibd")


def history(server: Server) -> None:
    server.files.write_record(NodeRecord(line=(Generation("1" * 8, "", 1),)))


# What stands beside the remains; what is said of it.
REFUSED: dict[str, tuple[Callable[[Server], None], str]] = {
    "a table": (lambda server: put(server.datadir / "shop" / "orders.ibd"), "link shop, which may be a schema"),
    "an empty schema": (lambda server: (server.datadir / "shop").mkdir(), "link shop, which may be a schema"),
    "a schema elsewhere": (link, "link shop, which may be a schema"),
    "a schema with an engine's name": (
        lambda server: put(server.datadir / "undo001" / "a.ibd"),
        "link undo001, which may",
    ),
    "a schema at an engine's place": (placed, "link shop, which may be a schema"),
    "a cluster's position": (
        lambda server: server.files.write_grastate(Position(UUID, -1), safe_to_bootstrap=False),
        "grastate.dat names a cluster's data",
    ),
    "a torn position": (torn("grastate.dat"), "grastate.dat .* cannot be read"),
    "a history": (history, "xha-node.json names the history"),
    "a torn history": (torn("xha-node.json"), "xha-node.json .* cannot be read"),
    "a transfer": (torn("sst_in_progress"), "a state transfer has begun"),
    "a server that has run": (torn("multi-master.info"), "a server has served there since .multi-master.info"),
    "binary logs": (torn("binlog.index"), "a server has served there since .binlog.index"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_may_be_of_users_is_not_removed(cut: Server, case: str) -> None:
    prepare, told = REFUSED[case]
    prepare(cut)
    before = seen(cut.datadir)
    with pytest.raises(Unusable, match=told) as refused:
        again(cut)
    assert f"remove {cut.datadir}/{MARK}" in str(refused.value)
    assert f"empty {cut.datadir}" in str(refused.value)
    assert seen(cut.datadir) == before


def test_what_a_process_uses_is_not_removed(cut: Server) -> None:
    before = seen(cut.datadir)
    with (cut.datadir / "ibdata1").open("rb") as used, subprocess.Popen(["sleep", "600"], stdin=used) as user:
        used.close()
        try:
            with pytest.raises(InUse, match=f"in use by .*pid {user.pid}"):
                again(cut)
        finally:
            user.kill()
    assert seen(cut.datadir) == before


def test_what_hinders_a_removal_is_named_and_the_next_goes_on(cut: Server) -> None:
    put(cut.datadir / "mysql" / "nested" / "file")
    with pytest.raises(Unusable, match=r"cannot remove them: mysql: .*; empty ") as hindered:
        again(cut)
    assert str(cut.datadir) in str(hindered.value)
    assert cut.files.has_creation_mark()
    assert (cut.datadir / "mysql" / "nested" / "file").exists()
    shutil.rmtree(cut.datadir / "mysql" / "nested")
    again(cut)
    assert not cut.files.has_creation_mark()
    assert cut.files.read_contents().initialised


# An option that names a directory; the file that a creation leaves in it.
OUTSIDE = {
    "innodb_data_home_dir": "ibdata1",
    "innodb_log_group_home_dir": "ib_logfile0",
    "innodb_undo_directory": "undo001",
    "aria_log_dir_path": "aria_log_control",
}


@pytest.mark.parametrize("option", OUTSIDE)
def test_files_of_an_engine_outside_are_named_and_stay(cut: Server, option: str) -> None:
    place = cut.directory / "engine"
    place.mkdir()
    own(place)
    cut.configure(f"{option}={place}")
    put(place / OUTSIDE[option])
    before = seen(cut.directory)
    with pytest.raises(Unusable, match=f"outside of it: {place}/{OUTSIDE[option]}; remove them"):
        again(cut)
    assert seen(cut.directory) == before


MOUNTED = """
import subprocess, sys, time
from xha.adapters.lifecycle.creation import create
from xha.adapters.mysqld.program import find_program, read_options
from xha.core.ocf.galera_settings import Settings
config, user, source, target = sys.argv[1:]
program = read_options(find_program(Settings(config=config, user=user, group="")))[0]
subprocess.run(["mount", "--bind", source, target], check=True)
try:
    create(program, time.monotonic() + 60)
except Exception as error:
    print(type(error).__name__, error)
"""


@as_root
@pytest.mark.parametrize("name", ["mysql", "ibdata1"])
def test_what_is_mounted_there_is_not_removed(cut: Server, name: str) -> None:
    outside = cut.directory / "outside"
    shutil.copytree(cut.datadir, outside)
    before = seen(cut.datadir), seen(outside)
    words = [cut.config, server_user(), outside / name, cut.datadir / name]
    done = subprocess.run(
        [find_program("unshare", "util-linux"), "--mount", sys.executable, "-c", MOUNTED, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "lib")},
    )
    assert done.stdout.startswith("Unusable"), done.stderr
    assert f"{cut.datadir}/{name} is a mount: empty" in done.stdout
    assert (seen(cut.datadir), seen(outside)) == before
