"""xha.conf and client.cnf: an error is answered, named in the log, and gone with the first probe after the fix."""

from __future__ import annotations

import os

import pytest

from loopback import Node
from loopback.files import put
from responder.conftest import MakeResponder
from responder.process import Responder

MISTAKES = {
    "[responder]\nmax_agee = 1s\n": ["[responder]", "max_agee"],
    "[responder]\nmax_age = soon\n": ["[responder]", "max_age", "soon"],
    "[responder]\ndeadline = 0s\n": ["[responder]", "deadline"],
    "[responder]\nallow_from = 10.0.0.0/33\n": ["[responder]", "allow_from", "10.0.0.0/33"],
    "[responder]\nbody = html\n": ["[responder]", "body", "html"],
    "[database]\nport = 99999\n": ["[database]", "port", "99999"],
    "[database]\nsocket = relative\n": ["[database]", "socket", "relative"],
    "[policy]\nlast_node = maybe\n": ["[policy]", "last_node", "maybe"],
    "[policy]\navailable_when_donor = 2\n": ["[policy]", "available_when_donor", "'2'"],
    "[polices]\nlast_node = 1\n": ["polices"],
    "[policy]\nlast_node = 1\nlast_node = 0\n": ["last_node"],
    "[policy\n": ["line 1"],
    "no section\n": ["line 1"],
    "\0\xff\xfe": [""],
    "[database]\npassword s3cret\n": ["line 2"],
}


@pytest.mark.parametrize("text", MISTAKES, ids=repr)
def test_a_mistake_in_the_file_is_config_error_with_file_section_and_key_in_the_log_until_it_is_mended(
    database: Node, make_responder: MakeResponder, text: str
) -> None:
    responder = make_responder(database)
    assert responder.verdict() == (200, "synced")
    with responder.no_growth():
        put(responder.config, text.encode("latin-1"))
        assert responder.next_verdict() == (503, "config-error")
        assert responder.ask("/live").status == 503
        assert responder.next_verdict() == (503, "config-error")
        [line] = responder.lines("out of service: config-error")
        assert [word for word in (str(responder.config), *MISTAKES[text]) if word not in line] == []
        assert "s3cret" not in line  # the content of a wrong file may be there by mistake
        put(responder.config, responder.settings)
        assert responder.next_verdict() == (200, "synced")


WRONG_SERVICES = [
    "[service mysql]\nurl = http://x\n",
    "[service memcached]\nport = s3cret\n",
    "[service keystone]\nlevel = full\n[service keystone]\n",
    "[service nova]\n",
    "[service A/b]\nkind = mysql\n",
    "[service mysql]\nfall = 1\nfall = 2\n",
    "[service mysql]\npassword s3cret\n",
    "[service mysql\nfall = 1\n",
]


@pytest.mark.parametrize("text", WRONG_SERVICES, ids=repr)
def test_a_mistake_in_a_service_s_section_is_no_fault_of_the_node_s(
    database: Node, make_responder: MakeResponder, text: str
) -> None:
    responder = make_responder(database)
    with responder.no_growth():
        for wrong in (f"{text}{responder.settings}", f"{responder.settings}{text}"):
            put(responder.config, wrong)
            assert responder.next_verdict() == (200, "synced")
            assert responder.ask("/").status == responder.ask("/live").status == 200
    responder.stop()
    responder.start()
    assert responder.verdict() == (200, "synced")
    assert responder.lines("config-error") == []


def test_a_second_mistake_is_logged_when_the_first_is_mended(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database)
    for key in ("first", "second"):
        put(responder.config, f"{responder.settings}{key} = 1\n")
        assert responder.next_verdict() == (503, "config-error")
        assert responder.lines(f"'{key}'")


def remove(responder: Responder) -> None:
    responder.config.unlink()


def forbid(responder: Responder) -> None:
    responder.config.chmod(0)


def make_directory(responder: Responder) -> None:
    responder.config.unlink()
    responder.config.mkdir()


