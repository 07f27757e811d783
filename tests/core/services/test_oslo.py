"""The wire format of oslo.messaging, its transport URLs, and the files with these URLs."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.services.rabbitmq.login import AmqpError, AmqpFault, Login
from xha.core.services.workers.oslo_config import parse_messaging, parse_options
from xha.core.services.workers.oslo_rpc import Answered, RpcReply, RpcTarget, decode_reply, encode_call, nova_target
from xha.core.services.workers.oslo_url import TlsOptions, parse_transport


def test_a_call_is_byte_for_byte_what_was_measured() -> None:
    body = json.loads(encode_call(nova_target("conductor", "ctl1"), "m1", "reply_1", "u1"))
    assert body["oslo.version"] == "2.0"
    assert json.loads(body["oslo.message"]) == {
        "method": "ping",
        "args": {"arg": "xha"},
        "version": "1.0",
        "namespace": "baseapi",
        "_msg_id": "m1",
        "_reply_q": "reply_1",
        "_timeout": None,
        "_unique_id": "u1",
    }


def test_without_a_namespace_there_is_none_in_the_call() -> None:
    message = json.loads(
        json.loads(encode_call(RpcTarget("openstack", "cinder-volume", "c@lvm"), "m", "r", "u"))["oslo.message"]
    )
    assert "namespace" not in message
    assert message["method"] == "oslo_rpc_server_ping"


def test_the_queues_of_a_server() -> None:
    target = RpcTarget("openstack", "cinder-volume", "ctl1@lvm")
    assert (target.queue, target.instance_queue) == ("cinder-volume.ctl1@lvm", "cinder-volume.ctl1@lvm.ctl1")


def reply(**fields: object) -> bytes:
    return json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps({"_msg_id": "m", **fields})}).encode()


def failure(name: str) -> str:
    return json.dumps({"class": name, "module": "oslo_messaging.rpc.dispatcher", "message": "Endpoint ...", "tb": []})


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"result": {"service": "conductor"}, "ending": True}, RpcReply(Answered.PONG, '{"service": "conductor"}')),
        ({"result": None, "failure": None, "ending": True}, RpcReply(Answered.PONG, "null")),
        ({"result": "pong"}, RpcReply(Answered.PONG, '"pong"')),
        ({"failure": failure("NoSuchMethod"), "ending": True}, RpcReply(Answered.REFUSED, "NoSuchMethod")),
        ({"failure": failure("UnsupportedVersion")}, RpcReply(Answered.REFUSED, "UnsupportedVersion")),
        ({"failure": failure("DBError")}, RpcReply(Answered.FAILED, "DBError: Endpoint ...")),
        ({"result": None, "failure": None, "ending": False}, None),  # a heartbeat
        ({"_msg_id": "another", "result": 1}, None),
        ({"failure": "no JSON"}, None),
    ],
)
def test_answers(fields: dict[str, object], answer: RpcReply | None) -> None:
    assert decode_reply(reply(**fields), "m") == answer


def test_an_answer_without_an_envelope() -> None:
    assert decode_reply(b'{"_msg_id": "m", "result": 1}', "m") == RpcReply(Answered.PONG, "1")


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode) | st.sampled_from([b"[]", b"3", b'"x"', b"null"]))
def test_rubbish_is_no_answer(body: bytes) -> None:
    assert decode_reply(body, "m") is None


def test_a_transport_url_of_one_broker() -> None:
    assert parse_transport("rabbit://openstack:pw@10.0.0.1:5673/") == (Login("10.0.0.1", 5673, "openstack", "pw"),)


def test_a_transport_url_of_several_with_everything() -> None:
    url = "kombu+rabbit://a:p%40ss@h1:5671,b:qr%3A@[fd00::2]/nova%2Fx?ssl=1&heartbeat=2"
    assert parse_transport(url) == (
        Login("h1", 5671, "a", "p@ss", "nova/x", True),
        Login("fd00::2", 5672, "b", "qr:", "nova/x", True),  # TLS does not change the port (seen on the wire)
    )


def test_tls_in_the_url_comes_before_that_in_the_file() -> None:
    tls = TlsOptions(True, "/ca", "/cert", "/key")
    assert not parse_transport("rabbit://a:b@h/?ssl=0", tls)[0].tls
    assert parse_transport("rabbit://a:b@h/", tls)[0] == Login("h", 5672, "a", "b", "/", True, "/ca", "/cert", "/key")
    own = parse_transport("rabbit://a:b@h/?ssl_ca_file=/own%20ca&ssl_key_file=/k", tls)[0]
    assert (own.ca_file, own.cert_file, own.key_file) == ("/own ca", "/cert", "/k")


def test_what_a_url_does_not_say_is_kombu_s() -> None:
    assert parse_transport("rabbit://") == (Login("localhost", 5672, "guest", "guest"),)
    assert parse_transport("rabbit://u:p@/") == (Login("localhost", 5672, "u", "p"),)
    assert parse_transport("rabbit://h1,,h2/")[1] == Login("h2", 5672, "guest", "guest")


@pytest.mark.parametrize(
    "url",
    [
        "rabbit://u:S3CRET%2F@h",
        "http://u:S3CRET@h/",
        "rabbit://u:S3CRET@h:99999/",
        "rabbit://u:S3CRET@h:port/",
        "rabbit://u:S3CRET@h:/",
        "rabbit://u:S3CRET@[::1/",
        "rabbit://u:S3CRET@h/?ssl=S3CRET",
        "S3CRET",
        "",
    ],
)
def test_a_bad_transport_url_is_not_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="transport_url") as caught:
        parse_transport(url)
    assert "S3CRET" not in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_a_url_or_a_value_error_without_the_text(text: str) -> None:
    assert "S3CRET" not in complaint(f"rabbit://u:S3CRET{text}@h")


def complaint(url: str) -> str:
    try:
        parse_transport(url)
    except ValueError as error:
        return str(error)
    return ""


def test_a_login_s_text_holds_no_password() -> None:
    login = Login("h", 5672, "u", "S3CRET")
    assert "S3CRET" not in f"{login} {login!r} {[login]} {AmqpError(login, AmqpFault.ACCOUNT)}"


NOVA = """\
# a comment
[DEFAULT]
transport_url = rabbit://first:x@h1/
my_ip = 10.0.0.5
host: ctl1
debug =
transport_url = "rabbit://nova:pa$$w@$my_ip:5672/
[cells]
host = not-this-one
[oslo_messaging_rabbit]
ssl = True
ssl_ca_file = /etc/ca.pem
"""


def test_nova_s_file() -> None:
    text = NOVA.replace('"rabbit', "rabbit")
    messaging = parse_messaging(parse_options(text))
    assert messaging.host == "ctl1"
    assert messaging.exchange is None
    assert messaging.brokers == (Login("10.0.0.5", 5672, "nova", "pa$w", "/", True, "/etc/ca.pem"),)


def test_quotes_and_lines_that_go_on() -> None:
    options = parse_options('[DEFAULT]\nname = "quoted"\nlist = a,\n   b\n  # c\n\n; x\n[S]\nname=2')
    assert options == {("DEFAULT", "name"): "quoted", ("DEFAULT", "list"): "a,\nb\n# c", ("s", "name"): "2"}


@pytest.mark.parametrize(
    "text", ["name = 1", "[DEFAULT]\ndebug", "[DEFAULT]\n= 1", "[]", "[s", "[DEFAULT]\na = 1\n\n  b", "  a = 1"]
)
def test_a_file_with_which_no_service_starts_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"^line \d") as caught:
        parse_options(text)
    assert "debug" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "password"),
    [
        (r"pa$$w", "pa$w"),
        (r"pa\$w", "pa$w"),
        (r"pa\$name", "pa$name"),
        ("$name", "bare"),
        ("${name}x", "barex"),
        ("${other.name}", "theirs"),
        ("$twice", "bare"),
        ("a$", "a$"),
    ],
)
def test_what_a_value_refers_to(value: str, password: str) -> None:
    text = f"[DEFAULT]\ntransport_url=rabbit://u:{value}@h/\nname=bare\ntwice=$name\n[other]\nname=theirs"
    assert parse_messaging(parse_options(text)).brokers[0].password == password


@pytest.mark.parametrize("value", ["$nothing", "${other.name}", "$transport_url"])
def test_what_the_file_does_not_set_is_not_guessed(value: str) -> None:
    with pytest.raises(ValueError, match=r"^transport_url: refers to"):
        parse_messaging(parse_options(f"[DEFAULT]\ntransport_url=rabbit://u:S3CRET@{value}/"))


def test_cinder_s_back_ends() -> None:
    text = (
        "[DEFAULT]\nhost = ctl1\nenabled_backends = lvm, ceph\ntransport_url=rabbit://a:b@h\n[ceph]\nbackend_host = ha"
    )
    assert parse_messaging(parse_options(text)).backends == ("ctl1@lvm", "ha@ceph")


def test_the_options_of_old() -> None:
    text = (
        "[DEFAULT]\nrabbit_hosts = 10.0.0.1:5673, 10.0.0.2\nrabbit_userid = openstack\nrabbit_password = pw\n"
        "rabbit_virtual_host = nova\ncontrol_exchange = mine"
    )
    messaging = parse_messaging(parse_options(text))
    assert messaging.brokers == (
        Login("10.0.0.1", 5673, "openstack", "pw", "nova"),
        Login("10.0.0.2", 5672, "openstack", "pw", "nova"),
    )
    assert messaging.exchange == "mine"
    only = parse_messaging(parse_options("[oslo_messaging_rabbit]\nrabbit_host = h\nrabbit_use_ssl = true"))
    assert only.brokers == (Login("h", 5671, "guest", "guest", "/", True),)


def test_a_file_without_messaging_has_no_brokers() -> None:
    assert parse_messaging(parse_options("[DEFAULT]\ndebug = true")).brokers == ()


@given(st.text(alphabet="[]=:#; \n\tab$\"'", max_size=60))
def test_any_text_is_read_as_options(text: str) -> None:
    with suppress(ValueError):
        parse_messaging(parse_options(text))
