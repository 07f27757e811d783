"""validate-all: the parameters alone at level 0, this host at level 10, in lines that crmsh and pcs understand."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import pytest

from agent.conftest import Staged
from loopback import find_program
from loopback.doors import CHECKOUT
from xha.adapters.host import enabled_units
from xha.adapters.pacemaker import cluster as pacemaker
from xha.app.agent import validate
from xha.core.pacemaker.cib import Cib
from xha.doors.ocf import galera as actions

AGENT = "ocf:xha:galera"
HERE = socket.gethostname()


def check(level: int = 10, **values: str) -> tuple[int, list[str]]:
    """The exit code, and the lines except the exit reason, which is the first error."""
    environment = {f"OCF_RESKEY_{name}": value for name, value in values.items()}
    told = io.StringIO()
    with contextlib.redirect_stderr(told):
        code = actions.main(["validate-all"], {"OCF_CHECK_LEVEL": str(level), **environment})
    lines = told.getvalue().splitlines()
    errors = [line[len("ERROR: ") :] for line in lines if line.startswith("ERROR: ")]
    reasons = [line for line in lines if line.startswith("ocf-exit-reason:")]
    assert reasons == [f"ocf-exit-reason:{text}" for text in errors[:1]]
    found = [line for line in lines if line not in reasons]
    assert [line for line in found if not line.startswith(("ERROR: ", "WARNING: "))] == []
    assert bool(errors) == bool(code)
    return code, found


def test_nothing_said_is_right() -> None:
    assert check(level=0) == (0, [])


def test_every_bad_parameter_is_told_at_once() -> None:
    code, told = check(level=0, start_wait="x", datadir="y", enable_creation="z")
    assert code == 6
    assert [line.split(":")[1].strip() for line in told] == ["datadir", "enable_creation", "start_wait"]


WARNINGS = [
    ({"two_node_mode": "1"}, "two_node_mode: "),
    ({"test_user": "u", "test_passwd": "p"}, "test_passwd stands readable"),
    ({"check_user": "u", "check_passwd": "p"}, "check_passwd stands readable"),
    ({"test_conf": "/c", "test_user": "u"}, "test_conf goes before"),
]


@pytest.mark.parametrize(("values", "text"), WARNINGS)
def test_what_is_right_and_yet_not_wise(values: dict[str, str], text: str) -> None:
    code, (told,) = check(level=0, **values)
    assert code == 0
    assert told.startswith(f"WARNING: {text}")


@pytest.mark.parametrize("level", [0, 1, 9])
def test_below_10_nothing_of_this_host_is_looked_at(level: int) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from xha.doors.ocf.galera import main\n"
        "code = main(['validate-all'])\n"
        "print(code, [name for name in sys.modules if name.startswith('xha.adapters')])"
    )
    environment = {
        "OCF_CHECK_LEVEL": str(level),
        "OCF_RESKEY_datadir": "/nowhere",
        "OCF_RESKEY_wsrep_cluster_address": "gcomm://nowhere.invalid",
        "OCF_RESKEY_test_conf": "/nowhere",
    }
    argv = [sys.executable, "-c", code, str(CHECKOUT / "lib")]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("0 []\n", "")


class Site:
    """A server's configuration that is correct except for what a test changes."""

    def __init__(self, directory: Path) -> None:
        self.config, self.datadir = directory / "my.cnf", directory / "data"
        self.provider, self.log = directory / "libgalera_smm.so", directory / "error.log"
        self.provider.touch()
        self.datadir.mkdir()
        self.user = "nobody" if os.geteuid() == 0 else ""
        if self.user:
            directory.chmod(0o755)
            os.chown(self.datadir, 65534, 65534)
        self.options = {
            "datadir": str(self.datadir),
            "log_error": str(self.log),
            "binlog_format": "ROW",
            "wsrep_on": "ON",
            "wsrep_provider": str(self.provider),
            "wsrep_cluster_name": "ours",
            "wsrep_cluster_address": "gcomm://127.0.0.1",
        }

    def check(self, **values: str) -> tuple[int, list[str]]:
        """Validate with this configuration; values named `my_NAME` replace the server's option NAME."""
        mine = {name[3:]: values.pop(name) for name in list(values) if name.startswith("my_")}
        lines = (f"{name}={value}\n" for name, value in {**self.options, **mine}.items())
        self.config.write_text("[mysqld]\n" + "".join(lines))
        return check(config=str(self.config), user=self.user or "mysql", group="nogroup" if self.user else "", **values)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    find_program("mariadbd", "mariadb-server")
    # This machine's own units and cluster must not matter.
    monkeypatch.setattr(validate, "_UNITS", ())
    monkeypatch.setattr(pacemaker.Pacemaker, "read_cib", lambda *_: Cib())
    # Not pytest's directory, because the server's account must be able to read it.
    with TemporaryDirectory(prefix="xha-test-") as directory:
        yield Site(Path(directory))


