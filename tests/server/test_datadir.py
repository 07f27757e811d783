"""What xha writes into a data directory is complete or absent, and belongs to the database's account."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from loopback.server_root import server_user
from server.conftest import MakeServer
from server.machine import Server
from xha.adapters.datadir.contents import VIEWS_KEPT, Contents, DataDirectory
from xha.adapters.datadir.quarantine import QUARANTINES_KEPT
from xha.adapters.files.foreign import UnfitPath
from xha.core.galera.lineage import Generation
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.position import GraState, Position

UUID = "6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18"
VIEW = f"my_uuid: {UUID}\n#vwbeg\nview_id: 3 {UUID} 4\nbootstrap: 0\nmember: {UUID} 0\n#vwend\n"


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return DataDirectory(str(tmp_path))


def test_what_is_written_is_read(data: DataDirectory, tmp_path: Path) -> None:
    record = NodeRecord(line=(Generation("a", "", 4, ("n1",)),), clean_stop=Position(UUID, 4))
    data.write_grastate(Position(UUID, 4), safe_to_bootstrap=True)
    data.write_record(record)
    (tmp_path / "gvwstate.dat").write_text(VIEW)
    assert data.read_grastate() == GraState(UUID, 4, True)
    assert data.read_record() == record
    view = data.read_gvwstate()
    assert view is not None
    assert view.restorable
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grastate.dat", "gvwstate.dat", "xha-node.json"]


class TestASavedStateOfItsOwn:
    """wsrep_data_home_dir, or base_dir of the provider."""

    @pytest.fixture
    def state(self, tmp_path: Path) -> Path:
        for name in ("data", "state"):
            (tmp_path / name).mkdir()
        return tmp_path / "state"

    def test_it_is_read_and_written_there_and_nowhere_else(self, tmp_path: Path, state: Path) -> None:
        data = DataDirectory(str(tmp_path / "data"), state_path=str(state))
        assert (data.read_grastate(), data.has_grastate(), data.has_record()) == (None, False, False)
        data.write_grastate(Position(UUID, 4), safe_to_bootstrap=True)
        data.write_record(NodeRecord(clean_stop=Position(UUID, 4)))
        (state / "gvwstate.dat").write_text(VIEW)
        assert data.read_gvwstate() is not None
        assert data.set_view_aside()
        assert (data.read_grastate(), data.has_grastate()) == (GraState(UUID, 4, True), True)
        assert sorted(path.name.partition(".xha")[0] for path in state.iterdir()) == [
            "grastate.dat",
            "gvwstate.dat",
            "xha-node.json",
        ]
        assert list((tmp_path / "data").iterdir()) == []
        kept = Path(data.quarantine("why"))
        assert {"grastate.dat", "xha-node.json"} <= {path.name for path in kept.iterdir()}

    def test_a_directory_that_is_not_there_is_not_an_absent_state(self, tmp_path: Path, state: Path) -> None:
        state.rmdir()
        data = DataDirectory(str(tmp_path / "data"), state_path=str(state))
        for look in (data.read_grastate, data.read_gvwstate, data.read_record, data.has_record):
            with pytest.raises(UnfitPath, match="there is no such directory"):
                look()

    def test_a_record_that_an_earlier_version_left_beside_the_data_is_read_and_then_moved(
        self, tmp_path: Path, state: Path
    ) -> None:
        record = NodeRecord(clean_stop=Position(UUID, 4))
        DataDirectory(str(tmp_path / "data")).write_record(record)
        data = DataDirectory(str(tmp_path / "data"), state_path=str(state))
        assert (data.has_record(), data.read_record()) == (True, record)
        data.write_record(record._replace(superseded=True))
        assert [path.name for path in (tmp_path / "data").iterdir()] == []
        read = data.read_record()
        assert read is not None
        assert read.superseded

    def test_another_path_to_the_data_directory_is_no_other_place(self, tmp_path: Path, state: Path) -> None:
        """datadir=/var/lib/mysql is a link of root's to /srv/mysql, and the options name /srv/mysql."""
        (tmp_path / "link").symlink_to(state)
        record = NodeRecord(clean_stop=Position(UUID, 4))
        data = DataDirectory(str(tmp_path / "link"), state_path=str(state))
        data.write_record(record)
        assert data.read_record() == record


