"""Every service with every way in which a check's own settings, or half an answer, keep it from looking.

In each cell the service itself works, or nothing is known of it. So no cell is critical, and none takes a server out of
a load balancer that was in. A cell that needs a real daemon stands beside its service (ELSEWHERE), and one that cannot
be has its reason (NOT_THERE): the last test finds a cell that is in none of the three.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest

from loopback import Daemon, HAProxy, Net, is_listening, wait_until
from loopback.doors import CHECKOUT
from loopback.files import put
from loopback.memcached import PORT as MEMCACHED_PORT
from loopback.memcached import Memcached
from loopback.sockets import accepts
from responder.certificates import Authority
from services.host import BLIND, Services, blamed, short
from services.standins import Api, Keystone, Reply, Saslauthd, serving
from xha.core.services.api import table as http_rows
from xha.core.services.api.judge import ApiRequest
from xha.core.services.catalogue import CATALOGUE
from xha.core.services.last_result import Record, judge_record, next_record
from xha.core.services.model.result import parse_result, passed
from xha.core.services.settings import default_service
from xha.core.services.workers import table as worker_rows

APIS = tuple(row.name for row in http_rows.ROWS)
WORKERS = tuple(row.name for row in worker_rows.ROWS)
NOWHERE = "/nonexistent/file"
CRM_MON = CHECKOUT / "tests/core/services/clusters/crm_mon-2.1.5.xml"


class Scene:
    """What a cell needs: the network, a directory, a host with xha-check, and daemons that end with the test."""

    def __init__(self, net: Net, directory: Path, services: Services, stack: ExitStack, authority: Authority) -> None:
        self.net, self.directory, self.services = net, directory, services
        self.stack, self.authority = stack, authority

    def scripted(self, answers: dict[str, str], port: int = 7000, path: Path | None = None) -> tuple[str, str]:
        """Start a scripted server; return its address, and the line `process = ...` that finds it."""
        address = self.net.next_address()
        place = str(path) if path else f"{address}:{port}"
        script = str(Path(__file__).with_name("scripted.py"))
        argv = [sys.executable, script, f"scripted-{address}", place, json.dumps(answers)]
        self.stack.enter_context(Daemon(self.net, argv, self.directory / "scripted.log"))
        wait_until(lambda: accepts(path) if path else is_listening(address, port), 30, "the scripted server listens")
        return address, f"process = ^\\S*python\\S* {re.escape(script)} scripted-{re.escape(address)} "

    def tls(self, api: Api, *addresses: str) -> None:
        """Let a stand-in speak TLS, with a certificate for these addresses."""
        certificate, key = self.authority.certify(f"standin-{api.address}-{api.port}", *addresses)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        api._server.socket = context.wrap_socket(api._server.socket, server_side=True)
        api.url = api.url.replace("http:", "https:")

    def serve(self, api: Any) -> Any:
        return self.stack.enter_context(serving(api))

    def check(self, name: str, lines: str, level: str = "protocol", **env: str) -> dict[str, Any]:
        self.services.write(f"[service {name}]\n{lines}\n")
        return self.services.check(name, level, env=env)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture
def scene(net: Net, tmp_path: Path, services: Services, authority: Authority) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(net, tmp_path, services, stack, authority)


def keeps_serving(result: dict[str, Any]) -> bool:
    """Whether a service that was well before is still in after this result, however often it comes."""
    service = default_service(result["name"])
    record: Record = next_record(service, None, passed(result["name"], default_level(result), "well"), 1.0, 1.0)
    for _ in range(service.fall + 1):
        record = next_record(service, record, parse_result(result), 2.0, 2.0)
    return judge_record(service, record, 2.0).is_available


def default_level(result: dict[str, Any]) -> Any:
    return parse_result(result).level


# --- the cells: what is done, and what must be said


def answer_to(request: ApiRequest | None) -> Any:
    """The right JSON for a request."""
    if request is None or not request.json_path:
        return "OK"
    document: Any = request.json_value or []
    for step in reversed(request.json_path):
        document = {step: document} if isinstance(step, str) else [document]
    return document


def api_of(scene: Scene, name: str, **changes: Any) -> Api:
    """A stand-in of this API that answers rightly, and gives every request with a token its list."""
    plan = default_service(name).settings.plan  # type: ignore[attr-defined]
    api = Api(scene.net.next_address())
    api.replies[f"GET {plan.protocol.path}"] = Reply(plan.protocol.statuses[0], answer_to(plan.protocol))
    if plan.deep:
        api.replies[f"GET {plan.deep.path.replace('{project}', 'p1d')}"] = Reply(200, answer_to(plan.deep))
    return api


def api_elsewhere(scene: Scene, name: str) -> dict[str, Any]:
    address, process = scene.scripted({"GET": "HTTP/1.0 200 OK\r\n\r\n"})
    other = scene.net.next_address()
    result = scene.check(name, f"url = http://{other}:7000\n{process}")
    assert f"listens on {address} port 7000" in result["message"]
    return result


def api_account(scene: Scene, name: str) -> dict[str, Any]:
    keystone = scene.serve(Keystone(scene.net.next_address()))
    keystone.refuses = True
    url = keystone.url if name == "keystone" else scene.serve(api_of(scene, name)).url
    account = "username = xha\nproject = admin\npassword_env = XHA_PASSWORD\n"
    return scene.check(name, f"url = {url}\nauth_url = {keystone.url}\n{account}", "deep", XHA_PASSWORD="wrong")


def api_untrusted(scene: Scene, name: str) -> dict[str, Any]:
    api = api_of(scene, name)
    scene.tls(api, str(api.address))
    scene.serve(api)
    return scene.check(name, f"url = {api.url}\nca_file = {scene.authority.other_ca}")


def api_wrong_name(scene: Scene, name: str) -> dict[str, Any]:
    api = api_of(scene, name)
    scene.tls(api, "127.0.0.99")
    scene.serve(api)
    return scene.check(name, f"url = {api.url}\nca_file = {scene.authority.ca}")


def api_in_the_clear(scene: Scene, name: str) -> dict[str, Any]:
    api = api_of(scene, name)
    scene.tls(api, str(api.address))
    scene.serve(api)
    return scene.check(name, f"url = {api.url.replace('https:', 'http:')}")


def api_no_file(scene: Scene, name: str) -> dict[str, Any]:
    return scene.check(name, f"url = https://{scene.net.next_address()}\nca_file = {NOWHERE}")


def api_no_field(scene: Scene, name: str) -> dict[str, Any]:
    keystone = scene.serve(Keystone(scene.net.next_address()))
    api = api_of(scene, name)
    plan = default_service(name).settings.plan  # type: ignore[attr-defined]
    asked = plan.protocol if plan.protocol.json_path else plan.deep
    api.replies[f"GET {asked.path.replace('{project}', 'p1d')}"] = Reply(asked.statuses[0], {"error": 1})
    scene.serve(api)
    account = "username = xha\nproject = admin\npassword_env = XHA_PASSWORD\n"
    lines = f"url = {api.url}\nauth_url = {keystone.url}\n{account}"
    return scene.check(name, lines, "protocol" if asked is plan.protocol else "deep", XHA_PASSWORD="k3ystone:'pass")


def api_half(scene: Scene, name: str) -> dict[str, Any]:
    address, process = scene.scripted({"GET": 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"version": {'})
    return scene.check(name, f"url = http://{address}:7000\n{process}")


def memcached_of(scene: Scene, *options: str, address: str | None = None) -> tuple[Memcached, str]:
    running = scene.stack.enter_context(Memcached(scene.net, scene.directory / "memcached", *options, address=address))
    process = f"process = ^(\\S*/)?memcached -l {running.address} \n"
    return running, f"host = {running.address}\nport = {MEMCACHED_PORT}\n{process}"


def memcached_elsewhere(scene: Scene, name: str) -> dict[str, Any]:
    running, lines = memcached_of(scene)
    result = scene.check(name, lines.replace(running.address, scene.net.next_address(), 1))
    assert f"listens on {running.address} port 11211" in result["message"]
    return result


def memcached_account(scene: Scene, name: str) -> dict[str, Any]:
    accounts = scene.net.directory / f"accounts-{scene.directory.name}"
    accounts.write_text("bob:secret\n")
    accounts.chmod(0o644)
    _, lines = memcached_of(scene, "-Y", str(accounts))
    assert scene.check(name, lines, "deep")["message"].startswith("needs username, and password_file")
    lines += "username = bob\npassword_env = XHA_PASSWORD\n"
    assert scene.check(name, lines, "deep", XHA_PASSWORD="secret")["status"] == "ok"
    return scene.check(name, lines, "deep", XHA_PASSWORD="wrong")


def memcached_sasl(scene: Scene, name: str) -> dict[str, Any]:
    """Debian builds -S. Its passwords are asked for at a stand-in of saslauthd, which knows one."""
    directory = scene.net.directory / f"sasl-{scene.directory.name}"
    directory.mkdir(mode=0o755)
    mux = directory / "mux"
    (directory / "memcached.conf").write_text(f"mech_list: plain\npwcheck_method: saslauthd\nsaslauthd_path: {mux}\n")
    scene.stack.enter_context(Saslauthd(mux, "bob", "secret"))
    running = Memcached(scene.net, scene.directory / "memcached", "-S")
    running.env = {"SASL_CONF_PATH": str(directory)}
    scene.stack.enter_context(running)
    lines = f"host = {running.address}\nport = {MEMCACHED_PORT}\n"
    assert scene.check(name, lines)["status"] == "ok"  # it tells its version to everybody
    assert scene.check(name, lines, "deep")["message"].startswith("needs username, and password_file")
    lines += "username = bob\npassword_env = XHA_PASSWORD\n"
    right = scene.check(name, lines, "deep", XHA_PASSWORD="secret")
    assert (right["status"], right["proved"]) == ("ok", "a key was set, read back and deleted")
    return scene.check(name, lines, XHA_PASSWORD="wrong")


def memcached_tls(scene: Scene) -> str:
    address = scene.net.next_address()
    certificate, key = scene.authority.certify(f"memcached-{address}", address)
    _, lines = memcached_of(scene, "-Z", "-o", f"ssl_chain_cert={certificate},ssl_key={key}", address=address)
    return lines


def memcached_untrusted(scene: Scene, name: str) -> dict[str, Any]:
    lines = memcached_tls(scene)
    assert scene.check(name, f"{lines}tls = 1\nca_file = {scene.authority.ca}\n", "deep")["status"] == "ok"
    return scene.check(name, f"{lines}tls = 1\nca_file = {scene.authority.other_ca}\n")


def memcached_in_the_clear(scene: Scene, name: str) -> dict[str, Any]:
    result = scene.check(name, memcached_tls(scene))
    assert "needs tls = 1" in result["message"]
    return result


def memcached_no_file(scene: Scene, name: str) -> dict[str, Any]:
    _, lines = memcached_of(scene)
    return scene.check(name, f"{lines}tls = 1\nca_file = {NOWHERE}\n")


def memcached_no_password(scene: Scene, name: str) -> dict[str, Any]:
    _, lines = memcached_of(scene)
    return scene.check(name, f"{lines}username = bob\npassword_file = {NOWHERE}\n")


def memcached_no_socket(scene: Scene, name: str) -> dict[str, Any]:
    _, lines = memcached_of(scene)
    return scene.check(name, f"{lines}socket = {scene.directory}/none\n")


def memcached_half(scene: Scene, name: str) -> dict[str, Any]:
    address, process = scene.scripted({"version": "VERSI"})
    return scene.check(name, f"host = {address}\nport = 7000\n{process}")


HAPROXY = "listen x\n  mode tcp\n  bind {}:5000\n  timeout client 1s\n  timeout server 1s\n"
INFO = "Name: HAProxy\nVersion: 2.6\nUptime_sec: 5\nStopping: 0\nCurrConns: 1\nMaxconn: 10\n\n"
STAT = "# pxname,svname,scur,slim,status,\nx,FRONTEND,0,10,OPEN,\n"


def haproxy_of(scene: Scene) -> tuple[HAProxy, str]:
    running = HAProxy(scene.net, scene.directory / "haproxy", HAPROXY.format(scene.net.next_address()))
    scene.stack.enter_context(running)
    return running, f"process = ^\\S*haproxy -db -f {running.socket.parent}/\n"


def haproxy_elsewhere(scene: Scene, name: str) -> dict[str, Any]:
    _, process = haproxy_of(scene)
    return scene.check(name, f"stats_socket = ipv4@{scene.net.next_address()}:9999\n{process}", "deep")


def haproxy_no_socket(scene: Scene, name: str) -> dict[str, Any]:
    running, process = haproxy_of(scene)
    result = scene.check(name, f"stats_socket = /var/lib/haproxy/stats-none\n{process}", "deep")
    assert f"listens on {running.socket}" in result["message"]
    return result


def haproxy_no_field(scene: Scene, name: str) -> dict[str, Any]:
    path = scene.directory / "stats"
    _, process = scene.scripted({"show info": INFO.replace("Stopping: 0\n", "")}, path=path)
    return scene.check(name, f"stats_socket = {path}\n{process}")


def haproxy_half(scene: Scene, name: str) -> dict[str, Any]:
    path = scene.directory / "stats"
    _, process = scene.scripted({"show info": INFO, "show stat": STAT}, path=path)
    return scene.check(name, f"stats_socket = {path}\n{process}", "deep")


def rabbitmq_elsewhere(scene: Scene, name: str) -> dict[str, Any]:
    address, process = scene.scripted({"": "x"}, 5672)
    result = scene.check(name, f"host = {scene.net.next_address()}\n{process}")
    assert f"listens on {address} port 5672" in result["message"]
    return result


def rabbitmq_no_file(scene: Scene, name: str) -> dict[str, Any]:
    return scene.check(name, f"host = {scene.net.next_address()}\ntls = 1\nca_file = {NOWHERE}\n")


def rabbitmq_half(scene: Scene, name: str) -> dict[str, Any]:
    address, process = scene.scripted({"AMQP": "\1\0\0\0\0\1\xf4\0\n\0\n"}, 5672)
    return scene.check(name, f"host = {address}\n{process}")


def worker_of(scene: Scene, name: str, text: str, more: str = "") -> dict[str, Any]:
    _, process = scene.scripted({"": "x"}, 7001)
    config = scene.directory / "worker.conf"
    config.write_text(f"[DEFAULT]\n{text}\n")
    return scene.check(name, f"config = {config}\n{process}\n{more}")


def worker_elsewhere(scene: Scene, name: str) -> dict[str, Any]:
    return worker_of(scene, name, f"transport_url = rabbit://u:p@{scene.net.next_address()}:5672/")


def worker_no_file(scene: Scene, name: str) -> dict[str, Any]:
    _, process = scene.scripted({"": "x"}, 7001)
    return scene.check(name, f"config = {NOWHERE}\n{process}\n")


def worker_no_ca(scene: Scene, name: str) -> dict[str, Any]:
    url = f"rabbit://u:p@{scene.net.next_address()}:5671/"
    return worker_of(scene, name, f"transport_url = {url}\n[oslo_messaging_rabbit]\nssl = 1\nssl_ca_file = {NOWHERE}")


def worker_no_field(scene: Scene, name: str) -> dict[str, Any]:
    return worker_of(scene, name, "debug = 1")


def worker_tls(scene: Scene, name: str, certified: str, trusted: Path | None) -> dict[str, Any]:
    api = Api(scene.net.next_address())
    scene.tls(api, certified.format(api.address))
    scene.serve(api)
    url = f"transport_url = rabbit://u:p@{api.address}:{api.port}/"
    return worker_of(
        scene, name, f"{url}\n[oslo_messaging_rabbit]\nssl = 1\nssl_ca_file = {trusted}" if trusted else url
    )


def worker_untrusted(scene: Scene, name: str) -> dict[str, Any]:
    return worker_tls(scene, name, "{}", scene.authority.other_ca)


def worker_wrong_name(scene: Scene, name: str) -> dict[str, Any]:
    return worker_tls(scene, name, "127.0.0.99", scene.authority.ca)


def worker_in_the_clear(scene: Scene, name: str) -> dict[str, Any]:
    return worker_tls(scene, name, "{}", None)


def worker_half(scene: Scene, name: str) -> dict[str, Any]:
    address, _ = scene.scripted({"AMQP": "\1\0\0\0\0\1\xf4\0\n\0\n"}, 5672)
    return worker_of(scene, name, f"transport_url = rabbit://u:p@{address}:5672/")


def database_of(scene: Scene, lines: str, process: str) -> dict[str, Any]:
    disabled = scene.directory / "disabled"
    scene.services.write(f"[database]\n{lines}\n[responder]\ndisabled_file = {disabled}\n[service mysql]\n{process}\n")
    return scene.services.check("mysql")


def database_elsewhere(scene: Scene, name: str) -> dict[str, Any]:
    address, process = scene.scripted({"": "x"}, 3306)
    result = database_of(scene, f"host = {scene.net.next_address()}", process)
    assert f"listens on {address} port 3306" in result["message"]
    return result


def database_no_socket(scene: Scene, name: str) -> dict[str, Any]:
    address, process = scene.scripted({"": "x"}, 3306)
    result = database_of(scene, f"socket = {scene.directory}/none", process)
    assert f"listens on {address} port 3306" in result["message"]
    return result


def database_no_file(scene: Scene, name: str) -> dict[str, Any]:
    return database_of(scene, f"host = {scene.net.next_address()}\ndefaults_file = {NOWHERE}", "")


def database_no_ca(scene: Scene, name: str) -> dict[str, Any]:
    (scene.directory / "client.cnf").write_text(f"[client]\nuser = xha\nssl-ca = {NOWHERE}\n")
    lines = f"host = {scene.net.next_address()}\ndefaults_file = {scene.directory}/client.cnf"
    return database_of(scene, lines, "")


def without_permission(scene: Scene, name: str, lines: str) -> dict[str, Any]:
    """A check that runs as nobody, who may not use a socket."""
    if os.geteuid() != 0:
        pytest.skip("not root: nobody else can run the check")
    scene.services.write(f"[service {name}]\n{lines}\n")
    for path in (scene.services.config, scene.services.directory, *scene.services.directory.parents):
        if path.stat().st_uid == os.geteuid() and "pytest" in str(path):
            path.chmod(0o755)
    wrapper = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    try:
        return scene.services.check(name, "protocol", wrapper=wrapper)
    except AssertionError:
        pytest.skip("this checkout is closed to other users")


def haproxy_forbidden(scene: Scene, name: str) -> dict[str, Any]:
    running, process = haproxy_of(scene)
    running.socket.chmod(0o600)
    return without_permission(scene, name, f"stats_socket = {running.socket}\n{process}")


def memcached_forbidden(scene: Scene, name: str) -> dict[str, Any]:
    directory = scene.net.directory / f"forbidden-{scene.directory.name}"
    directory.mkdir()
    directory.chmod(0o777)  # memcached makes its socket as nobody
    path = directory / "memcached.sock"
    scene.stack.enter_context(Memcached(scene.net, scene.directory / "memcached", "-a", "0000", place=path))
    return without_permission(scene, name, f"socket = {path}")


def pacemaker_of(scene: Scene, crm_mon: str, mode: int = 0o755) -> dict[str, Any]:
    """Pacemaker's own tools are others for a moment: no real crm_mon writes half a document."""
    if os.geteuid() != 0:
        pytest.skip("not root: Pacemaker's programs cannot be others for a moment")
    mounts = []
    for tool, text in {"crm_mon": crm_mon, "corosync-quorumtool": "", "crmadmin": "", "crm_node": "echo xha-1"}.items():
        path = shutil.which(tool, path="/usr/sbin:/usr/bin")
        assert path, f"{tool} is not there: apt-get install pacemaker corosync, or make deps"
        put(scene.directory / tool, f"#!/bin/sh\n{text}\n", mode if tool == "crm_mon" else 0o755)
        mounts.append(f"mount --bind {scene.directory / tool} {path}")
    within = ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'{" && ".join(mounts)} && exec "$@"', "sh"]
    scene.services.write("[service pacemaker]\n")
    return scene.services.check("pacemaker", "deep", wrapper=within)