def test_a_host_that_is_ready(site: Site) -> None:
    assert site.check() == (0, [])


WRONG = [
    ({"binary": "/nowhere/mysqld"}, "/nowhere/mysqld"),
    ({"my_nonsense": "1"}, "nonsense"),
    ({"my_wsrep_provider": "none"}, "wsrep_provider is not set"),
    ({"my_wsrep_provider": "/nowhere.so"}, "wsrep_provider=/nowhere.so: no such library"),
    ({"my_wsrep_on": "OFF"}, "wsrep_on is OFF"),
    ({"my_wsrep_cluster_address": "gcomm://"}, "wsrep_cluster_address names no member"),
    ({"my_wsrep_cluster_address": "127.0.0.1"}, "my.cnf: '127.0.0.1' does not begin with gcomm://"),
    ({"my_wsrep_cluster_address": "gcomm://127.0.0.1/,h2"}, "my.cnf: ',h2' in 'gcomm://127.0.0.1/,h2' stands behind"),
    (
        {"wsrep_cluster_address": "gcomm://192.0.2.77,192.0.2.78"},
        f"wsrep_cluster_address does not name this host, {HERE}",
    ),
    ({"log": "/nowhere/error.log"}, "log=/nowhere/error.log: no directory /nowhere"),
    ({"my_log_error": "/dev/stdout"}, "log=/dev/stdout.err: this is no file"),
    ({"log": "/dev/null"}, "log=/dev/null.err: this is no file"),
    ({"log": "/proc/self/fd/1"}, "log=/proc/self/fd/1.err: this is no file"),
    ({"my_wsrep_data_home_dir": "/nowhere/state"}, "wsrep_data_home_dir or base_dir=/nowhere/state: no such file"),
    (
        {"my_wsrep_provider_options": "'base_dir=/nowhere/b'"},
        "wsrep_data_home_dir or base_dir=/nowhere/b: no such file",
    ),
    ({"datadir": "/nowhere/data"}, "datadir=/nowhere/data: no such file or directory"),
]


@pytest.mark.parametrize(("values", "text"), WRONG, ids=[text for _, text in WRONG])
def test_what_a_host_lacks_is_5(site: Site, values: dict[str, str], text: str) -> None:
    code, told = site.check(**values)
    assert code == 5
    assert [line for line in told if line.startswith("ERROR: ") and text in line], told


@pytest.mark.skipif(os.geteuid() != 0, reason="a directory of another account takes root")
def test_a_data_directory_of_another_account(site: Site) -> None:
    os.chown(site.datadir, 0, 0)
    code, told = site.check()
    assert code == 5
    why = "permission denied to nobody, for it belongs to root"
    assert told == [f"ERROR: datadir={site.datadir}: {why}: chown -R nobody {site.datadir}"]


def test_a_data_directory_that_start_makes_is_not_missing(site: Site) -> None:
    assert site.check(datadir=f"{site.datadir}/new", enable_creation="1") == (0, [])


def test_a_list_that_galera_accepts_is_accepted(site: Site) -> None:
    assert site.check(my_wsrep_cluster_address="gcomm://127.0.0.1, 127.0.0.1:4567,/") == (0, [])


def test_a_member_that_does_not_resolve_is_a_warning(site: Site) -> None:
    code, (told,) = site.check(wsrep_cluster_address="gcomm://127.0.0.1,nowhere.invalid")
    assert code == 0
    assert told.startswith("WARNING: wsrep_cluster_address: nowhere.invalid does not resolve")