@pytest.mark.parametrize(
    ("harm", "words"),
    [(remove, "no such file"), (forbid, "permission denied"), (make_directory, "is a directory")],
)
def test_a_file_that_is_missing_or_unreadable_is_config_error_until_it_is_there(
    database: Node, make_responder: MakeResponder, harm: object, words: str
) -> None:
    responder = make_responder(database)
    assert responder.verdict() == (200, "synced")
    with responder.no_growth():
        harm(responder)  # type: ignore[operator]
        assert responder.next_verdict() == (503, "config-error")
        assert responder.lines(f"{responder.config}: {words}")
        if responder.config.is_dir():
            responder.config.rmdir()
        put(responder.config, responder.settings, 0o644)
        assert responder.next_verdict() == (200, "synced")


@pytest.mark.parametrize("harm", [remove, forbid, make_directory])
def test_a_responder_that_starts_with_a_wrong_file_answers_and_recovers(
    database: Node, make_responder: MakeResponder, harm: object
) -> None:
    responder = make_responder(database)
    responder.stop()
    harm(responder)  # type: ignore[operator]
    responder.start()
    assert responder.verdict() == (503, "config-error")
    if responder.config.is_dir():
        responder.config.rmdir()
    put(responder.config, responder.settings, 0o644)
    assert responder.next_verdict() == (200, "synced")


def test_a_mistake_does_not_open_the_door_to_whom_the_file_kept_out(
    database: Node, make_responder: MakeResponder
) -> None:
    responder = make_responder(database, responder="allow_from = 192.0.2.0/24")
    assert responder.ask().status == 403
    put(responder.config, f"{responder.settings}mistake = 1\n")
    responder.outlive_reading()
    assert [responder.ask().status for _ in range(2)] == [403, 403]


def test_a_changed_file_holds_from_the_next_reading_on(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database)
    assert responder.ask().body.startswith("Percona")
    put(responder.config, responder.settings + "body = redhat\n")
    responder.outlive_reading()
    assert responder.ask().body.startswith("Galera")


def test_a_change_of_the_database_is_followed(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database)
    assert responder.verdict() == (200, "synced")
    put(responder.config, responder.settings.replace(str(database.socket), "/nonexistent.sock"))
    assert responder.next_verdict() == (503, "server-down")
    put(responder.config, responder.settings)
    assert responder.next_verdict() == (200, "synced")


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("user = before-the-group\n", 0o640, "before the first"),
        ("[client\nuser = xha\n", 0o640, "bracket"),
        ("[client]\nport = many\n", 0o640, "port"),
        ("[client]\nuser = xha\n", 0o666, "chmod 0640"),
        ("[client]\nuser = xha\n", 0o000, "permission denied"),
        ("!includedir /nonexistent\n", 0o640, "/nonexistent"),
    ],
)
def test_an_option_file_that_cannot_be_used_is_config_error_and_named(
    database: Node, make_responder: MakeResponder, text: str, mode: int, words: str
) -> None:
    responder = make_responder(database, client=text)
    responder.client.chmod(mode)
    assert responder.verdict() == (503, "config-error")
    [line] = responder.lines("out of service: config-error")
    assert words in line
    with responder.no_growth():
        assert responder.next_verdict() == (503, "config-error")


def test_a_probe_query_that_names_no_table_is_config_error_and_a_real_table_is_asked(
    database: Node, make_responder: MakeResponder
) -> None:
    responder = make_responder(database, database="probe_query = SELECT 1 FROM nowhere.at_all")
    assert responder.verdict() == (503, "config-error")
    assert responder.lines("probe_query")
    with responder.no_growth():
        assert responder.next_verdict() == (503, "config-error")
    put(responder.config, responder.settings.replace("nowhere.at_all", "information_schema.engines LIMIT 1"))
    assert responder.next_verdict() == (200, "synced")


def test_a_password_that_everybody_may_read_is_a_warning(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database, client="[client]\nuser = xha\npassword =\n")
    os.chmod(responder.client, 0o644)
    assert responder.verdict() == (200, "synced")
    assert len(responder.lines("chmod 0640")) == 1
