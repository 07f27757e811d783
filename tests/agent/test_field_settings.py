"""Configurations and faults that people have met in the field, tried on one host with the agent by hand."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from agent.host import Resource, Result
from agent.test_life import MakeResource, host, make_resource
from loopback import wait_until
from loopback.server_root import server_user

__all__ = ["host", "make_resource"]  # fixtures of another module

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root")


@pytest.fixture
def resource(make_resource: MakeResource) -> Resource:
    """A node with an empty database that does not run yet."""
    made = make_resource()
    made._make_directory()
    return made


def await_monitor(one: Resource, code: int, words: str = "", seconds: float = 60) -> Result:
    """Wait until a monitor has this code, and these words in its reason."""

    def asked() -> Result | None:
        said.append(one.monitor())
        return said[-1] if said[-1].code == code and words in said[-1].reason else None

    said: list[Result] = []
    return wait_until(asked, seconds, lambda: f"monitor says {code} {words}: {said[-1]}\n{one.host.syslog[-2000:]}")


def make_directory(path: Path) -> Path:
    path.mkdir(mode=0o750)
    shutil.chown(path, server_user())
    return path


def generations(directory: Path) -> list[str]:
    """The ids of the generations in the record in a directory, newest first."""
    return [one["id"] for one in json.loads((directory / "xha-node.json").read_text())["line"]]


class TestASavedStateThatIsElsewhere:
    @pytest.mark.parametrize(
        "line",
        [
            pytest.param("wsrep_data_home_dir={0}", id="wsrep_data_home_dir"),
            pytest.param("wsrep_provider_options='gcache.size=4M; base_dir = {0}'", id="base_dir of the provider"),
        ],
    )
    def test_a_planned_stop_and_a_crash_are_followed_by_the_same_history(self, resource: Resource, line: str) -> None:
        state = make_directory(resource.directory / "state")
        resource.configure(line.format(state))
        assert resource.call("start").code == 0
        assert (state / "grastate.dat").exists()
        assert not (resource.datadir / "grastate.dat").exists()
        first = resource.status("wsrep_cluster_state_uuid")
        began = generations(state)
        resource.sql("CREATE DATABASE kept")
        assert resource.call("stop").code == 0
        assert json.loads((state / "xha-node.json").read_text())["clean_stop"]
        again = resource.call("start")
        assert (again.code, again.err) == (0, "")
        assert resource.status("wsrep_cluster_state_uuid") == first
        resource.signal("KILL", *resource.server_pids())
        assert resource.call("stop").code == 0
        assert resource.call("start").code == 0
        assert resource.status("wsrep_cluster_state_uuid") == first
        assert generations(state)[-1] == began[-1]
        assert not (resource.datadir / "xha-node.json").exists()
        assert "not be safe to bootstrap" not in resource.error_log_text()

    def test_a_directory_that_is_not_mounted_is_told_and_nothing_is_started(self, resource: Resource) -> None:
        state = resource.directory / "state"
        resource.configure(f"wsrep_data_home_dir={state}")
        begun = resource.call("start")
        assert begun.code == 5
        assert f"wsrep_data_home_dir or base_dir={state}: no such file or directory: mount it" in begun.reason
        assert resource.server_pids() == []
        make_directory(state)
        assert resource.call("start").code == 0

    def test_the_state_of_the_server_that_runs_counts_while_it_runs(self, resource: Resource) -> None:
        """The option file names another directory by now, and the keeper was killed."""
        state, other = (make_directory(resource.directory / name) for name in ("state", "other"))
        resource.configure(f"wsrep_data_home_dir={state}")
        assert resource.call("start").code == 0
        resource.configure(f"wsrep_data_home_dir={other}")
        resource.signal("KILL", resource.keeper_pid)
        await_monitor(resource, 0)
        assert resource.call("stop").code == 0
        assert json.loads((state / "xha-node.json").read_text())["clean_stop"]
        assert list(other.iterdir()) == []


class TestSchemasThatAreNobodys:
    def test_a_new_database_with_a_test_schema_and_a_left_over_temporary_file(self, resource: Resource) -> None:
        for name, file in (("test", "db.opt"), ("tmp", "ibXy12ab")):
            directory = make_directory(resource.datadir / name)
            (directory / file).write_text("default-character-set=latin1\n" if file == "db.opt" else "x")
            shutil.chown(directory / file, server_user())
        begun = resource.call("start")
        assert (begun.code, begun.err) == (0, "")

    def test_tables_of_users_without_a_position_are_refused(self, resource: Resource) -> None:
        directory = make_directory(resource.datadir / "shop")
        (directory / "orders.frm").write_text("x")
        shutil.chown(directory / "orders.frm", server_user())
        assert resource.call("start").code == 0
        refused = await_monitor(resource, 190, "user schemas without a position")
        assert resource.server_pids() == [], refused


class TestSeveralServersOnOneHost:
    """As the units mariadb@NAME.service have them: one option file, and a suffix to its groups."""

    def test_the_groups_with_the_suffix_are_read(self, resource: Resource) -> None:
        text = resource.config.read_text()
        resource.config.write_text("[mysqld]\ndatadir=/nowhere\n" + text.replace("[mysqld]", "[mysqld.two]"))
        del resource.parameters["datadir"]
        resource.parameters["additional_parameters"] = "--max-connections=77 --defaults-group-suffix=.two"
        begun = resource.call("start")
        assert (begun.code, begun.err) == (0, "")
        [pid] = resource.server_pids()
        argv = resource.host.read_process(str(pid), "cmdline").split("\0")
        assert argv[1:3] == [f"--defaults-file={resource.config}", "--defaults-group-suffix=.two"]
        assert resource.sql("SELECT @@max_connections") == ((77,),)
        assert resource.monitor(10).code == 0
        assert resource.call("stop").code == 0
        assert resource.call("monitor", interval=0).code == 7

    def test_a_log_that_is_no_file_is_refused_and_nothing_is_made_in_dev(self, resource: Resource) -> None:
        text = resource.config.read_text()
        resource.config.write_text(text + "[mysqld]\nlog_error=/dev/stdout\n")
        before = resource.host.run("ls", "/dev").out
        begun = resource.call("start")
        assert begun.code == 5
        assert "log=/dev/stdout.err: this is no file" in begun.reason
        assert str(resource.config) in begun.reason
        assert resource.host.run("ls", "/dev").out == before


class TestARecoveryThatCannotLook:
    """The cause is told, nothing is given up, and what was mended is seen."""

    @pytest.fixture
    def filled(self, resource: Resource) -> Resource:
        """A node that was stopped with a row in its tables."""
        assert resource.call("start").code == 0
        resource.sql("CREATE DATABASE shop")
        resource.sql("CREATE TABLE shop.orders (id INT PRIMARY KEY)")
        resource.sql("INSERT INTO shop.orders VALUES (1)")
        assert resource.call("stop").code == 0
        return resource

    @staticmethod
    def assert_starts(one: Resource) -> None:
        begun = one.call("start")
        assert (begun.code, begun.err) == (0, "")
        assert one.sql("SELECT id FROM shop.orders") == ((1,),)

    def test_silent_startup_mutes_no_recovery(self, filled: Resource) -> None:
        filled.configure("silent-startup")
        self.assert_starts(filled)

    def test_a_data_directory_of_root_s(self, filled: Resource) -> None:
        shutil.chown(filled.datadir, "root")
        begun = filled.call("start")
        assert begun.code == 5
        assert f"for it belongs to root: chown -R mysql {filled.datadir}" in begun.reason
        assert "grant" not in begun.reason
        shutil.chown(filled.datadir, server_user())
        self.assert_starts(filled)  # also where the keeper that gave up has not ended yet

    def test_a_directory_for_temporary_files_that_cannot_be_written(self, filled: Resource) -> None:
        """The recovery has its own; the server does not start, and says why."""
        shut = filled.directory / "shut"
        shut.mkdir(mode=0o755)
        filled.configure(f"tmpdir={shut}")
        begun = filled.call("start")
        assert begun.code == 5
        assert str(shut) in begun.reason
        assert "grant" not in begun.reason
        assert filled.call("stop").code == 0
        shutil.chown(shut, server_user())
        self.assert_starts(filled)

    def test_a_key_that_is_missing_is_looked_for_again(self, resource: Resource) -> None:
        key = resource.directory / "keys"
        key.write_text(f"1;{'0123456789abcdef' * 4}\n")
        key.chmod(0o644)
        plugin = f"plugin_load_add=file_key_management\nfile_key_management_filename={key}"
        resource.configure(f"{plugin}\ninnodb_encrypt_log=ON\ninnodb_flush_log_at_trx_commit=1")
        filled = resource
        assert filled.call("start").code == 0
        filled.sql("CREATE DATABASE shop")
        filled.sql("CREATE TABLE shop.orders (id INT PRIMARY KEY)")
        filled.sql("INSERT INTO shop.orders VALUES (1)")
        filled.signal("KILL", *filled.server_pids())
        assert filled.call("stop").code == 0
        key.rename(f"{key}.away")
        assert filled.call("start").code == 0
        seen = await_monitor(filled, 190, "nobody knows where the data end")
        assert "grant" not in seen.reason
        log = filled.host.read(f"/run/xha/galera/{filled.resource}/recovery.log")
        assert "[ERROR]" in log
        Path(f"{key}.away").rename(key)
        await_monitor(filled, 0)
        assert filled.sql("SELECT id FROM shop.orders") == ((1,),)