def pacemaker_no_tool(scene: Scene, name: str) -> dict[str, Any]:
    return pacemaker_of(scene, "", 0o644)  # a file that nobody may execute is no program


def pacemaker_no_field(scene: Scene, name: str) -> dict[str, Any]:
    recorded = CRM_MON.read_text().replace(' stonith-enabled="false"', "").replace(' no-quorum-policy="ignore"', "")
    healthy = recorded.replace('resource id="bad"', 'resource id="bad" target_role="Stopped"')
    (scene.directory / "answer.xml").write_text(healthy)
    return pacemaker_of(scene, f"cat {scene.directory}/answer.xml")


def pacemaker_half(scene: Scene, name: str) -> dict[str, Any]:
    return pacemaker_of(scene, f"head -c 1500 {CRM_MON}")


class Cell(NamedTuple):
    """One cell: how it comes about, and the words that the result begins with, or its exit code, status and blame."""

    do: Callable[[Scene, str], dict[str, Any]]
    words: str = "needs "
    outcome: tuple[int, str, str | None] = BLIND


CELLS: dict[tuple[str, str], Cell] = {
    **{
        (name, column): cell
        for name in APIS
        for column, cell in {
            "unreachable": Cell(api_elsewhere, "needs url: "),
            "untrusted certificate": Cell(api_untrusted, "needs a ca_file: its certificate is not trusted"),
            "a certificate for another name": Cell(api_wrong_name, "needs the host name that its certificate is for"),
            "in the clear": Cell(api_in_the_clear, "needs https:// instead of http://"),
            "unreadable file": Cell(api_no_file, f"needs a ca_file that it may read: {NOWHERE}"),
            "partial answer": Cell(api_half),
        }.items()
    },
    **{
        (name, column): cell
        for name in APIS
        if name != "nova-novncproxy"  # it has neither an account nor JSON
        for column, cell in {
            "wrong account": Cell(api_account, "needs an account that keystone accepts"),
            "absent field": Cell(api_no_field, "needs an answer that it knows"),
        }.items()
        if (name, column) != ("placement-api", "wrong account")  # it is asked nothing with an account
    },
    ("memcached", "unreachable"): Cell(memcached_elsewhere, "needs host and port"),
    ("memcached", "wrong account"): Cell(memcached_account, "needs an account that it accepts"),
    ("memcached", "wrong account of SASL"): Cell(memcached_sasl, "needs an account that it accepts"),
    ("memcached", "untrusted certificate"): Cell(memcached_untrusted, "needs a ca_file"),
    ("memcached", "in the clear"): Cell(memcached_in_the_clear, "needs tls = 1"),
    ("memcached", "unreadable file"): Cell(memcached_no_file, "needs a ca_file that it may read"),
    ("memcached", "unreadable password"): Cell(memcached_no_password, "needs its password"),
    ("memcached", "missing socket"): Cell(memcached_no_socket, "needs socket"),
    ("memcached", "partial answer"): Cell(memcached_half, "needs the whole answer to version"),
    ("memcached", "a socket without permission"): Cell(memcached_forbidden, "needs permission for "),
    ("haproxy", "a socket without permission"): Cell(haproxy_forbidden, "needs permission for "),
    ("haproxy", "unreachable"): Cell(haproxy_elsewhere, "needs stats_socket"),
    ("haproxy", "missing socket"): Cell(haproxy_no_socket, "needs stats_socket"),
    ("haproxy", "absent field"): Cell(haproxy_no_field, "needs the whole answer to show info: it has no Stopping"),
    ("haproxy", "partial answer"): Cell(haproxy_half, "needs stats_socket"),
    ("rabbitmq", "unreachable"): Cell(rabbitmq_elsewhere, "needs host and port"),
    ("rabbitmq", "unreadable file"): Cell(rabbitmq_no_file, "needs a ca_file that it may read"),
    ("rabbitmq", "partial answer"): Cell(rabbitmq_half, "needs its whole greeting"),
    **{
        (name, column): cell
        for name in WORKERS
        for column, cell in {
            # its own file says where its brokers are: then it is RabbitMQ that is not there
            "unreachable": Cell(worker_elsewhere, "", blamed("rabbitmq")),
            "unreadable file": Cell(worker_no_file, f"needs its messaging: {NOWHERE}"),
            "unreadable file of TLS": Cell(worker_no_ca, "needs a ca_file that it may read"),
            "absent field": Cell(worker_no_field, "needs its messaging"),
            "untrusted certificate": Cell(worker_untrusted, "needs a ca_file: its certificate is not trusted"),
            "a certificate for another name": Cell(
                worker_wrong_name, "needs the host name that its certificate is for"
            ),
            "in the clear": Cell(worker_in_the_clear, "needs tls = 1"),
            "partial answer": Cell(worker_half, "", blamed("rabbitmq")),
        }.items()
    },
    ("mysql", "unreachable"): Cell(database_elsewhere, "needs [database] socket or host: "),
    ("mysql", "missing socket"): Cell(database_no_socket, "needs [database] socket or host: "),
    ("mysql", "unreadable file"): Cell(database_no_file, "needs other settings: config-error: "),
    ("mysql", "unreadable file of TLS"): Cell(database_no_ca, "needs other settings: config-error: "),
    ("pacemaker", "unreachable"): Cell(pacemaker_no_tool, "needs crm_mon"),
    ("pacemaker", "absent field"): Cell(pacemaker_no_field, "needs a crm_mon that tells stonith-enabled"),
    ("pacemaker", "partial answer"): Cell(pacemaker_half, "needs a crm_mon that it understands"),
}
COLUMNS = (
    "unreachable",
    "wrong account",
    "untrusted certificate",
    "unreadable file",
    "missing socket",
    "absent field",
    "partial answer",
)
_RABBIT, _MYSQL = "tests/services/test_rabbitmq.py", "tests/services/test_mysql.py"
_JUDGES = "tests/core/services/test_judges.py"
# Cells with a real daemon, or of a pure judge: where they are.
ELSEWHERE = {
    ("rabbitmq", "wrong account"): (_RABBIT, "test_a_wrong_password_is_a_fault_of_the_check_s_and_never_shown"),
    ("rabbitmq", "untrusted certificate"): (_RABBIT, "test_tls_with_an_authority_that_is_trusted_and_one_that_is_not"),
    ("rabbitmq", "absent field"): (_RABBIT, "test_without_metrics_nothing_is_known_of_partitions"),
    ("memcached", "absent field"): (_JUDGES, "test_saturation"),
    ("mysql", "wrong account"): (_MYSQL, "test_a_frozen_one_and_one_that_refuses_the_account"),
    ("mysql", "untrusted certificate"): (_MYSQL, "test_a_certificate_that_is_not_trusted_and_one_for_another_name"),
    ("pacemaker", "wrong account"): ("tests/services/test_pacemaker.py", "test_a_user_who_may_not_ask_is_told_so"),
    **{
        (name, "wrong account"): ("tests/services/test_oslo_workers.py", "test_an_account_that_the_broker_refuses")
        for name in WORKERS  # one check, whichever worker it is
    },
}
_TCP_ONLY = "it listens on TCP alone"
NOT_THERE = {
    **dict.fromkeys([(name, "missing socket") for name in (*APIS, *WORKERS, "rabbitmq")], _TCP_ONLY),
    ("nova-novncproxy", "wrong account"): "it is asked nothing with an account",
    ("placement-api", "wrong account"): "it is asked nothing with an account",
    ("nova-novncproxy", "absent field"): "its answers have no fields",
    ("haproxy", "wrong account"): "a stats socket knows no accounts, only permissions of its file",
    ("haproxy", "untrusted certificate"): "a stats socket speaks no TLS",
    ("haproxy", "unreadable file"): "its section names no file but the socket",
    ("mysql", "absent field"): "a node without the variables of Galera is judged at /, where tests/core/node has them",
    (
        "mysql",
        "partial answer",
    ): "who is cut off in a login is cut off as every client is: server-down at /, and critical",
    ("pacemaker", "untrusted certificate"): "its tools ask over the host's own IPC",
    ("pacemaker", "unreadable file"): "its section names no file",
    ("pacemaker", "missing socket"): "its tools know the sockets, which are no setting",
}


def test_no_cell_of_the_matrix_is_empty() -> None:
    for name in CATALOGUE:
        for column in COLUMNS:
            found = [where for where in (CELLS, ELSEWHERE, NOT_THERE) if (name, column) in where]
            assert len(found) == 1, (name, column)
    for file, test in ELSEWHERE.values():
        assert f"def {test}(" in (CHECKOUT / file).read_text(), (file, test)


@pytest.mark.parametrize(("name", "column"), list(CELLS), ids=lambda one: one.replace(" ", "-"))
def test_a_cell_is_not_the_service_s_fault_and_drains_nothing(scene: Scene, name: str, column: str) -> None:
    cell = CELLS[name, column]
    result = cell.do(scene, name)
    assert short(result) == cell.outcome, result
    assert result["message"].startswith(cell.words), result
    assert keeps_serving(result)
