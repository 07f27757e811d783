"""ocf:xha:service with real daemons: memcached and HAProxy, healthy, frozen, stopped and without their dependencies.

There is no cluster here: what the agent would set with attrd_updater is recorded instead.
tests/services/test_service_resource.py tries it with a real Pacemaker.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from agent.conftest import Staged
from agent.test_metadata import OF_OCF_1_1, read_complaints
from loopback import HAProxy, Net, find_program, wait_until
from loopback.doors import CHECKOUT
from loopback.memcached import PORT, Memcached
from xha import __version__
from xha.adapters.files import watch_state
from xha.adapters.pacemaker import standalone as alone
from xha.adapters.pacemaker.cluster import ClusterUnreachable
from xha.core.ocf.manpage import render_manpage
from xha.core.ocf.metadata import render_metadata
from xha.core.ocf.service_description import DESCRIPTION
from xha.core.ocf.service_parameters import ACTIONS, PARAMETERS
from xha.doors.ocf import service as service_agent
from xha.doors.ocf.galera import GALERA

NAME = "ocf:xha:service"
RESKEY = "OCF_RESKEY_"
PREFIX = "ocf-exit-reason:"
XML = render_metadata(__version__, DESCRIPTION)
PCS_SCHEMA = Path("/usr/share/pcs/data/ocf-1.1.rng")


class Attributes:
    """Replaces Pacemaker's attrd, and records what is set, and how often. fault: it does not answer."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.forgotten = 0
        self.fault = ""

    def _answer(self) -> None:
        if self.fault:
            raise ClusterUnreachable(self.fault)

    def set_transient(self, name: str, value: str) -> None:
        self._answer()
        self.values[name] = value

    def delete_attribute(self, name: str) -> None:
        self._answer()
        self.values.pop(name, None)

    def node_name(self) -> str:
        return "n1"

    def forget_degraded(self, resource: str, node: str) -> bool:
        assert (resource, node) == ("w", "n1")
        self.forgotten += 1
        return True


class Resource:
    """The resource w: its xha.conf, its parameters, its calls."""

    def __init__(self, directory: Path) -> None:
        self.config = directory / "xha.conf"
        self.run = directory / "run"
        self.attributes = Attributes()
        self.parameters = {"config": str(self.config)}
        self.reason = ""

    def call(self, action: str, *, level: int = 0, interval: int = 10000, **parameters: str) -> int:
        """Return the exit code; the exit reason is kept."""
        words = {RESKEY + name: value for name, value in {**self.parameters, **parameters}.items()}
        meta = {"OCF_RESOURCE_INSTANCE": "w:1", "OCF_CHECK_LEVEL": str(level)}
        told = io.StringIO()
        with contextlib.redirect_stderr(told):
            code = service_agent.main([action], {f"{RESKEY}CRM_meta_interval": str(interval), **meta, **words})
        self.told = told.getvalue()
        reasons = [line[len(PREFIX) :] for line in self.told.splitlines() if line.startswith(PREFIX)]
        self.reason = "".join(reasons)
        assert "Traceback" not in self.told
        assert bool(self.reason) or code in (0, 7), self.told
        return code

    def monitor(self, level: int = 0) -> int:
        return self.call("monitor", level=level)

    def probe(self) -> int:
        return self.call("monitor", interval=0)


