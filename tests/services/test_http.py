"""The HTTP services: stand-ins on real sockets, oslo.middleware's healthcheck, and a database that dies behind them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from loopback import Daemon, Net, Node, is_listening
from services.host import BLIND, CAUTION, DOWN, WELL, Services, blamed, short
from services.standins import NOVA_VERSIONS, PASSWORD, TOKEN, Api, Keystone, Reply, Seen, Vnc, serving

NOBODY = "process = ^no-such-process\n"
# The request with a token to each, and its answer: an empty list is healthy.
DEEP = {
    "glance-api": ("/v2/images?limit=1", {"images": []}),
    "glance-registry": ("/images", {"images": []}),
    "nova-api": ("/v2.1/flavors?limit=1", {"flavors": []}),
    "neutron-server": ("/v2.0/networks?limit=1", {"networks": []}),
    "cinder-api": ("/v3/p1d/limits", {"limits": {"absolute": {}}}),
}


@pytest.fixture
def keystone(net: Net) -> Iterator[Keystone]:
    with serving(Keystone(net.next_address())) as api:
        yield api


@pytest.fixture
def api(net: Net) -> Iterator[Api]:
    with serving(Api(net.next_address())) as running:
        running.replies["GET /healthcheck"] = Reply(200, "OK")
        running.replies["GET /"] = Reply(200, NOVA_VERSIONS)
        for path, document in DEEP.values():
            running.replies[f"GET {path}"] = Reply(200, document)
        yield running


@pytest.fixture
def account(keystone: Keystone, tmp_path: Path) -> str:
    """The lines of a section that has an account."""
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    return (
        f"auth_url = {keystone.url}\nusername = xha\nproject = admin\npassword_file = {tmp_path}/password\n"
        f"deadline = 6s\n{NOBODY}"
    )


def write(services: Services, kind: str, api: Api, more: str = NOBODY) -> None:
    services.write(f"[service {kind}]\nurl = {api.url}\n{more}")


def asked(api: Api) -> list[str]:
    return [f"{one.method} {one.path}" for one in api.seen]


@pytest.mark.parametrize("kind", DEEP)
def test_an_api_without_an_account(services: Services, api: Api, kind: str) -> None:
    write(services, kind, api)
    result = services.check(kind)
    assert (short(result), result["level"]) == (WELL, "protocol")
    assert asked(api) == [f"GET {'/' if kind == 'nova-api' else '/healthcheck'}"]
    deep = services.check(kind, "deep")
    assert short(deep) == BLIND
    assert deep["message"].startswith("needs an account: auth_url, username, project")
    assert deep["proved"] == result["proved"]


@pytest.mark.parametrize("kind", DEEP)
def test_an_api_asked_with_a_token(services: Services, api: Api, keystone: Keystone, account: str, kind: str) -> None:
    write(services, kind, api, account)
    result = services.check(kind, "deep")
    assert short(result) == WELL, result
    assert asked(api)[-1] == f"GET {DEEP[kind][0]}"
    assert api.seen[-1].headers["X-Auth-Token"] == TOKEN
    login = keystone.seen[0].document["auth"]
    assert login["scope"] == {"project": {"name": "admin", "domain": {"name": "Default"}}}
    assert login["identity"]["password"]["user"]["name"] == "xha"


@pytest.mark.parametrize("kind", DEEP)
def test_an_api_that_fails_while_keystone_works(services: Services, api: Api, account: str, kind: str) -> None:
    write(services, kind, api, account)
    api.replies[f"GET {DEEP[kind][0]}"] = Reply(500)
    result = services.check(kind, "deep")
    assert short(result) == DOWN
    assert "answered 500, not 200" in result["message"]
    assert result["proved"].endswith("answered 200")


@pytest.mark.parametrize("failure", [Reply(0), Reply(500), Reply(503)], ids=["closed", "500", "503"])
@pytest.mark.parametrize("status", [401, 503])  # glance answers 401 where nova, neutron and cinder answer 503
def test_an_api_that_cannot_ask_keystone(  # noqa: PLR0913, PLR0917 - two tables
    services: Services, api: Api, keystone: Keystone, account: str, status: int, failure: Reply
) -> None:
    write(services, "nova-api", api, account)
    original = keystone.reply
    # It issues a token, and is gone a moment later: the API refuses, and keystone does not confirm the token.
    keystone.reply = lambda seen: original(seen) if seen.method == "POST" else failure  # type: ignore[method-assign]
    api.replies[f"GET {DEEP['nova-api'][0]}"] = Reply(status)
    result = services.check("nova-api", "deep")
    assert short(result) == blamed("keystone")
    assert result["message"].startswith(f"/v2.1/flavors answered {status}, not 200; keystone: ")


def test_no_token_is_keystone_s_fault(services: Services, api: Api, keystone: Keystone, account: str) -> None:
    write(services, "nova-api", api, account)
    keystone.failure = Reply(0)
    result = services.check("nova-api", "deep")
    assert short(result) == blamed("keystone")
    assert "closed without an answer" in result["message"]
    keystone.failure = Reply(201, seconds=20)
    result = services.check("nova-api", "deep")
    assert short(result) == blamed("keystone")
    assert result["proved"] == "GET / answered 200"
    assert result["duration_ms"] < 18000  # and not after the 20 s of keystone
    # It issues one and then hangs, and so does the API: there is time left to ask whose fault that is.
    keystone.failure = None
    original = keystone.reply
    keystone.reply = lambda seen: original(seen)._replace(seconds=20 * (seen.method == "HEAD"))  # type: ignore[method-assign]
    api.replies[f"GET {DEEP['nova-api'][0]}"] = Reply(200, seconds=20)
    assert short(services.check("nova-api", "deep")) == blamed("keystone")


def test_an_api_whose_workers_all_wait_for_somebody_else(  # noqa: PLR0913, PLR0917 - all that is behind it
    services: Services, api: Api, keystone: Keystone, account: str, node: Node, net: Net
) -> None:
    api.replies["GET /"] = Reply(200, NOVA_VERSIONS, seconds=20)
    for lines, verdict in (
        (account, DOWN),
        (f"{account}database = {node.address}:3306\n", DOWN),
        (f"{account}database = {net.next_address()}:3306\n", blamed("mysql")),
        (account.replace(keystone.url, f"http://{net.next_address()}:5000"), blamed("keystone")),
    ):
        write(services, "nova-api", api, lines)
        for level in ("protocol", "deep"):
            result = services.check("nova-api", level)
            assert (short(result), result["level"]) == (verdict, level)
            assert result["message"].startswith("/: no answer in time")


def test_a_refused_account_is_nobody_s_fault(
    services: Services, api: Api, keystone: Keystone, account: str, tmp_path: Path
) -> None:
    write(services, "nova-api", api, account)
    keystone.refuses = True
    result = services.check("nova-api", "deep")
    assert short(result) == BLIND
    assert "it answered 401" in result["message"]
    (tmp_path / "password").unlink()
    result = services.check("nova-api", "deep")
    assert short(result) == BLIND
    assert f"{tmp_path}/password: no such file" in result["message"]


def test_a_secret_from_the_environment_or_a_credential_and_in_no_output(
    services: Services, api: Api, account: str, tmp_path: Path
) -> None:
    of_file = f"password_file = {tmp_path}/password"
    write(services, "nova-api", api, account.replace(of_file, "password_env = XHA_PASSWORD"))
    assert short(services.check("nova-api", "deep")) == BLIND
    assert short(services.check("nova-api", "deep", env={"XHA_PASSWORD": PASSWORD})) == WELL
    write(services, "nova-api", api, account.replace(of_file, "password_file = password"))
    assert short(services.check("nova-api", "deep")) == BLIND
    assert short(services.check("nova-api", "deep", env={"CREDENTIALS_DIRECTORY": str(tmp_path)})) == WELL
    for outcome in (services.run("--service", "nova-api", "--level", "deep"), services.run("--all")):
        assert PASSWORD not in outcome.out + outcome.err
        assert TOKEN not in outcome.out + outcome.err


def test_a_kept_token_is_used_again_and_renewed_where_it_is_refused(
    services: Services, api: Api, keystone: Keystone, account: str, tmp_path: Path
) -> None:
    write(services, "nova-api", api, account)
    (tmp_path / "tokens").mkdir()
    env = {"XHA_TOKENS": str(tmp_path / "tokens")}
    for _ in range(2):
        assert short(services.check("nova-api", "deep", env=env)) == WELL
    assert asked(keystone) == ["POST /v3/auth/tokens"]
    [kept] = (tmp_path / "tokens").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "token": "revoked"}))
    flavors = DEEP["nova-api"]

    def reply(seen: Seen) -> Reply:
        if seen.path == flavors[0]:
            return Reply(200, flavors[1]) if seen.headers["X-Auth-Token"] == TOKEN else Reply(401)
        return Reply(200, NOVA_VERSIONS)

    api.reply = reply  # type: ignore[method-assign]
    assert short(services.check("nova-api", "deep", env=env)) == WELL
    assert asked(keystone) == ["POST /v3/auth/tokens"] * 2


def test_nova_s_300_is_not_up(services: Services, api: Api) -> None:
    write(services, "nova-api", api)
    api.replies["GET /"] = Reply(300, {"choices": []})
    result = services.check("nova-api")
    assert (short(result), result["message"]) == (DOWN, "/ answered 300, not 200")
    api.replies["GET /"] = Reply(500)
    assert services.check("nova-api")["message"] == "/ answered 500, not 200"


def test_a_redirect_is_not_followed(services: Services, api: Api) -> None:
    write(services, "nova-api", api)
    api.replies["GET /"] = Reply(302, headers={"Location": f"{api.url}/healthcheck"})
    result = services.check("nova-api")
    assert (result["status"], result["message"]) == (
        "unknown",
        "needs another url or path, for this one leads elsewhere: / answered 302, not 200",
    )
    assert asked(api) == ["GET /"]


def test_no_request_with_an_account_follows_a_redirect(
    services: Services, api: Api, keystone: Keystone, account: str
) -> None:
    path, _ = DEEP["nova-api"]
    right = api.replies[f"GET {path}"]
    elsewhere = Reply(307, headers={"Location": f"{api.url}/elsewhere"})
    write(services, "nova-api", api, account)
    api.replies[f"GET {path}"] = elsewhere
    result = services.check("nova-api", "deep")
    assert (result["status"], result["blame"]) == ("unknown", None)
    assert result["message"].startswith("needs another url or path, for this one leads elsewhere: ")
    api.replies[f"GET {path}"] = right
    keystone.failure = elsewhere
    result = services.check("nova-api", "deep")
    needs = "needs another url of keystone, for this one leads elsewhere: it answered 307"
    assert (result["status"], result["message"]) == ("unknown", needs)
    write(services, "keystone", keystone)
    result = services.check("keystone", "deep")
    needs = "needs another url or path, for this one leads elsewhere: a login: answered 307"
    assert (result["status"], result["message"]) == ("unknown", needs)


def test_no_proxy_of_the_environment_is_asked(services: Services, api: Api, net: Net) -> None:
    write(services, "nova-api", api)
    proxy = f"http://{net.next_address()}:1"
    env = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy"), proxy)
    assert short(services.check("nova-api", env=env)) == WELL


def test_a_drain_by_file_is_no_fault(services: Services, api: Api) -> None:
    write(services, "glance-api", api)
    api.replies["GET /healthcheck"] = Reply(503, "DISABLED BY FILE")
    assert short(services.check("glance-api")) == CAUTION


@pytest.mark.parametrize("kind", ["keystone", *DEEP])
@pytest.mark.parametrize("fault", ["refused", "closed", "silent", "no HTTP"])
def test_who_does_not_answer_is_to_blame_itself(services: Services, net: Net, kind: str, fault: str) -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((net.next_address(), 0)))
        host, port = listener.getsockname()
        more = f"deadline = 3s\nrequired = 1\n{NOBODY}"
        services.write(f"[service {kind}]\nurl = http://{host}:{port}\n{more}")
        if fault == "refused":
            listener.close()
        elif fault != "silent":
            answer = "b'220 ready\\r\\n\\r\\n'" if fault == "no HTTP" else "b''"
            code = (
                f"import socket\ns = socket.socket(fileno={listener.fileno()})\nprint(flush=True)\n"
                f"while True:\n c, _ = s.accept(); c.recv(999); c.sendall({answer}); c.close()"
            )
            child = subprocess.Popen([sys.executable, "-c", code], pass_fds=[listener.fileno()], stdout=subprocess.PIPE)
            stack.enter_context(child)
            stack.callback(child.kill)
            assert child.stdout is not None
            assert child.stdout.readline() == b"\n"  # it has begun
        result = services.check(kind)
        assert short(result) == DOWN
        assert result["duration_ms"] < 15000
        words = {
            "refused": "connection refused",
            "closed": "closed without an answer",
            "silent": "no answer in time",
            "no HTTP": "",
        }
        assert words[fault] in result["message"]


def test_a_registry_that_is_not_there_does_not_apply(services: Services, net: Net) -> None:
    services.write(f"[service glance-registry]\nurl = http://{net.next_address()}:9191\n{NOBODY}")
    for level in ("process", "protocol", "deep"):
        result = services.check("glance-registry", level)
        assert short(result) == (0, "not-applicable", None)
    services.write(services.config.read_text() + "required = 1\n")
    assert short(services.check("glance-registry")) == DOWN


OSLO = """
from wsgiref.simple_server import make_server
from oslo_middleware import healthcheck
conf = {{"backends": "disable_by_file", "disable_by_file_path": "{path}"}}
app = healthcheck.Healthcheck.app_factory({{}}, **conf)
make_server("{host}", {port}, app).serve_forever()
"""


@pytest.mark.parametrize("kind", ["glance-api", "glance-registry", "neutron-server", "cinder-api"])
def test_the_real_healthcheck_of_oslo_middleware(services: Services, net: Net, tmp_path: Path, kind: str) -> None:
    host, port, off = net.next_address(), 9292, tmp_path / "off"
    argv = [sys.executable, "-c", OSLO.format(path=off, host=host, port=port)]
    with Daemon(net, argv, tmp_path / "oslo.log") as oslo:
        oslo.wait_ready(lambda: is_listening(host, port), 60, "oslo.middleware's healthcheck listens")
        services.write(f"[service {kind}]\nurl = http://{host}:{port}\ndeadline = 4s\n{NOBODY}")
        assert short(services.check(kind)) == WELL
        off.touch()
        result = services.check(kind)
        assert (short(result), result["message"]) == (CAUTION, "/healthcheck: disabled by file, an operator drains it")
        off.unlink()
        oslo.freeze()
        assert short(services.check(kind)) == DOWN


# --- keystone


def test_keystone_by_a_login_that_it_must_refuse(services: Services, keystone: Keystone) -> None:
    write(services, "keystone", keystone)
    result = services.check("keystone")
    assert (short(result), result["level"]) == (WELL, "deep")
    assert asked(keystone) == ["GET /v3", "POST /v3/auth/tokens"]
    user = keystone.seen[1].document["auth"]["identity"]["password"]["user"]
    assert user["name"] == "xha-probe-nobody"


def test_keystone_by_a_login_that_it_grants(services: Services, keystone: Keystone, account: str) -> None:
    write(services, "keystone", keystone, account)
    result = services.check("keystone")
    assert (short(result), result["proved"]) == (WELL, "it gives xha a token")
    keystone.refuses = True
    assert short(services.check("keystone")) == BLIND


@pytest.mark.parametrize("failure", [Reply(0), Reply(500), Reply(201, seconds=9)], ids=["closed", "500", "frozen"])
def test_keystone_without_its_database_stays_green_but_for_the_login(
    services: Services, keystone: Keystone, node: Node, net: Net, failure: Reply
) -> None:
    keystone.failure = failure
    plain = f"deadline = 6s\n{NOBODY}"
    write(services, "keystone", keystone, plain)
    assert short(services.check("keystone", "protocol")) == WELL
    assert short(services.check("keystone", "deep")) == DOWN  # its database is not configured
    write(services, "keystone", keystone, f"{plain}database = {net.next_address()}:3306\n")
    assert short(services.check("keystone", "deep")) == blamed("mysql")
    write(services, "keystone", keystone, f"{plain}database = {node.address}:3306\n")
    assert short(services.check("keystone", "deep")) == DOWN  # its database is healthy
    node.freeze()
    result = services.check("keystone", "deep")
    assert short(result) == blamed("mysql")
    assert result["proved"] == "GET /v3 answered 200"


# --- nova-novncproxy


@pytest.fixture
def vnc(net: Net) -> Iterator[Vnc]:
    with serving(Vnc(net.next_address())) as running:
        running.replies["GET /vnc_lite.html"] = Reply(200, "<html>")
        yield running


def test_a_console_proxy_opens_a_websocket_and_refuses_the_token(services: Services, vnc: Vnc) -> None:
    write(services, "nova-novncproxy", vnc)
    assert short(services.check("nova-novncproxy")) == WELL
    result = services.check("nova-novncproxy", "deep")
    assert short(result) == WELL
    assert asked(vnc)[-1].startswith("GET /?token=xha-probe-")
    assert vnc.seen[-1].headers["Sec-WebSocket-Protocol"] == "binary"


def test_a_console_proxy_whose_database_hangs(services: Services, vnc: Vnc, node: Node, net: Net) -> None:
    vnc.closes = False
    more = f"deadline = 4s\n{NOBODY}"
    write(services, "nova-novncproxy", vnc, more)
    result = services.check("nova-novncproxy", "deep")
    assert (short(result), result["proved"]) == (DOWN, "a WebSocket is opened")
    assert short(services.check("nova-novncproxy", "protocol")) == WELL
    node.freeze()
    write(services, "nova-novncproxy", vnc, f"{more}database = {node.address}:3306\n")
    result = services.check("nova-novncproxy", "deep")
    assert short(result) == blamed("mysql")
    # A database that refuses connections closes the WebSocket too: only the database's own answer tells.
    vnc.closes = True
    write(services, "nova-novncproxy", vnc, f"{more}database = {net.next_address()}:3306\n")
    assert short(services.check("nova-novncproxy", "deep")) == blamed("mysql")


def test_a_console_proxy_that_speaks_no_websocket(services: Services, vnc: Vnc) -> None:
    write(services, "nova-novncproxy", vnc)
    vnc.accept_key = "bm90IGl0"
    assert "does not speak it" in services.check("nova-novncproxy", "deep")["message"]
    vnc.upgrade = lambda handler: handler.send_error(400)  # type: ignore[method-assign]
    assert services.check("nova-novncproxy", "deep")["message"] == "a WebSocket is answered 400, not 101"


def test_what_an_api_says_cannot_move_the_cursor_or_break_a_line(services: Services, api: Api) -> None:
    write(services, "keystone", api)
    escape: Any = {"version": {"status": "\x1b[2J\n|x=1"}}
    api.replies["GET /v3"] = Reply(200, escape)
    for output in ((), ("--nagios",)):
        said = services.run("--service", "keystone", *output)
        assert said.code == 2
        assert "\x1b" not in said.out
        assert said.out.count("\n") == (2 if not output else 1)