def test_what_is_not_there_is_none(data: DataDirectory) -> None:
    assert (data.read_grastate(), data.read_gvwstate(), data.read_record()) == (None, None, None)
    assert not data.set_view_aside()


READERS = {
    "grastate.dat": DataDirectory.read_grastate,
    "gvwstate.dat": DataDirectory.read_gvwstate,
    "xha-node.json": DataDirectory.read_record,
}


@pytest.mark.parametrize("name", READERS)
def test_a_link_a_pipe_or_a_file_that_is_too_large_is_not_read_and_not_absent(tmp_path: Path, name: str) -> None:
    data, secret = DataDirectory(str(tmp_path / "data")), tmp_path / "secret"
    path = tmp_path / "data" / name
    path.parent.mkdir()
    secret.write_text(VIEW)
    path.symlink_to(secret)
    with pytest.raises(UnfitPath, match=f"{name}: it is a symbolic link"):
        READERS[name](data)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UnfitPath, match=f"{name}: it is no regular file"):
        READERS[name](data)
    path.unlink()
    path.write_text(VIEW + "\n" * 100_000)
    with pytest.raises(UnfitPath, match=f"{name}: it is larger than 65536 bytes"):
        READERS[name](data)


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / "data").mkdir()
    for name in ("grastate.dat", ".grastate.dat.xha"):
        (tmp_path / "data" / name).symlink_to(precious)
    DataDirectory(str(tmp_path / "data")).write_grastate(Position(UUID, 4), safe_to_bootstrap=False)
    assert precious.read_text() == "precious"
    assert not (tmp_path / "data/grastate.dat").is_symlink()


def test_a_write_that_fails_leaves_the_old_state(
    data: DataDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.write_grastate(Position(UUID, 4), safe_to_bootstrap=False)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        data.write_grastate(Position(UUID, 5), safe_to_bootstrap=True)
    assert data.read_grastate() == GraState(UUID, 4, False)
    assert [path.name for path in tmp_path.iterdir()] == ["grastate.dat"]


def test_a_view_that_is_set_aside_is_kept_thrice(data: DataDirectory, tmp_path: Path) -> None:
    for number in range(VIEWS_KEPT + 2):
        (tmp_path / "gvwstate.dat").write_text(str(number))
        assert data.set_view_aside()
    kept = sorted(tmp_path.iterdir())
    assert [path.read_text() for path in kept] == ["2", "3", "4"]
    assert all(path.name.startswith("gvwstate.dat.xha-0") for path in kept)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([], (False, False, False)),
        (["mysql/user.frm", "sys/x.frm", "performance_schema/db.opt"], (True, False, False)),
        (["mysql/user.frm", "shop/orders.ibd"], (True, True, False)),
        (["mysql/user.frm", "shop/"], (True, False, False)),
        (["mysql/"], (False, False, False)),
        (["mysql/user.frm", "lost+found/x", "#rocksdb/1.sst", ".sst/x", "ib_logfile0"], (True, False, False)),
        (["mysql/user.frm", "sst_in_progress"], (True, False, True)),
        (["mysql/user.frm", "test/db.opt"], (True, False, False)),
        (["mysql/user.frm", "test/db.opt", "test/t.frm"], (True, True, False)),
        (["mysql/user.frm", "shop/db.opt"], (True, True, False)),
        (["mysql/user.frm", "tmp/ibXy12", "tmp/#sql-temptable-1.MAI"], (True, False, False)),
        (["mysql/user.frm", "tmp/t.ibd"], (True, True, False)),
        (["mysql/user.frm", "backup/dump.sql"], (True, True, False)),
    ],
)
def test_what_a_directory_holds(
    data: DataDirectory, tmp_path: Path, files: list[str], expected: tuple[bool, bool, bool]
) -> None:
    for name in files:
        path = tmp_path / name
        (path if name.endswith("/") else path.parent).mkdir(exist_ok=True)
        if not name.endswith("/"):
            path.write_text("x")
    contents = data.read_contents()
    assert contents[:3] == expected
    assert contents.free_bytes > 0


