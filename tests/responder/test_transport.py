"""How a real mariadbd is reached: unix socket, IPv4, IPv6, and TLS that is verified, not verified, or refused."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from loopback import Net, Node
from responder.certificates import Authority
from responder.conftest import MakeResponder
from responder.process import ACCOUNT, Responder
from security.hostile_database import DENIED, Client, asks_for, hostile

PASSWORD = "over-tls-only"
TLS_REQUEST = 32  # bytes of the packet with which a client wants TLS
CLIENT = f"[client]\nuser = guarded\npassword = {PASSWORD}\n"


class Guarded(NamedTuple):
    """A node with TLS. Its account `guarded` requires TLS; its account `plain` does not."""

    node: Node
    port: int
    authority: Authority

    def at(self, host: str) -> str:
        return f"host = {host}\nport = {self.port}"


@pytest.fixture(scope="module")
def guarded(net: Net) -> Iterator[Guarded]:
    port = net.next_port()
    address = net.next_address()
    authority = Authority(net.directory / "authority")
    certificate, key = authority.certify("server", address, "::1")
    options = [
        f"--bind-address={address},::1",
        f"--port={port}",
        f"--ssl-cert={certificate}",
        f"--ssl-key={key}",
        f"--ssl-ca={authority.ca}",
    ]
    with Node(net, net.directory / "guarded", address, options=options) as node:
        node.create_account("guarded", f"IDENTIFIED BY '{PASSWORD}' REQUIRE SSL")
        node.create_account("plain")
        yield Guarded(node, port, authority)


@pytest.mark.parametrize("family", ["IPv4", "IPv6", "localhost", "xha.conf's socket"])
def test_every_way_to_the_server_gives_the_same_verdict(
    guarded: Guarded, make_responder: MakeResponder, family: str
) -> None:
    client = "[client]\nuser = plain\n"
    where = {
        "IPv4": guarded.at(guarded.node.address),
        "IPv6": guarded.at("::1"),
        "localhost": f"host = localhost\nsocket = {guarded.node.socket}",
        "xha.conf's socket": f"socket = {guarded.node.socket}",
    }[family]
    assert make_responder(client=client, database=where).verdict() == (200, "synced")


def test_host_port_and_socket_of_the_option_file_count_where_xha_conf_has_none(
    guarded: Guarded, make_responder: MakeResponder
) -> None:
    over_tcp = f"[client]\nuser = plain\nhost = {guarded.node.address}\nport = {guarded.port}\n"
    assert make_responder(client=over_tcp).verdict() == (200, "synced")
    assert make_responder(client=f"[client]\nuser = plain\nsocket = {guarded.node.socket}\n").verdict()[0] == 200


@pytest.mark.parametrize(
    "options",
    ["ssl", "ssl-ca = {ca}", "ssl-ca = {ca}\nssl-verify-server-cert", "ssl-mode = VERIFY_IDENTITY\nssl-ca = {ca}"],
)
@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_an_account_that_requires_tls_gets_in_by_tls(
    guarded: Guarded, make_responder: MakeResponder, options: str, family: str
) -> None:
    client = CLIENT + options.format(ca=guarded.authority.ca)
    where = guarded.at("::1" if family == "IPv6" else guarded.node.address)
    assert make_responder(client=client, database=where).verdict() == (200, "synced")


PREFERRED = ["", "ssl-mode = PREFERRED", "ssl-cipher = ECDHE-RSA-AES256-GCM-SHA384", "ssl-verify-server-cert = 0"]
PLAIN = ["skip-ssl", "ssl = 0", "ssl-mode = DISABLED"]


@pytest.mark.parametrize("options", PREFERRED)
def test_tls_is_used_where_the_server_offers_it(guarded: Guarded, make_responder: MakeResponder, options: str) -> None:
    responder = make_responder(client=CLIENT + options, database=guarded.at(guarded.node.address))
    assert responder.verdict() == (200, "synced")


@pytest.mark.parametrize("options", PLAIN)
def test_an_account_that_requires_tls_is_denied_without_it(
    guarded: Guarded, make_responder: MakeResponder, options: str
) -> None:
    responder = make_responder(client=CLIENT + options, database=guarded.at(guarded.node.address))
    assert responder.verdict() == (503, "access-denied")
    assert "the login was not encrypted" in message_of(responder)


def message_of(responder: Responder) -> str:
    return str(json.loads(responder.ask("/node").body)["verdict"]["message"])


@pytest.fixture
def secure_only(guarded: Guarded) -> Iterator[Guarded]:
    """The node refuses whoever comes neither by TLS nor by the unix socket."""
    guarded.node.sql("SET GLOBAL require_secure_transport = ON")
    yield guarded
    guarded.node.sql("SET GLOBAL require_secure_transport = OFF")


@pytest.mark.parametrize("options", [*PREFERRED, "ssl"])
def test_a_server_that_requires_tls_of_everybody_lets_the_check_in(
    secure_only: Guarded, make_responder: MakeResponder, options: str
) -> None:
    client = f"[client]\nuser = plain\n{options}\n"
    responder = make_responder(client=client, database=secure_only.at(secure_only.node.address))
    assert responder.verdict() == (200, "synced")


def test_the_unix_socket_is_as_good_as_tls(secure_only: Guarded, make_responder: MakeResponder) -> None:
    where = f"socket = {secure_only.node.socket}"
    assert make_responder(client="[client]\nuser = plain\n", database=where).verdict() == (200, "synced")


@pytest.mark.parametrize("options", PLAIN)
def test_a_refusal_without_tls_says_that_tls_may_be_wanted(
    secure_only: Guarded, make_responder: MakeResponder, options: str
) -> None:
    client = f"[client]\nuser = plain\n{options}\n"
    responder = make_responder(client=client, database=secure_only.at(secure_only.node.address))
    assert responder.verdict() == (503, "access-denied")
    assert "the login was not encrypted" in message_of(responder)


@pytest.mark.parametrize("options", ["", "ssl-mode = REQUIRED", "ssl-cipher = ECDHE-RSA-AES256-GCM-SHA384"])
def test_a_server_without_tls_is_enough_unless_tls_is_asked_for(
    database: Node, make_responder: MakeResponder, options: str
) -> None:
    responder = make_responder(client=f"[client]\nuser = {ACCOUNT}\n{options}\n", database=f"host = {database.address}")
    assert responder.verdict() == ((503, "config-error") if options else (200, "synced"))


def breaks_tls(client: Client) -> None:
    """Offers TLS, and closes the connection where a client wants it; who comes without is denied."""
    client.send(client.greeting())
    if len(client.receive()) > TLS_REQUEST:
        client.send(DENIED)


def test_a_server_whose_tls_does_not_work_is_asked_without(
    guarded: Guarded, net: Net, make_responder: MakeResponder
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # only for the flag in the greeting
    address = net.next_address()
    with hostile((address, 3306), breaks_tls, context) as server:
        responder = make_responder(client=CLIENT, database=f"host = {address}")
        assert responder.verdict() == (503, "access-denied")
        assert "this is without TLS, which failed" in message_of(responder)
        required = make_responder(client=f"{CLIENT}ssl\n", database=f"host = {address}")
        assert required.verdict()[1] != "access-denied"
    assert PASSWORD.encode() not in server.heard


def test_a_password_in_clear_text_is_not_sent_by_tls_that_nobody_verified(
    guarded: Guarded, net: Net, make_responder: MakeResponder
) -> None:
    address = net.next_address()
    certificate, key = guarded.authority.certify("unverified", address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with hostile((address, 3306), asks_for("mysql_clear_password"), context) as server:
        responder = make_responder(client=CLIENT, database=f"host = {address}")
        assert responder.verdict() == (503, "access-denied")
        assert "clear text" in message_of(responder)
    assert b"guarded" in server.heard  # it was asked, by TLS
    assert PASSWORD.encode() not in server.heard


def test_a_server_that_another_authority_signed_is_refused_and_no_password_is_sent(
    guarded: Guarded, make_responder: MakeResponder
) -> None:
    client = f"{CLIENT}ssl-ca = {guarded.authority.other_ca}\nssl-verify-server-cert\n"
    responder = make_responder(client=client, database=guarded.at(guarded.node.address))
    assert responder.verdict() == (503, "config-error")
    assert "certificate" in responder.log.read_text()
    with responder.no_growth():
        assert responder.next_verdict() == (503, "config-error")


def test_a_certificate_for_another_address_is_refused_only_where_identity_is_verified(
    guarded: Guarded, net: Net, make_responder: MakeResponder
) -> None:
    # the same server by another name: 127.0.0.0/8 is one host, its certificate names one address
    authority = guarded.authority
    certificate, key = authority.certify("elsewhere", "192.0.2.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    address = net.next_address()
    with hostile((address, 3306), asks_for("mysql_clear_password"), context) as server:
        client = f"{CLIENT}ssl-ca = {authority.ca}\n"
        verified = make_responder(client=f"{client}ssl-verify-server-cert\n", database=f"host = {address}")
        assert verified.verdict() == (503, "config-error")
        signed = make_responder(client=client, database=f"host = {address}")
        assert signed.verdict() == (503, "access-denied")
    assert PASSWORD.encode() not in server.heard


def test_a_password_in_clear_text_is_sent_over_tls_to_a_verified_server(
    guarded: Guarded, net: Net, make_responder: MakeResponder
) -> None:
    address = net.next_address()
    certificate, key = guarded.authority.certify("verified", address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with hostile((address, 3306), asks_for("mysql_clear_password"), context) as server:
        client = f"{CLIENT}ssl-ca = {guarded.authority.ca}\nssl-verify-server-cert\n"
        make_responder(client=client, database=f"host = {address}").verdict()
    assert PASSWORD.encode() in server.heard  # PAM and LDAP accounts work only where that is safe


def test_a_certificate_authority_that_is_not_there_is_a_configuration_error(
    guarded: Guarded, make_responder: MakeResponder
) -> None:
    responder = make_responder(
        client=f"{CLIENT}ssl-ca = /nonexistent/ca.pem\n", database=guarded.at(guarded.node.address)
    )
    assert responder.verdict() == (503, "config-error")
    assert responder.lines("ssl-ca")
