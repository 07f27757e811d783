"""A certificate of an authority without key identifiers, as many sites have: Python 3.13's flag refuses it.

The services' own clients do not set VERIFY_X509_STRICT, so no check goes by it. Each Python gets it here.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Callable, NamedTuple

import pytest
import requests
from urllib3.util import ssl_ as urllib3_ssl

from loopback import wait_until
from responder.certificates import Authority
from xha.adapters.http import client as http
from xha.adapters.http.client import HttpSession
from xha.adapters.mysql.login_target import read_target
from xha.adapters.mysql.option_files import ClientOptions
from xha.adapters.network.client_tls import TlsFiles
from xha.adapters.rabbitmq import amqp
from xha.app.checks import novncproxy
from xha.core.config.xha_conf import Database
from xha.core.services.api.judge import ApiRequest, HttpSettings, RequestPlan
from xha.core.services.rabbitmq.login import Login

HOST = "127.0.0.1"


class Server(NamedTuple):
    """A TLS server that ends every connection after the handshake. results: None for one that succeeded."""

    port: int
    ca: Path
    results: list[ssl.SSLError | OSError | None]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "authority", key_identifiers=False)


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.certify("server", HOST))
    results: list[ssl.SSLError | OSError | None] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with plain:
                plain.settimeout(30)
                try:
                    context.wrap_socket(plain, server_side=True).close()
                    results.append(None)
                except OSError as error:
                    results.append(error)

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield Server(listener.getsockname()[1], authority.ca, results)
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.fixture(autouse=True)
def _strict_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ssl does since Python 3.13, and urllib3 there since 2.4."""
    for module, name in ((ssl, "create_default_context"), (urllib3_ssl, "create_urllib3_context")):
        monkeypatch.setattr(module, name, _strictly(getattr(module, name)))
    monkeypatch.setattr(http, "create_urllib3_context", urllib3_ssl.create_urllib3_context)


def _strictly(make: Callable[..., ssl.SSLContext]) -> Callable[..., ssl.SSLContext]:
    def made(*arguments: object, **named: object) -> ssl.SSLContext:
        context = make(*arguments, **named)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    return made


def ask_broker(server: Server) -> None:
    with contextlib.suppress(amqp.AmqpError):
        amqp.read_greeting(Login(HOST, server.port, tls=True, ca_file=str(server.ca)), 30)


def log_in_to_broker(server: Server) -> None:
    login = Login(HOST, server.port, "guest", "guest", tls=True, ca_file=str(server.ca))
    with contextlib.suppress(amqp.AmqpError), amqp.open_channel(login, 30):
        pass


def ask_api(server: Server) -> None:
    url = f"https://{HOST}:{server.port}/"
    with HttpSession(url, TlsFiles(str(server.ca))) as session, contextlib.suppress(requests.ConnectionError):
        session.get(url, timeout=30)


def ask_console(server: Server) -> None:
    url = f"https://{HOST}:{server.port}"
    settings = HttpSettings("nova-novncproxy", "", 60, url, RequestPlan(ApiRequest("/")), ca_file=str(server.ca))
    novncproxy._connect(settings).close()


def log_in_to_database(server: Server) -> None:
    options = ClientOptions({"ssl-ca": str(server.ca), "ssl-verify-server-cert": "1"})
    target = read_target(Database(host=HOST, port=server.port), options)
    assert target.tls is not None
    with socket.create_connection((HOST, server.port), timeout=30) as plain:
        target.tls.wrap_socket(plain, server_hostname=HOST).close()


def test_the_flag_refuses_that_authority(server: Server) -> None:
    """What this file is about; if it passes, the certificates here prove nothing."""
    context = ssl.create_default_context(cafile=server.ca)
    with (
        socket.create_connection((HOST, server.port), timeout=30) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match="Key Identifier"),
    ):
        context.wrap_socket(plain, server_hostname=HOST)


@pytest.mark.parametrize("ask", [ask_broker, log_in_to_broker, ask_api, ask_console, log_in_to_database])
def test_no_check_is_stricter_than_the_service_s_own_clients(server: Server, ask: Callable[[Server], None]) -> None:
    ask(server)
    wait_until(lambda: server.results, 60, "a handshake has ended")
    assert set(server.results) == {None}


@pytest.mark.parametrize("ask", [ask_broker, ask_api, ask_console, log_in_to_database])
def test_another_authority_s_certificate_is_refused_as_before(
    server: Server, authority: Authority, ask: Callable[[Server], None]
) -> None:
    with contextlib.suppress(ssl.SSLError):
        ask(server._replace(ca=authority.other_ca))
    wait_until(lambda: server.results, 60, "a handshake has ended")
    assert None not in server.results
