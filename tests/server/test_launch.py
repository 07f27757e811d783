"""A server is launched as its init system would launch it, from the position that was recovered."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import time
from pathlib import Path

import pytest

from loopback import wait_until
from loopback.server_root import server_user
from server.conftest import MakeServer
from server.machine import Server
from xha.adapters.datadir.hold import InUse
from xha.adapters.lifecycle.creation import create
from xha.adapters.lifecycle.launch import Unusable, exit_status, launch
from xha.adapters.mysqld.notify_listener import NotifySocket
from xha.adapters.mysqld.program import find_binary, find_program, read_options
from xha.adapters.process.procfs import look
from xha.core.galera.error_log import is_permanent
from xha.core.galera.position import NO_UUID, Position
from xha.core.galera.server_options import without_gcache


def limit(pid: int, name: str) -> int:
    line = next(one for one in Path(f"/proc/{pid}/limits").read_text().split("\n") if one.startswith(name))
    return int(line[len(name) :].split()[0])


def attainable(which: int, wanted: int) -> int:
    hard = resource.getrlimit(which)[1]
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def test_a_node_that_forms_its_cluster_goes_on_where_its_data_end(server: Server) -> None:
    server.form()
    server.sql("CREATE DATABASE shop")
    server.sql("CREATE TABLE shop.orders (id INT PRIMARY KEY)")
    uuid = server.status("wsrep_cluster_state_uuid")["wsrep_cluster_state_uuid"]
    assert server.end() == ()
    saved = server.files.read_grastate()
    assert saved is not None
    assert saved.uuid == uuid
    assert saved.seqno >= 2, "a clean stop leaves its seqno"
    server.form()
    assert server.status("wsrep_cluster_state_uuid") == {"wsrep_cluster_state_uuid": uuid}
    assert int(server.status("wsrep_last_committed")["wsrep_last_committed"]) >= saved.seqno
    assert server.end() == ()


def test_a_server_has_what_an_init_system_gives(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCF_RESKEY_test_passwd", "secret")
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/somebody/else")
    server.socket = server.directory / "run" / "mysqld.sock"
    server.configure(f"socket={server.socket}")
    process = server.form(environment={"XHA": "1"})
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
    environment = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
    names = {entry.partition(b"=")[0] for entry in environment}
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    assert Path(f"/proc/{process.pid}/cwd").resolve() == server.datadir.resolve()
    assert os.readlink(f"/proc/{process.pid}/fd/0") == "/dev/null"
    assert {os.readlink(f"/proc/{process.pid}/fd/{number}") for number in (1, 2)} == {f"{server.directory}/server.log"}
    ignored = {number for number in signal.valid_signals() if int(status["SigIgn"], 16) >> number - 1 & 1}
    assert ignored <= {signal.SIGPIPE}, "what else it ignores is not ours"
    assert Path(f"/proc/{process.pid}/oom_score_adj").read_text() == "0\n"
    assert b"XHA" in names
    assert not names & {b"OCF_RESKEY_test_passwd", b"NOTIFY_SOCKET"}
    assert limit(process.pid, "Max open files") >= attainable(resource.RLIMIT_NOFILE, 32768)
    assert limit(process.pid, "Max locked memory") >= attainable(resource.RLIMIT_MEMLOCK, 524288)
    assert server.socket.parent.stat().st_mode & 0o777 == 0o755
    if server_user():
        owners = {path.owner() for path in (server.socket.parent, server.directory / "server.log")}
        assert owners == {server_user()}
        assert status["Uid"].split() == [str(server.datadir.stat().st_uid)] * 4


def test_a_server_tells_its_state_by_the_socket_and_the_file(server: Server) -> None:
    _, options = read_options(find_program(server.settings()))
    assert options.wsrep_status_file == "", "MariaDB 10.9 and later know the status file"
    path = server.directory / "status.json"
    notify = NotifySocket(
        str(server.directory / "notify"), (server.datadir.stat().st_uid, server.datadir.stat().st_gid)
    )
    server.form(notify_socket=notify.path, status_file=str(path))
    wait_until(lambda: notify.drain().ready, 30, "READY=1")
    assert notify.notice.status
    wait_until(lambda: json.loads(path.read_text())["status"]["state"] == "SYNCED", 30, "the file says so, too")
    again = NotifySocket(notify.path, (server.datadir.stat().st_uid, server.datadir.stat().st_gid))
    server.end()
    assert again.drain().status == "MariaDB server is down", "a socket that the next keeper binds hears the same server"
    again.close()


@pytest.mark.parametrize(
    ("listed", "rest"),
    [
        pytest.param("{0}, {0} ,", "", id="a blank, a host twice, a comma at the end"),
        pytest.param("{0}/", "", id="a slash at the end"),
        pytest.param("{0},/?pc.weight=2", "?pc.weight=2", id="with options"),
    ],
)
def test_a_list_of_members_is_passed_on_as_galera_reads_it(server: Server, listed: str, rest: str) -> None:
    """Galera would not resolve a host with a blank before it, and go on without it."""
    server.configure(f"wsrep_cluster_address=gcomm://{listed.format(server.address)}")
    meant = f"gcomm://{server.address}{rest}"
    assert f"--wsrep-cluster-address={meant}" in server.program().command
    server.form()
    assert server.sql("SELECT @@wsrep_cluster_address") == ((meant,),)
    assert server.program(wsrep_cluster_address="gcomm://a,b").command.count("--wsrep-cluster-address=gcomm://a,b") == 1
    assert f"--wsrep-cluster-address={meant}" not in server.program(wsrep_cluster_address="gcomm://a").command


def test_a_server_that_gets_a_full_copy_leaves_its_old_cache_of_write_sets_unread(server: Server) -> None:
    configured = read_options(find_program(server.settings()))[1].wsrep_provider_options
    server.form(provider_options=without_gcache(configured))
    assert "gcache.recover = no;" in str(server.sql("SELECT @@wsrep_provider_options"))


def test_an_option_that_the_server_does_not_know_is_its_own_words(server: Server) -> None:
    server.configure("no_such_option=1")
    began = time.monotonic()
    with pytest.raises(Unusable, match="unknown variable 'no_such_option=1'") as refused:
        server.program()
    assert time.monotonic() - began < 20
    assert refused.value.installed
    assert str(server.config) in str(refused.value)


def test_a_data_directory_that_depends_on_where_one_stands_is_refused(server: Server) -> None:
    server.configure("datadir=data")
    with pytest.raises(Unusable, match="datadir=data: not an absolute path"):
        server.program()


def test_a_provider_that_is_not_there_ends_the_start_for_good(server: Server) -> None:
    server.configure("wsrep_provider=/nonexistent/libgalera_smm.so")
    process = server.launch(bootstrap=True)
    server.await_end()
    assert exit_status(process.pid) == 1
    assert is_permanent(server.errors())


def test_a_lone_server_that_finds_nobody_may_try_again(make_server: MakeServer, server: Server) -> None:
    other = make_server(members=[server.address, server.net.next_address()])
    other.launch(cluster_address=f"gcomm://{server.address}?pc.wait_prim_timeout=PT1S&pc.announce_timeout=PT1S")
    other.await_end(40)
    assert other.errors()
    assert not is_permanent(other.errors())


def test_a_second_server_is_not_launched_on_the_same_data(server: Server) -> None:
    process = server.form()
    with pytest.raises(InUse, match=f"in use by m.*, pid {process.pid}"):
        launch(server.program(), None)
    assert look(process.pid, process.started)


def test_the_saved_state_that_we_write_is_what_a_bootstrap_goes_by(server: Server) -> None:
    server.form()
    server.end()
    saved = server.files.read_grastate()
    assert saved is not None
    position = Position(saved.uuid, saved.seqno)
    server.files.write_grastate(position, safe_to_bootstrap=False)
    server.launch(position, bootstrap=True)
    server.await_end()
    assert any("may not be safe to bootstrap" in line for line in server.errors())
    assert not is_permanent(server.errors())
    before = (server.datadir / "grastate.dat").stat()
    server.files.write_grastate(position, safe_to_bootstrap=True)
    after = (server.datadir / "grastate.dat").stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert after.st_ino != before.st_ino, "a new file takes the old one's place"
    server.form()
    assert server.status("wsrep_cluster_state_uuid") == {"wsrep_cluster_state_uuid": saved.uuid}


@pytest.mark.parametrize(("wrapper", "name"), [("mysqld_safe", "mysqld"), ("mariadbd-safe", "mariadbd")])
def test_a_wrapper_stands_for_the_server_that_it_would_start(wrapper: str, name: str) -> None:
    assert Path(find_binary(f"/usr/bin/{wrapper}")).name == name


@pytest.mark.parametrize("binary", ["/nonexistent/mariadbd", "/etc/passwd", "no-such-server", "/nonexistent/safe"])
def test_a_program_that_is_not_there_is_told_from_a_broken_one(binary: str) -> None:
    with pytest.raises(Unusable, match=binary) as refused:
        find_binary(binary)
    assert not refused.value.installed


def test_the_server_s_own_options_fill_what_the_settings_leave_open(server: Server) -> None:
    program, options = read_options(find_program(server.settings()))
    assert (program.datadir, program.socket, program.pid) == (
        str(server.datadir),
        str(server.socket),
        str(server.pid_file),
    )
    assert program.log == f"{server.directory}/server.log"
    assert options.wsrep_on
    assert options.wsrep_cluster_address == f"gcomm://{server.address}"
    assert options.wsrep_sst_method == "rsync"
    assert sorted(path.name for path in server.datadir.iterdir()) == sorted(
        path.name for path in (server.net.directory / "empty-datadir").iterdir()
    ), "asking leaves the data directory as it was"


def test_settings_outdo_the_option_file_and_words_outdo_the_settings(server: Server) -> None:
    program = server.program(
        datadir="/srv/one", socket="/run/a.sock", additional_parameters=("--datadir=/srv/two", "--log-error=err")
    )
    assert program.datadir == "/srv/two"
    assert program.socket == "/run/a.sock"
    assert program.log == "/srv/two/err.err"
    assert program.command[1] == f"--defaults-file={server.config}"


def test_an_empty_database_has_no_position(server: Server) -> None:
    assert server.recover().position == Position(NO_UUID, -1)


def test_a_database_is_created_where_there_is_none(server: Server) -> None:
    shutil.rmtree(server.datadir)
    assert not server.files.read_contents().initialised
    create(server.program(), time.monotonic() + 60)
    assert server.files.read_contents()[:3] == (True, False, False)
    process = server.launch(bootstrap=True)
    wait_until(server.socket.exists, 30, lambda: f"it listens: {server.errors()}")
    assert look(process.pid, process.started)


def test_a_database_that_cannot_be_created_says_why(server: Server) -> None:
    server.configure("no_such_option=1")
    (server.datadir / "mysql").rename(server.directory / "elsewhere")
    program = find_program(server.settings())._replace(datadir=str(server.datadir))
    with pytest.raises(Unusable, match="no database could be created"):
        create(program, time.monotonic() + 60)


def test_a_program_that_ends_well_and_creates_nothing_has_failed(server: Server) -> None:
    shutil.rmtree(server.datadir)
    script = server.directory / "mariadb-install-db"
    script.write_text("#!/bin/sh\nexit 0\n")
    script.chmod(0o755)
    program = find_program(server.settings())
    program = program._replace(datadir=str(server.datadir), binary=str(server.directory / "mariadbd"))
    with pytest.raises(Unusable, match="mariadb-install-db ended well, and none is there"):
        create(program, time.monotonic() + 60)
    assert server.files.has_creation_mark()


def test_a_log_without_a_directory_is_named(server: Server) -> None:
    with pytest.raises(Unusable, match="there is no /nonexistent: make it"):
        launch(server.program(log="/nonexistent/error.log", additional_parameters=()), None)


@pytest.mark.skipif(server_user() is None, reason="only root can take a file from the database's user")
def test_data_that_the_server_may_not_write_are_a_permanent_failure(server: Server) -> None:
    program = server.program()
    os.chown(server.datadir / "ibdata1", 0, 0)
    (server.datadir / "ibdata1").chmod(0o600)
    recovery = server.recover()
    assert recovery.position is None
    assert is_permanent(recovery.errors), recovery.errors
    server.process = launch(program, None, bootstrap=True)
    server.await_end()
    assert is_permanent(server.errors()), server.errors()