@pytest.fixture
def resource(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Resource:
    made = Resource(tmp_path)
    monkeypatch.setattr(watch_state, "BASE", str(made.run))
    monkeypatch.setattr(alone, "connect", lambda *_: made.attributes)
    return made


@pytest.fixture
def memcached(net: Net, tmp_path: Path, resource: Resource) -> Iterator[Memcached]:
    with Memcached(net, tmp_path / "memcached", "-t", "1") as running:
        resource.config.write_text(
            f"[service memcached]\nhost = {running.address}\nport = {PORT}\ndeadline = 2s\nfall = 2\n"
            f"process = ^(\\S*/)?memcached -l {running.address} \n"
        )
        resource.parameters["name"] = "memcached"
        yield running
        if running.is_running():
            running.thaw()


WELL = {"xha-service-memcached": "1"}
BROKEN = {"xha-service-memcached": "0", "xha-service-memcached-blame": "self"}


def test_start_sets_the_attribute_and_stop_takes_it_away(resource: Resource, memcached: Memcached) -> None:
    assert resource.call("start") == 0
    assert resource.attributes.values == WELL
    assert [resource.monitor(level) for level in (0, 10, 20)] == [0, 0, 0]
    assert [resource.call("start"), resource.call("stop"), resource.call("stop")] == [0, 0, 0]
    assert resource.attributes.values == {}
    assert list(resource.run.iterdir()) == []
    assert memcached.is_running()


def test_a_process_is_seen_by_a_probe_which_changes_nothing(resource: Resource, memcached: Memcached) -> None:
    assert resource.probe() == 0
    assert resource.attributes.values == {}
    assert not resource.run.exists()
    # Pacemaker now treats it as started, and continues the series.
    assert resource.monitor() == 0
    assert resource.attributes.values == WELL


@pytest.mark.parametrize("level", [0, 10, 20])
def test_a_frozen_one_is_broken_at_every_level_and_never_7(
    resource: Resource, memcached: Memcached, level: int
) -> None:
    resource.call("start", fall="2")
    resource.monitor(level)
    memcached.freeze()
    assert resource.monitor(level) == 190
    assert resource.reason.startswith("1 of 2: ")
    assert resource.attributes.values == WELL
    assert resource.monitor(level) == 1
    assert resource.attributes.values == BROKEN
    assert resource.reason.startswith("memcached: ")
    # Pacemaker stops and starts it: that does not help the daemon, and is no second failure.
    assert [resource.call("stop"), resource.call("start"), resource.monitor(level)] == [0, 0, 190]
    assert resource.attributes.values == BROKEN
    memcached.thaw()
    assert [resource.monitor(level) for level in (0, 10, 20)] == [0, 0, 0]
    assert resource.attributes.values == WELL
    assert resource.attributes.forgotten == 1


def test_a_dead_one_is_7_once_and_comes_back_by_itself(resource: Resource, memcached: Memcached) -> None:
    resource.call("start")
    memcached.stop()
    assert resource.monitor(10) == 7
    assert "no process" in resource.reason or "refused" in resource.reason
    assert resource.attributes.values == BROKEN
    assert [resource.call("start"), resource.monitor(10), resource.monitor()] == [0, 190, 190]
    assert resource.probe() == 7
    memcached.start()
    assert [resource.monitor(level) for level in (0, 10, 20)] == [0, 0, 0]
    assert resource.attributes.values == WELL


def test_what_start_saw_at_a_level_that_no_monitor_has_is_soon_forgotten(
    resource: Resource, memcached: Memcached, monkeypatch: pytest.MonkeyPatch
) -> None:
    memcached.freeze()
    resource.call("start")
    memcached.thaw()
    assert resource.monitor() == 0
    assert resource.attributes.values == BROKEN
    memcached.freeze()
    monkeypatch.setattr(service_agent, "_UNTIL_MONITORS", 0.0)
    resource.call("start")
    memcached.thaw()
    assert resource.monitor() == 0
    assert resource.attributes.values == WELL


def test_where_nothing_was_ever_started(resource: Resource) -> None:
    resource.config.write_text("[service memcached]\nprocess = ^no-such-memcached\n")
    resource.parameters["name"] = "memcached"
    assert resource.probe() == 7
    assert resource.told == ""


@pytest.fixture
def balanced(net: Net, tmp_path: Path, resource: Resource) -> Iterator[socket.socket]:
    """The one server behind an HAProxy, as its listening socket."""
    with socket.create_server((net.next_address(), 0), backlog=4096) as server:  # nobody accepts the checks
        where = "{}:{}".format(*server.getsockname())
        sections = (
            "defaults\n  mode tcp\n  timeout connect 1s\n  timeout client 5s\n  timeout server 5s\n"
            "  default-server check inter 500ms rise 1 fall 1\n"
            f"listen api\n  bind {net.next_address()}:5000\n  server one {where}\n"
        )
        with HAProxy(net, tmp_path / "haproxy", sections) as haproxy:
            resource.config.write_text(
                f"[service haproxy]\nstats_socket = {haproxy.socket}\n"
                f"process = ^\\S*haproxy -db -f {haproxy.socket.parent}/\n"
            )
            resource.parameters["name"] = "haproxy"

            def status() -> str:
                return next(row["status"] for row in haproxy.show_stat() if row["svname"] == "BACKEND")

            wait_until(lambda: status() == "UP", 30, "the backend is up")
            yield server
            server.close()
            wait_until(lambda: status() == "DOWN", 30, "the backend is down")


def test_a_dependency_s_fault_is_no_failure_and_stands_in_an_attribute(
    resource: Resource, balanced: socket.socket
) -> None:
    assert [resource.call("start"), resource.monitor(20)] == [0, 0]
    assert resource.attributes.values == {"xha-service-haproxy": "1"}
    balanced.close()
    wait_until(lambda: resource.monitor(20) == 190, 30, "the backend's fault is seen")
    assert "(dependency:api)" in resource.reason
    assert resource.attributes.values == {"xha-service-haproxy": "1", "xha-service-haproxy-blame": "dependency:api"}
    assert [resource.monitor(level) for level in (0, 10)] == [0, 0]
    assert resource.attributes.values["xha-service-haproxy-blame"] == "dependency:api"


def test_the_attribute_s_name_is_the_one_of_the_start_until_the_stop(resource: Resource, memcached: Memcached) -> None:
    resource.call("start", attribute="cache")
    assert resource.attributes.values == {"cache": "1"}
    assert resource.call("stop", name="") == 0
    assert resource.attributes.values == {}


def test_a_cluster_that_does_not_answer_is_degraded_and_no_reason_for_fencing(
    resource: Resource, memcached: Memcached
) -> None:
    resource.attributes.fault = "attrd_updater did not answer within 5 s"
    assert resource.call("start") == 0
    assert resource.monitor() == 190
    assert "xha-service-memcached=1 could not be set: attrd_updater did not answer" in resource.reason
    resource.attributes.fault = ""
    assert resource.monitor() == 0
    assert resource.attributes.values == WELL
    resource.attributes.fault = "gone"
    assert resource.call("stop") == 0
    assert "WARNING: " in resource.told


@pytest.mark.parametrize("text", ["[service memcached]\nhots = x\n", "nonsense", "[service other]\nkind = mysql\n"])
def test_a_wrong_xha_conf_stops_nothing_that_is_watched(resource: Resource, memcached: Memcached, text: str) -> None:
    good = resource.config.read_text()
    resource.call("start")
    resource.config.write_text(text)
    if "other" in text:  # a service that the file no longer has
        resource.parameters["name"] = "gone"
    assert resource.monitor() == 190
    assert resource.attributes.values == WELL
    assert resource.call("start") == 5
    assert "pcs resource cleanup w" in resource.reason
    assert resource.call("stop") == 0
    assert resource.attributes.values == {}
    resource.config.write_text(good)


def test_another_service_s_wrong_section_is_none_of_its_own(resource: Resource, memcached: Memcached) -> None:
    resource.config.write_text(f"{resource.config.read_text()}[service keystone]\nurll = x\n[service A/b]\nx\n")
    assert resource.call("validate-all", level=10) == 0
    assert resource.call("start") == 0
    assert resource.monitor(level=20) == 0
    assert resource.attributes.values == WELL
    resource.parameters["name"] = "keystone"
    assert resource.call("validate-all", level=10) == 5
    assert f"{resource.config}: unknown key 'urll' in [service keystone]" in resource.told
    assert resource.call("stop") == 0


def test_a_parameter_that_cannot_be_used(resource: Resource, memcached: Memcached) -> None:
    codes = {one.name: resource.call(one.name, fall="x") for one in ACTIONS if one.name != "meta-data"}
    assert codes == {"start": 5, "stop": 0, "monitor": 190, "reload-agent": 0, "validate-all": 6}
    codes = {one.name: resource.call(one.name, name="") for one in ACTIONS if one.name not in ("meta-data", "stop")}
    assert codes == {"start": 5, "monitor": 190, "reload-agent": 0, "validate-all": 6}
    assert resource.call("stop", name="") == 0
    assert resource.call("monitor", name="") == 5


def test_validate_all_looks_at_the_host_only_when_asked(resource: Resource) -> None:
    resource.parameters["name"] = "no-such-service"
    assert resource.call("validate-all") == 0
    assert resource.call("validate-all", level=10) == 5
    assert f"ERROR: {resource.config}: no such file" in resource.told
    resource.config.write_text("")
    assert resource.call("validate-all", level=10) == 5
    assert "no such service: there are keystone, " in resource.told
    resource.config.write_text("[service no-such-service]\nkind = memcached\nprocess = ^no-such-memcached\n")
    assert resource.call("validate-all", level=10) == 0
    assert resource.told.startswith("WARNING: no process matches ^no-such-memcached")


def test_no_password_is_told(resource: Resource, net: Net, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("gEhEiM7431\n")
    # A process of its own, which listens elsewhere: a test beside this one may freeze any other.
    mark = f"told-{os.getpid()}"
    serving = f"import socket; s = socket.create_server(('{net.next_address()}', 0)); print(flush=True); input()"
    resource.config.write_text(
        f"[service rabbitmq]\nhost = {net.next_address()}\nusername = x\npassword_file = {secret}\nprocess = ^{mark}\n"
    )
    resource.parameters["name"] = "rabbitmq"
    words = [mark, "-c", serving]
    with subprocess.Popen(words, executable=sys.executable, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        resource.call("start")
        code = resource.monitor(20)
        process.kill()
    assert code == 190, resource.reason
    assert "gEhEiM7431" not in resource.told + "".join(one.read_text() for one in resource.run.iterdir())


@pytest.mark.parametrize("action", ["promote", "demote", "notify", "migrate_to", "keeper", "sweep", ""])
def test_what_is_not_implemented_is_3(resource: Resource, action: str) -> None:
    assert resource.call(action) == 3
    assert resource.told.startswith("usage: service (start|stop|monitor|")


def test_what_nobody_thought_of_is_a_sentence(
    resource: Resource, memcached: Memcached, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boom(*_: object) -> None:
        raise RuntimeError("the unforeseen")

    monkeypatch.setattr("syslog.syslog", lambda *_: None)
    monkeypatch.setattr(service_agent, "_look", boom)
    assert resource.monitor() == 190
    assert "log of xha-service" in resource.reason
    assert resource.call("start") == 1


@pytest.fixture
def installed(staged: Staged) -> Staged:
    """The agent beside ocf:xha:galera."""
    source = staged.path.read_text()
    path = staged.path.with_name("service")
    interpreter = source.partition("\n")[0][2:]
    launcher = [
        str(CHECKOUT / "tools/install/launcher"),
        str(CHECKOUT / "agents/service"),
        interpreter,
        str(CHECKOUT / "lib"),
    ]
    path.write_text(subprocess.run(launcher, capture_output=True, text=True, check=True).stdout)
    path.chmod(0o755)
    return staged


def lint(*options: str) -> subprocess.CompletedProcess[str]:
    command = [find_program("xmllint", "libxml2-utils"), "--noout", *options, "-"]
    return subprocess.run(command, input=XML, capture_output=True, text=True, check=False)


def test_pcs_s_schema_accepts_the_meta_data_and_ocf_tester_s_dtd_all_but_what_it_does_not_know() -> None:
    done = lint("--relaxng", str(PCS_SCHEMA))
    assert done.returncode == 0, done.stderr
    assert read_complaints(XML) <= OF_OCF_1_1
    assert XML.isascii()
    root = ElementTree.fromstring(XML)
    assert root.get("name") == "service"
    assert [one.get("name") for one in root.iter("parameter") if one.get("required") == "1"] == ["name"]


def test_the_meta_data_need_no_environment_no_package_and_no_root(installed: Staged) -> None:
    agent_file = installed.path.with_name("service")
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] if os.geteuid() == 0 else []
    script = agent_file.read_text()
    python = script.partition("\n")[0][2:].split()
    for wrapper in ([], nobody):
        done = subprocess.run(
            [*wrapper, *python, "-c", script, "meta-data"],
            env={"PATH": os.defpath},
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
        )
        if wrapper and ("Permission denied" in done.stderr or "ModuleNotFoundError" in done.stderr):
            pytest.skip("this checkout is closed to other users")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == XML


def test_pacemaker_pcs_and_crmsh_describe_it(installed: Staged) -> None:
    done = installed.tool("crm_resource", "--show-metadata", NAME)
    assert ElementTree.fromstring(done.stdout).get("name") == "service"
    done = installed.tool(find_program("pcs", "pcs"), "resource", "describe", NAME)
    assert [one.name for one in PARAMETERS if f"\n  {one.name}" not in done.stdout] == [], done.stderr
    done = installed.tool(find_program("crm", "crmsh"), "ra", "info", NAME)
    assert [one.name for one in PARAMETERS if f"\n{one.name}" not in done.stdout] == []
    assert "ERROR" not in done.stdout + done.stderr


def test_pcs_takes_the_example_of_the_man_page(installed: Staged, tmp_path: Path) -> None:
    cib = tmp_path / "cib.xml"
    cib.write_text(installed.tool("cibadmin", "--empty").stdout)
    pcs = find_program("pcs", "pcs")
    for line in DESCRIPTION.example:
        words = line.split()
        assert words[0] == "pcs"
        done = installed.tool(pcs, "-f", str(cib), *words[1:])
        assert done.returncode == 0, done.stderr
    tree = ElementTree.parse(cib)
    copied = {(op.get("name"), op.get("interval"), op.get("timeout")) for op in tree.findall(".//clone//op")}
    advertised = {
        (one.name, f"{one.interval or 0}s", f"{one.timeout}s")
        for one in ACTIONS
        if one.name not in ("meta-data", "validate-all")
    }
    assert copied == advertised
    assert {one.get("attribute") for one in tree.iter("expression")} == {
        "xha-service-haproxy",
        "xha-service-haproxy-blame",
    }


def test_the_man_page(tmp_path: Path) -> None:
    roff = render_manpage(__version__, DESCRIPTION)
    groff = [find_program("groff", "groff-base"), "-man", "-Tutf8", "-ww", "-z"]
    done = subprocess.run(groff, input=roff, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    page = tmp_path / "ocf_xha_service.7"
    page.write_text(roff)
    done = subprocess.run([find_program("lexgrog", "man-db"), str(page)], capture_output=True, text=True, check=False)
    assert "ocf_xha_service - " in done.stdout


def test_both_agents_have_the_same_door() -> None:
    assert service_agent.SERVICE.dispatch is not GALERA.dispatch
    assert {one.name for one in ACTIONS} == {one.name for one in GALERA.actions}