def test_a_directory_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert DataDirectory(str(tmp_path / "none")).read_contents() == Contents(False, False, False, 0)


def test_a_directory_of_the_server_s_own_is_no_schema(tmp_path: Path) -> None:
    """The options name it. A table in it counts all the same."""
    data = DataDirectory(str(tmp_path), places=("undo",))
    (tmp_path / "undo").mkdir()
    (tmp_path / "undo/undo001").write_text("x")
    assert not data.read_contents().user_schemas
    (tmp_path / "undo/t.frm").write_text("x")
    assert data.read_contents().user_schemas


def test_a_real_database_holds_user_schemas_once_it_has_a_table(server: Server) -> None:
    assert server.files.read_contents()[:2] == (True, False)
    server.form()
    server.sql("CREATE DATABASE shop")
    server.sql("CREATE TABLE shop.orders (id INT PRIMARY KEY)")
    assert server.files.read_contents()[:2] == (True, True)


def test_a_quarantine_keeps_what_explains_and_neither_data_nor_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    for name in ("grastate.dat", "gvwstate.dat", "server-key.pem"):
        (directory / name).write_text(name)
    (directory / "ibdata1").write_bytes(b"row" * 100_000)
    (directory / "shop").mkdir()
    data = DataDirectory(str(directory))
    kept = Path(data.quarantine("the cluster voted it out", "the end"))
    assert sorted(path.name for path in kept.iterdir()) == ["README", "error-log-tail", "grastate.dat", "gvwstate.dat"]
    assert (kept / "README").read_text().startswith("the cluster voted it out\n\nThis directory keeps no data")
    assert (kept / "error-log-tail").read_text().endswith("the end")
    assert kept.parent.stat().st_mode & 0o077 == 0
    monkeypatch.setattr(time, "gmtime", lambda: time.struct_time((1999, 1, 1, 0, 0, 0, 4, 1, 0)))  # the clock goes back
    for _ in range(QUARANTINES_KEPT + 1):
        last = Path(data.quarantine("again"))
    assert len(list(kept.parent.iterdir())) == QUARANTINES_KEPT
    assert last.exists()
    assert not kept.exists()
    assert (directory / "grastate.dat").read_text() == "grastate.dat"


def test_discarded_data_are_replaced_by_a_state_transfer_and_nothing_is_deleted_before(
    make_server: MakeServer, server: Server
) -> None:
    lost = make_server()
    lost.form()
    lost.sql("CREATE DATABASE mine")
    lost.sql("CREATE TABLE mine.rows (id INT PRIMARY KEY)")
    lost.end()
    before = {path.name for path in lost.datadir.iterdir()}
    lost.files.discard()
    assert before <= {path.name for path in lost.datadir.iterdir()} | {"gvwstate.dat"}
    record = lost.files.read_record()
    assert record is not None
    assert record.discarded
    assert lost.files.read_grastate() == GraState(Position().uuid, -1, False)
    if server_user():
        assert (lost.datadir / "grastate.dat").owner() == server_user()
    server.configure(f"wsrep_cluster_address=gcomm://{server.address},{lost.address}")
    server.form()
    server.sql("CREATE DATABASE ours")
    server.sql("CREATE TABLE ours.rows (id INT PRIMARY KEY)")
    position = lost.recover().position
    assert position is not None
    assert position.real, "the engine still knows where its data ended"
    lost.launch(position, cluster_address=f"gcomm://{server.address},{lost.address}")
    lost.await_synced()
    schemas = {row[0] for row in lost.sql("SHOW DATABASES")}
    assert "ours" in schemas
    assert "mine" not in schemas