def test_a_mapped_host_is_this_one(site: Site) -> None:
    assert site.check(wsrep_cluster_address="gcomm://192.0.2.77", cluster_host_map=f"{HERE}:192.0.2.77") == (0, [])


def test_an_option_file_that_is_not_there_is_a_fault_of_the_check_and_keeps_no_server_from_its_start(
    site: Site,
) -> None:
    code, (told,) = site.check(test_conf="/nowhere.cnf")
    assert code == 0
    assert told == "WARNING: test_conf=/nowhere.cnf: no such file or directory: write it on every host"


def test_an_option_file_that_others_may_read(site: Site, tmp_path: Path) -> None:
    conf = tmp_path / "check.cnf"
    conf.write_text("[client]\nuser=x\n")
    conf.chmod(0o644)
    code, (told,) = site.check(test_conf=str(conf))
    assert code == 0
    assert f"chmod 600 {conf}" in told


def test_a_unit_that_would_start_the_server_beside_pacemaker(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wants = tmp_path / "root/etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    for name in ("mariadb.service", "mariadb@two.service", "cron.service"):
        (wants / name).symlink_to(f"/lib/systemd/system/{name}")
    monkeypatch.setattr(validate, "_UNITS", ("mariadb",))
    find, root = enabled_units.find_enabled_units, str(tmp_path / "root")
    monkeypatch.setattr(enabled_units, "find_enabled_units", lambda units: find(units, root))
    code, told = site.check()
    assert code == 0
    assert [line.rpartition(" ")[2] for line in told] == ["mariadb.service", "mariadb@two.service"]


def test_what_does_not_fit_in_the_cluster_s_configuration(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    cib = Cib(exists=True, clone="c", promotable=True, properties={"no-quorum-policy": "freeze"})
    monkeypatch.setattr(pacemaker.Pacemaker, "read_cib", lambda *_: cib)
    code, (told,) = site.check()
    assert code == 0
    assert told.startswith("WARNING: c is promotable")


def test_without_a_cluster_there_is_nothing_to_say_of_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> Cib:
        raise pacemaker.ClusterUnreachable("no cluster")

    monkeypatch.setattr(pacemaker.Pacemaker, "read_cib", unreachable)
    assert site.check() == (0, [])


def test_pacemaker_validates(staged: Staged) -> None:
    words = ["--validate", "--output-as", "xml", "--class", "ocf", "--provider", "xha", "--agent", "galera"]
    done = staged.tool("crm_resource", *words, "--option", "start_wait=x")
    status = ElementTree.fromstring(done.stdout).find("resource-agent-action/agent-status")
    assert status is not None
    assert status.get("code") == "6"
    assert status.get("reason", "").startswith("start_wait: 'x' is not a duration")
    assert staged.tool("crm_resource", *words, "--option", "start_wait=5").returncode == 0


def test_crmsh_takes_the_lines_for_what_they_are(staged: Staged) -> None:
    crm = find_program("crm", "crmsh")
    done = staged.tool(crm, "ra", "validate", AGENT, "start_wait=x", "two_node_mode=1")
    said = done.stdout + done.stderr
    assert "start_wait: 'x' is not a duration" in said
    lines = [line for line in said.splitlines() if "start_wait" in line or "two_node_mode" in line]
    assert any("ERROR" in line and "start_wait" in line for line in lines), said
    assert any("WARNING" in line and "two_node_mode" in line for line in lines), said


def test_pcs_refuses_what_the_agent_refuses(staged: Staged, tmp_path: Path) -> None:
    cib = tmp_path / "cib.xml"
    cib.write_text(staged.tool("cibadmin", "--empty").stdout)
    create = [find_program("pcs", "pcs"), "-f", str(cib), "resource", "create", "p_mysql", AGENT, "--agent-validation"]
    done = staged.tool(*create, "start_wait=x")
    assert done.returncode != 0
    assert "start_wait: 'x' is not a duration" in done.stderr
    done = staged.tool(*create, "start_wait=5")
    assert done.returncode == 0, done.stderr
