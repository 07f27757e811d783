"""[service NAME] of xha.conf: every key has its place; faults name file, section and key; no secret is quoted."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.config.xha_conf import Config, parse_config
from xha.core.services.api.judge import HttpSettings
from xha.core.services.catalogue import CATALOGUE, ORDER
from xha.core.services.daemons.haproxy import ExpectedVip, HaproxySettings
from xha.core.services.model.kind import Secret, Service
from xha.core.services.model.result import Level
from xha.core.services.settings import default_service, find_service, list_names, parse_services
from xha.core.text.values import ConfigError

CHECKS = Path(__file__).parents[3] / "lib/xha/app/checks"
PATH = "/etc/xha/xha.conf"
SECRET = "Tr0ub4dor"


def service(text: str) -> Any:
    [found], faults = parse_services(parse_config(text, PATH))
    assert faults == ()
    return found


def test_an_empty_section_is_the_kind_s_defaults() -> None:
    for name in CATALOGUE:
        assert service(f"[service {name}]\n") == find_service(name, Config())
        assert default_service(name).deadline == CATALOGUE[name].defaults.get("deadline", 5.0)


def test_keys_of_every_kind() -> None:
    found = service(
        "[service api-2]\nkind = nova-api\nlevel = deep\ninterval = 3s\ndeadline = 2s\nfall = 5\ngrace = 3m\n"
        "process = ^/opt/nova-api( |$)\n"
    )
    assert (found.name, found.kind, found.level, found.interval, found.fall, found.grace) == (
        "api-2",
        "nova-api",
        Level.DEEP,
        3.0,
        5,
        180.0,
    )
    assert (found.settings.name, found.settings.deadline, found.settings.process) == (
        "api-2",
        2.0,
        "^/opt/nova-api( |$)",
    )
    assert found.row is CATALOGUE["nova-api"]


def test_keys_of_an_http_service() -> None:
    settings = service(
        "[service cinder-api]\nurl = https://c1:8776/volume/\npath = /ping\nexpect = 200, 204\nca_file = /ca.pem\n"
        "database = 10.0.0.5:3307\nrequired = 0\nauth_url = http://k:5000/v3\nusername = xha\nuser_domain = d\n"
        "project = p\nproject_domain = e\npassword_file = keystone\n"
    ).settings
    assert isinstance(settings, HttpSettings)
    assert (settings.url, settings.path, settings.expect) == ("https://c1:8776/volume", "/ping", (200, 204))
    assert (settings.database, settings.required, settings.ca_file) == (("10.0.0.5", 3307), False, "/ca.pem")
    assert settings.password == Secret(path="keystone")
    assert settings.protocol_request.path == "/ping"
    assert settings.protocol_request.statuses == (200, 204)


def test_keys_of_haproxy() -> None:
    settings = service(
        "[service haproxy]\nstats_socket = /s\nbackends = a b\nmax_connections_used = 80%\nvip = 10.0.0.5, fd00::5\n"
        "vip_ports = 5000 3307\nvip_expect = not-holder\n"
    ).settings
    assert settings == HaproxySettings(
        "haproxy",
        CATALOGUE["haproxy"].process,
        5.0,
        "/s",
        ("a", "b"),
        (),
        0.8,
        ("10.0.0.5", "fd00::5"),
        (5000, 3307),
        ExpectedVip.NOT_HOLDER,
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param("[service no]\n", ["[service no] has no kind", "keystone, glance-api"], id="no such kind"),
        pytest.param("[service nova]\n", ["[service nova] has no kind", "did you mean nova-api?"], id="nearly a kind"),
        pytest.param("[service mysql]\nfal = 1\n", ["[service mysql]", "did you mean fall?"], id="nearly a key"),
        pytest.param("[service x]\nkind = y\n", ["[service x] kind", "keystone"], id="a kind that there is not"),
        pytest.param("[service A/b]\nkind = mysql\n", ["[service A/b]", "a name is of"], id="no name for a file"),
        pytest.param("[service ..]\nkind = mysql\n", ["[service ..]"], id="a directory's name"),
        pytest.param("[service mysql]\n[service  mysql]\n", ["[service  mysql]", "twice"], id="twice"),
        pytest.param("[service mysql]\nport = 1\n", ["unknown key 'port' in [service mysql]"], id="another kind's key"),
        pytest.param("[service memcached]\nport = 0\n", ["[service memcached] port", "'0'"], id="a bad port"),
        pytest.param("[service mysql]\nlevel = full\n", ["[service mysql] level", "'full'"], id="no level"),
        pytest.param("[service mysql]\nfall = 0\n", ["[service mysql] fall", "'0'"], id="never falls"),
        pytest.param("[service mysql]\ninterval = 0s\n", ["[service mysql] interval"], id="all the time"),
        pytest.param("[service mysql]\ndeadline = 5\n", ["[service mysql] deadline", "'5'"], id="no unit"),
        pytest.param("[service mysql]\nprocess = mysqld\n", ["[service mysql] process", "anchored"], id="not anchored"),
        pytest.param("[service mysql]\nprocess = ^(\n", ["[service mysql] process", "regular"], id="no expression"),
        pytest.param("[service mysql]\nprocess =\n", ["[service mysql] process"], id="an empty expression"),
        pytest.param("[service keystone]\nurl = k:5000\n", ["[service keystone] url", "http://"], id="no URL"),
        pytest.param("[service keystone]\nurl = http://k:70000\n", ["[service keystone] url", "70000"], id="no port"),
        pytest.param("[service keystone]\nurl = http://k:x\n", ["[service keystone] url", "http://"], id="a word"),
        pytest.param("[service keystone]\nurl = http://[::1\n", ["[service keystone] url", "http://"], id="no bracket"),
        pytest.param("[service rabbitmq]\napi = http://[1:2]:5\n", ["[service rabbitmq] api", "1:2"], id="no IPv6"),
        pytest.param(
            f"[service keystone]\nurl = http://xha:{SECRET}@k:5000\n", ["[service keystone] url"], id="an account in it"
        ),
        pytest.param("[service keystone]\nexpect = 200 OK\n", ["[service keystone] expect", "'OK'"], id="no status"),
        pytest.param(
            "[service nova-api]\nusername = x\n", ["[service nova-api] username", "auth_url"], id="half of it"
        ),
        pytest.param(
            "[service nova-api]\npassword_file = /a\npassword_env = A\n",
            ["password_env", "leave out"],
            id="two secrets",
        ),
        pytest.param("[service nova-api]\npassword_file = a/b\n", ["password_file", "absolute"], id="a relative path"),
        pytest.param(f"[service nova-api]\npassword = {SECRET}\n", ["unknown key 'password'"], id="a secret in it"),
        pytest.param(
            f"[service nova-api]\npassword_env = {SECRET}!\n", ["[service nova-api] password_env"], id="one for a name"
        ),
        pytest.param("[service pacemaker]\ndeadline = 4s\n", ["[service pacemaker] deadline", "5s"], id="too short"),
        pytest.param("[service haproxy]\nvip = lb1\n", ["[service haproxy] vip", "lb1"], id="a name for a VIP"),
        pytest.param("[service haproxy]\nvip_ports = 80\n", ["[service haproxy] vip_ports", "vip"], id="without a VIP"),
        pytest.param("[service haproxy]\nbackends = a\nignore = b\n", ["[service haproxy] ignore"], id="both lists"),
        pytest.param("[service haproxy]\nmax_connections_used = 0.9\n", ["%"], id="no percentage"),
        pytest.param("[service mysql]\nfall = 1\nFALL = 2\n", ["[service mysql] fall", "line 3"], id="a key twice"),
        pytest.param("[service mysql]\n[service mysql]\n", ["[service mysql]", "twice"], id="twice, letter by letter"),
        pytest.param(f"[service mysql]\npassword {SECRET}\n", ["[service mysql]: line 2"], id="no key and value"),
        pytest.param("[service mysql\nfall = 1\n", ["[service mysql: line 1", "bracket"], id="an open bracket"),
        pytest.param("[service ]\n", ["[service ]", "a name is of"], id="no name at all"),
        pytest.param("[service \x1b[2J]\n", ["[service  [2J", "a name is of"], id="a terminal's cursor"),
    ],
)
def test_every_fault_names_file_section_and_key_and_is_no_other_service_s(text: str, named: list[str]) -> None:
    config = parse_config(f"{text}[service nova-conductor]\n", PATH)
    services, [fault] = parse_services(config)
    assert services == (find_service("nova-conductor", Config()),)
    assert find_service(fault.name, config) == fault
    assert fault.name in list_names(config)
    assert config == Config(service_sections=config.service_sections)
    message = fault.message
    assert message.startswith(f"{PATH}: ")
    assert (message + fault.name).isprintable()
    assert SECRET not in message
    for name in named:
        assert name in message


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[service nova-api]\nurll = x\n", "nova-api"),
        ("[service api-2]\nkind = nova-api\nurll = x\n", "nova-api"),
        ("[service api-2]\nkind = nova-apy\n", ""),
        ("[service nova-api]\nurl http://x\n", "nova-api"),
    ],
)
def test_what_kind_a_wrong_section_is_of(text: str, kind: str) -> None:
    services, [fault] = parse_services(parse_config(text, PATH))
    assert (services, fault.kind) == ((), kind)


@pytest.mark.parametrize(
    "text",
    [
        "[service a]\nkind = mysql\n[service  a]\nkind = mysql\n",
        "[service a]\nkind = mysql\n[service  a]\nkind = mysqll\n",
        "[service a]\nkind = mysqll\n[service  a]\nkind = mysql\n",
        "[service a]\nkind mysql\n[service a]\nkind = mysql\n",
        "[service a]\nkind = mysql\n" * 3,
    ],
)
def test_of_two_sections_with_one_name_nobody_knows_which_is_meant(text: str) -> None:
    services, [fault] = parse_services(parse_config(text, PATH))
    assert (services, fault.name) == ((), "a")


KEYS = sorted(
    {key for row in CATALOGUE.values() for key in row.keys} | {"kind", "level", "fall", "process", "interval"}
)
LINES = st.tuples(
    st.sampled_from(KEYS), st.just(" = "), st.text(max_size=12) | st.sampled_from(["1", "^x", "/a", "1s"])
)


@given(st.sampled_from([*CATALOGUE, "other"]), st.lists(LINES.map("".join), max_size=5))
def test_any_section_is_a_service_or_a_fault(name: str, lines: list[str]) -> None:
    try:
        config = parse_config(f"[service {name}]\n" + "\n".join(lines), PATH)
    except ConfigError:  # a value of several lines may have a line that begins another section
        assert any("[" in line for line in lines)
        return
    services, faults = parse_services(config)
    assert name in {one.name for one in services} | {one.name for one in faults}
    for fault in faults:
        assert PATH in fault.message
        assert fault.message.isprintable()
    assert isinstance(hash(config), int)


def test_the_catalogue_is_the_table() -> None:
    assert list(CATALOGUE)[: len(ORDER)] == list(ORDER)
    for name, row in CATALOGUE.items():
        assert row.name == name
        assert row.default_level in row.levels
        assert all(proof.proves for proof in row.levels.values())
        assert Level.PROCESS in row.levels or not row.process
        assert list(row.levels) == sorted(row.levels)
        assert row.complete(default_service(name).settings, Config()).name == name


def test_what_is_there_is_in_the_catalogue() -> None:
    house = CHECKS.parents[1]
    for path in sorted((house / "core/services").rglob("*.py")):
        if "\nROWS = (" in path.read_text(encoding="utf-8"):
            module = import_module(".".join(("xha", *path.relative_to(house).with_suffix("").parts)))
            assert {row.name for row in module.ROWS} <= set(CATALOGUE), (
                f"{path}: name its ROWS in _ROWS of the catalogue"
            )
    checks = {path.stem for path in CHECKS.glob("*.py") if "\ndef check(settings" in path.read_text(encoding="utf-8")}
    assert checks == {row.module for row in CATALOGUE.values()}


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=lambda row: row.name)
def test_what_checks_a_row_is_there(row: Service) -> None:
    module = CHECKS / f"{row.module}.py"
    assert module.exists(), f"lib/xha/app/checks has no {module.name}"
    assert "\ndef check(" in module.read_text(encoding="utf-8")


def test_sections_of_one_kind_know_where_the_others_are() -> None:
    text = (
        "[service memcached]\n[service sessions]\nkind = memcached\nport = 11212\n[service wrong]\nkind = memcached\n"
        "port = x\n[service rabbitmq]\n"
    )
    config = parse_config(text, PATH)
    found = {one.name: one.settings.neighbours for one in parse_services(config)[0]}
    assert found == {"memcached": (("127.0.0.1", 11212),), "sessions": (("127.0.0.1", 11211),), "rabbitmq": ()}
    # also for a kind without a section of its own
    alone = find_service("memcached", parse_config("[service sessions]\nkind = memcached\nsocket = /run/s\n", PATH))
    assert alone.settings.neighbours == ("/run/s",)  # type: ignore[union-attr]
