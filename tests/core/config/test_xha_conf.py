"""xha.conf: a text gives a Config, or a ConfigError that says where the fault is."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xha.core.config.sections import ServiceSection
from xha.core.config.xha_conf import Config, Database, ProbeSwitch, Responder, parse_config
from xha.core.http.clustercheck_body import Body
from xha.core.node.verdict import LastNode, Policy
from xha.core.text.values import ConfigError, parse_address, parse_networks, parse_port, parse_switch

PATH = "/etc/xha/xha.conf"

FULL = """
# everything at once
[database]
defaults_file = /etc/xha/other.cnf
socket = /run/mysqld/mysqld.sock
host = db1
port = 3307
probe_query = SELECT 1 FROM app.heartbeat
server_user = galera
commit_probe = off
resource = p_mysql
[policy]
available_when_donor = 1
available_when_readonly = off
last_node = haproxy
[responder]
listen = 0.0.0.0:49000, [::]:49000
    127.0.0.1:49001
max_age = 0ms
deadline = 800ms
hang_reset = 1m
stall_after = 8s
body = redhat
allow_from = 192.0.2.0/24 2001:db8::/32
detail_from = 192.0.2.7
disabled_file = /run/xha/disabled
legacy_disabled_file = /var/tmp/clustercheck.disabled
drain_file = /run/drain
services_directory = /run/xha/other
commit_file = /run/xha/other.json
history_file = /run/xha/other
answer_silent = 500ms
[cluster]
members = db1, db2:3307 [fd00::3]:3306
"""


def test_every_key_has_its_place() -> None:
    assert parse_config(FULL, PATH) == Config(
        Database(
            "/etc/xha/other.cnf",
            "/run/mysqld/mysqld.sock",
            "db1",
            3307,
            "SELECT 1 FROM app.heartbeat",
            "galera",
            ProbeSwitch.OFF,
            "p_mysql",
        ),
        Policy(True, False, LastNode.HAPROXY),
        Responder(
            listen=(("0.0.0.0", 49000), ("::", 49000), ("127.0.0.1", 49001)),
            max_age=0.0,
            deadline=0.8,
            hang_reset=60.0,
            stall_after=8.0,
            body=Body.REDHAT,
            allow_from=(ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")),
            detail_from=(ip_network("192.0.2.7/32"),),
            disabled_file="/run/xha/disabled",
            legacy_disabled_file="/var/tmp/clustercheck.disabled",
            drain_file="/run/drain",
            services_directory="/run/xha/other",
            commit_file="/run/xha/other.json",
            history_file="/run/xha/other",
            answer_silent=0.5,
        ),
        ("db1", "db2:3307", "[fd00::3]:3306"),
    )


@pytest.mark.parametrize("text", ["", "# a comment\n; another\n", "[database]\n[policy]\n[responder]\n[cluster]\n"])
def test_what_is_not_said_is_the_default(text: str) -> None:
    config = parse_config(text, PATH)
    assert config == Config()
    assert config.database == Database("/etc/xha/client.cnf", None, None, None, "SELECT 1 FROM (SELECT 1) t")
    assert config.policy == Policy(False, True, LastNode.CLUSTER)
    assert config.responder[:8] == ((), 0.1, 1.0, 10.0, 5.0, Body.PERCONA, (), ())
    assert config.responder[8:] == (
        "/etc/xha/disabled",
        None,
        "/run/xha/drain",
        "/run/xha/services",
        "/run/xha/responder/commit.json",
        "/var/lib/xha/responder/history",
        None,
    )
    assert config.members == ()


@pytest.mark.parametrize("text", ["off", "OFF"])
def test_silence_is_not_answered_where_it_is_off(text: str) -> None:
    assert parse_config(f"[responder]\nanswer_silent = {text}\n", PATH).responder.answer_silent is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param("[databse]\n", ["databse", "database, policy"], id="unknown section"),
        pytest.param("[Database]\n", ["Database"], id="sections are lower case"),
        pytest.param("[DEFAULT]\nport = 1\n", ["DEFAULT"], id="there is no section of defaults"),
        pytest.param("[database]\nserver_user = my sql\n", ["server_user", "'my sql'", "/etc/passwd"], id="account"),
        pytest.param("[database]\npasword = x\n", ["[database]", "'pasword'", "defaults_file"], id="unknown key"),
        pytest.param("[policy]\nport = 1\n", ["[policy]", "'port'"], id="a key of another section"),
        pytest.param("[database]\nport = 1\nport = 2\n", ["database", "port"], id="a key twice"),
        pytest.param("[database]\nport = 1\nPORT = 2\n", ["database", "port"], id="a key twice, in capitals"),
        pytest.param("[policy]\n[policy]\n", ["policy"], id="a section twice"),
        pytest.param("port = 3306\n", ["line"], id="a key before the first section"),
        pytest.param("[database]\nport\n", ["port"], id="a key without a value"),
        pytest.param("[database]\nport =\n", ["[database] port:"], id="an empty port"),
        pytest.param("[database]\nport = 0\n", ["[database] port:", "'0'"], id="port 0"),
        pytest.param("[database]\nport = 65536\n", ["[database] port:", "'65536'"], id="a port too high"),
        pytest.param("[database]\nport = 000003306\n", ["[database] port:"], id="a port with zeros in front"),
        pytest.param("[database]\nhost =\n", ["[database] host:"], id="an empty host"),
        pytest.param("[database]\nsocket = mysqld.sock\n", ["[database] socket:", "mysqld.sock"], id="a relative path"),
        pytest.param("[policy]\navailable_when_donor = 2\n", ["[policy] available_when_donor:", "'2'"], id="no switch"),
        pytest.param("[policy]\nlast_node = yes\n", ["[policy] last_node:", "0, 1, haproxy"], id="no such rule"),
        pytest.param("[responder]\nmax_age = 100\n", ["[responder] max_age:", "'100'"], id="a number without unit"),
        pytest.param("[responder]\nmax_age = 1s ; a note\n", ["[responder] max_age:"], id="a comment behind a value"),
        pytest.param("[responder]\ndeadline = 0s\n", ["[responder] deadline:", "more than 0"], id="no deadline"),
        pytest.param("[responder]\nhang_reset = 0s\n", ["[responder] hang_reset:"], id="no time before a reset"),
        pytest.param("[responder]\nanswer_silent = yes\n", ["[responder] answer_silent:", "'yes'"], id="no duration"),
        pytest.param("[responder]\nanswer_silent = 0s\n", ["answer_silent:", "more than 0"], id="at once"),
        pytest.param("[responder]\nanswer_silent = 5s\n", ["answer_silent:", "less than 5s", "408"], id="too late"),
        pytest.param("[responder]\nbody = debian\n", ["[responder] body:", "percona, redhat"], id="no such family"),
        pytest.param("[responder]\nlisten = 49000\n", ["[responder] listen:", "ADDRESS:PORT"], id="a port alone"),
        pytest.param(
            "[responder]\nlisten = ::1:80\n", ["[responder] listen:", "[::]:49000"], id="IPv6 without brackets"
        ),
        pytest.param("[responder]\nlisten = []:80\n", ["[responder] listen:"], id="brackets around nothing"),
        pytest.param("[responder]\nlisten = [::1:80\n", ["[responder] listen:"], id="half of the brackets"),
        pytest.param("[responder]\nallow_from = lb1\n", ["[responder] allow_from:", "lb1"], id="a name is no network"),
        pytest.param(
            "[responder]\nallow_from = 10.0.0.1/8\n", ["[responder] allow_from:", "10.0.0.1/8"], id="host bits"
        ),
    ],
)
def test_every_error_names_file_section_and_key(text: str, named: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        parse_config(text, PATH)
    message = str(error.value)
    assert message.startswith(f"{PATH}: ") or PATH in message
    assert "\n" not in message
    for name in named:
        assert name in message


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        pytest.param("[service x]\nkind = y\nKEY = v\n", [("service x", (("kind", "y"), ("key", "v")), "")], id="kept"),
        pytest.param("[service A/b]\n", [("service A/b", (), "")], id="a name that is none"),
        pytest.param(
            "[service a]\nfall = 1\n[service a]\nfall = 2\n",
            [("service a", (("fall", "2"),), ""), ("service a", (("fall", "1"),), "")],
            id="begun twice",
        ),
        pytest.param(
            "[service a]\n\nfall = 1\nfall = 2\n[service b]\n",
            [("service a", (), "[service a] fall: said twice, the second time on line 5"), ("service b", (), "")],
            id="a key twice",
        ),
        pytest.param(
            "[service a]\nfall 1\n",
            [("service a", (), "[service a]: line 3: neither a [section] nor KEY = VALUE")],
            id="no key and value",
        ),
        pytest.param(
            "[service a\nfall = 1\n",
            [("service a", (), "[service a: line 2: the bracket at its end is missing")],
            id="[",
        ),
        pytest.param(
            "[service a]\nfall\n  [service b]\n",
            [("service a", (), "[service a]: line 3: neither a [section] nor KEY = VALUE"), ("service b", (), "")],
            id="an indented section after it",
        ),
    ],
)
def test_a_service_s_section_is_kept_and_is_no_error_of_the_file(text: str, sections: list[tuple[Any, ...]]) -> None:
    for whole in (f"[policy]\n{text}", f"[policy]\n{text}[database]\nhost = db1\n[responder]\n"):
        config = parse_config(whole, PATH)
        assert config.service_sections == tuple(ServiceSection(PATH, *one) for one in sections)
        assert config.database.host == ("db1" if "db1" in whole else None)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[service a]\nfall 1\n[databse]\n", "unknown section 'databse'"),
        ("[service a]\nfall 1\n[database]\nport\n", "line 4: neither a [section] nor KEY = VALUE: port lacks"),
        ("[service a]\n[service a]\n[database]\n[database]\n", "[database]: begun twice, the second time on line 4"),
        ("fall 1\n[service a]\n[service a]\n", "line 1: a line before the first [section]"),
        ("[services a]\n", "unknown section 'services a'"),
    ],
)
def test_beside_a_wrong_service_s_section_an_error_of_the_file_is_told_by_its_own_line(text: str, named: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_config(text, PATH)
    assert named in str(error.value)


def test_an_error_is_one_line_that_any_log_can_take() -> None:
    with pytest.raises(ConfigError) as error:
        parse_config("[\udcff\x1b]\n", PATH)
    assert str(error.value).isprintable()


SECTIONS = ["database", "policy", "responder", "cluster", "other", "DEFAULT", "service mysql", "service "]
KEYS = ["port", "host", "socket", "listen", "max_age", "body", "allow_from", "last_node", "members", "probe_query"]
LINES = st.one_of(
    st.sampled_from(SECTIONS).map("[{}]".format),
    st.tuples(st.sampled_from(KEYS), st.sampled_from(["=", ":", ""]), st.text(max_size=20)).map("".join),
    st.tuples(st.sampled_from(KEYS), st.just(" = "), st.sampled_from(["1", "1s", "::/0", "/x", "haproxy"])).map(
        "".join
    ),
    st.text(max_size=20),
    st.text(max_size=10).map("  {}".format),
)


@given(st.lists(LINES, max_size=8).map("\n".join) | st.text())
@example("[a]\n  b")
@example("[database]\nport\n  1")
@example("[database]\n\ufeffhost = x")
def test_any_text_is_a_config_or_a_config_error(text: str) -> None:
    try:
        config = parse_config(text, PATH)
    except ConfigError as error:
        config, message = Config(), str(error)
        message.encode()
    else:
        message = PATH
    assert PATH in message
    assert "\n" not in message
    assert isinstance(config, Config)
    assert config.responder.deadline > 0


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0.0.0.0:49000", ("0.0.0.0", 49000)),
        ("[::]:49000", ("::", 49000)),
        ("[fe80::1%eth0]:1", ("fe80::1%eth0", 1)),
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@given(st.text(max_size=30) | st.from_regex(r"\[?[a-z0-9:.]{0,12}\]?:\d{0,8}", fullmatch=True))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        host, port = parse_address(text)
    except ValueError:
        return
    assert host
    assert not set("[]") & set(host)
    assert 1 <= port <= 65535


@given(st.text(max_size=12) | st.integers(-10, 10**9).map(str) | st.from_regex(r"0*\d{1,6}", fullmatch=True))
def test_any_text_is_a_port_or_refused(text: str) -> None:
    try:
        port = parse_port(text)
    except ValueError:
        return
    assert 1 <= port <= 65535
    assert int(text) == port


@pytest.mark.parametrize(("words", "value"), [(["1", "on", "Yes", "TRUE"], True), (["0", "off", "No", "FALSE"], False)])
def test_a_switch_has_synonyms(words: list[str], value: bool) -> None:
    assert {parse_switch(word) for word in words} == {value}


@given(st.lists(st.ip_addresses(), max_size=4))
def test_a_list_of_networks_is_separated_by_commas_or_blanks(addresses: list[Any]) -> None:
    networks = tuple(ip_network(address) for address in addresses)
    assert parse_networks(" ".join(map(str, addresses))) == networks
    assert parse_networks(", ".join(map(str, addresses))) == networks


def test_another_host_is_read_with_our_account_and_without_our_files() -> None:
    config = parse_config(FULL, PATH)
    other = config.of_member("db2", None)
    assert other.database == config.database._replace(socket=None, host="db2")
    files = other.responder
    assert (files.disabled_file, files.legacy_disabled_file, files.drain_file) == (None, None, None)
    assert config.of_member("db2", 3308).database.port == 3308
