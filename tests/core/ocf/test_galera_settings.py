"""The agent's parameters: a stored configuration keeps its meaning, and no password is ever shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.galera.cluster_address import Peer
from xha.core.ocf.api import RESKEY
from xha.core.ocf.galera_settings import (
    PARAMETERS,
    SECRETS,
    BadParameter,
    Settings,
    load_settings,
    merge_reloaded,
    parse_settings,
    parse_settings_leniently,
    render_settings,
)

NAMES = [one.name for one in PARAMETERS]
# Meta-data of mysql-wss (fuel-library 81274177d), and of ocf:heartbeat:galera (resource-agents bf01ad08b).
MYSQL_WSS = (
    "additional_parameters binary client_binary config datadir group master_timeout pid socket test_conf test_passwd "
    "test_user user"
)
HEARTBEAT = (
    "additional_parameters binary check_passwd check_passwd_use_empty check_user client_binary cluster_host_map config "
    "datadir enable_creation group log pid socket two_node_mode user wsrep_cluster_address"
)
# The parameters that a reload may change.
RELOADABLE = (
    "test_user test_passwd test_conf check_user check_passwd check_passwd_use_empty client_binary master_timeout "
    "arbitrators start_wait view_timeout sst_stall rejoin_grace hang_grace"
)
FIXED = "binary config datadir user group pid socket additional_parameters wsrep_cluster_address"
TOKEN = "gEhEiM7431"


def environment(**values: str) -> dict[str, str]:
    return {RESKEY + name: value for name, value in values.items()}


def parse(**values: str) -> Settings:
    return parse_settings(environment(**values))


def test_the_table_and_the_settings_have_the_same_names_in_the_same_order() -> None:
    assert tuple(NAMES) == Settings._fields
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("names", [MYSQL_WSS, HEARTBEAT], ids=["mysql-wss", "heartbeat"])
def test_a_stored_configuration_keeps_its_names(names: str) -> None:
    assert set(names.split()) <= set(NAMES)


def test_what_can_be_reloaded_is_what_the_contract_says() -> None:
    reloadable = {one.name for one in PARAMETERS if one.reloadable}
    assert set(RELOADABLE.split()) <= reloadable
    assert not set(FIXED.split()) & reloadable


def test_nothing_said_and_nothing_in_it_are_the_defaults() -> None:
    assert parse_settings({}) == parse(**dict.fromkeys(NAMES, "")) == Settings()


def test_the_advertised_defaults_are_those_of_the_settings() -> None:
    assert parse(**{one.name: one.default for one in PARAMETERS}) == Settings()


GOOD: list[tuple[str, str, Any]] = [
    ("binary", "/usr/bin/mysqld_safe", "/usr/bin/mysqld_safe"),
    ("binary", "mysqld_safe", "mysqld_safe"),
    ("datadir", " /var/lib/mysql ", "/var/lib/mysql"),
    ("user", "mysql", "mysql"),
    ("test_user", "o'connor@x y", "o'connor@x y"),
    ("test_passwd", " a\tb\n'\"\\$(x) ", " a\tb\n'\"\\$(x) "),
    ("enable_creation", "true", True),
    ("enable_creation", "0", False),
    ("check_passwd_use_empty", "YES", True),
    ("two_node_mode", "false", False),
    ("master_timeout", "300", 300.0),
    ("start_wait", "0", 0.0),
    ("start_wait", "15", 15.0),
    ("start_wait", "1.5s", 1.5),
    ("sst_stall", "1h", 3600.0),
    ("hang_grace", "500ms", 0.5),
    ("wsrep_cluster_address", "gcomm://a,b?pc.wait_prim=no", "gcomm://a,b?pc.wait_prim=no"),
    ("wsrep_cluster_address", " gcomm://a, b,a,/ ", "gcomm://a,b"),
    ("arbitrators", "a, b,", (Peer("a"), Peer("b"))),
    ("cluster_host_map", "n1:g1;n2:g2;", {"n1": "g1", "n2": "g2"}),
    ("arbitrators", "arb, 10.0.0.9:4567", (Peer("arb"), Peer("10.0.0.9", 4567))),
    ("additional_parameters", "--a=1 --b  -c", ("--a=1", "--b", "-c")),
    ("additional_parameters", """--a="x y" '--b=c d'e""", ("--a=x y", "--b=c de")),
    ("additional_parameters", "--wsrep-provider-options=gcache.size=1G", ("--wsrep-provider-options=gcache.size=1G",)),
]


@pytest.mark.parametrize(("name", "text", "value"), GOOD, ids=[f"{name}={text!r}" for name, text, _ in GOOD])
def test_a_good_value(name: str, text: str, value: object) -> None:
    assert getattr(parse(**{name: text}), name) == value


BAD = [
    ("binary", "sbin/mysqld", "neither"),
    ("config", "my.cnf", "not an absolute path"),
    ("datadir", "./data", "not an absolute path"),
    ("socket", "/run/a\nb", "cannot be printed"),
    ("user", "root:root", "not the name of an account"),
    ("enable_creation", "perhaps", "neither 1 nor 0"),
    ("start_wait", "-1", "not a duration"),
    ("start_wait", "soon", "not a duration"),
    ("hang_grace", "0", "more than 0"),
    ("sst_stall", "9" * 12, "not a duration"),
    ("wsrep_cluster_address", "10.0.0.1,10.0.0.2", "gcomm://"),
    ("cluster_host_map", "n1", "no pair"),
    ("arbitrators", "a b", "no host"),
    ("log", "/" + "x" * 5000, "longer than"),
]


@pytest.mark.parametrize(("name", "text", "why"), BAD, ids=[f"{name}={text[:20]!r}" for name, text, _ in BAD])
def test_a_bad_value_is_named_with_the_remedy(name: str, text: str, why: str) -> None:
    with pytest.raises(BadParameter) as caught:
        parse(**{name: text})
    assert (caught.value.name, caught.value.value) == (name, text)
    assert str(caught.value).startswith(f"{name}: ")
    assert why in str(caught.value)
    assert caught.value.tell("p_mysql").endswith(f"pcs resource update p_mysql {name}= brings its default back")
    assert len(str(caught.value).splitlines()) == 1


def test_the_suffix_of_the_groups_needs_its_value_in_the_same_word() -> None:
    with pytest.raises(BadParameter, match="--defaults-group-suffix=SUFFIX, in one word"):
        parse(additional_parameters="--defaults-group-suffix .two")
    assert parse(additional_parameters="--defaults-group-suffix=.two").additional_parameters == (
        "--defaults-group-suffix=.two",
    )


# Each of these would start another server than the one that was judged, or a second cluster.
DANGEROUS = [
    "--wsrep-new-cluster",
    "--wsrep_new_cluster",
    "--wsrep-new",
    "--loose-wsrep-new-cluster",
    "--wsrep_cluster_address=gcomm://",
    "--wsrep-cluster-address gcomm://",
    "--wsrep-start-position=x:1",
    "--wsrep-recover",
    "--ok=1 '--wsrep-new-cluster'",
    '--wsrep-"new"-cluster',
    "--tc-heuristic-recover=commit",
    "--datadir=/elsewhere",
    "-h/elsewhere",
    "-h /elsewhere",
    "-uroot",
    "--user=root",
    "--socket=/x",
    "--pid-file=/x",
    "--log-error=/x",
    "--defaults-file=/x",
    "--no-defaults",
]


@pytest.mark.parametrize("words", DANGEROUS)
def test_what_the_agent_sets_itself_is_refused(words: str) -> None:
    with pytest.raises(BadParameter, match=r"additional_parameters: .* is not for here"):
        parse(additional_parameters=words)


@pytest.mark.parametrize("text", ["--a='b", '"', '--a=1 --b="x y'])
def test_a_quote_has_to_be_closed(text: str) -> None:
    with pytest.raises(BadParameter, match="quote is not closed"):
        parse(additional_parameters=text)


def test_an_option_s_value_is_not_told() -> None:
    with pytest.raises(BadParameter) as caught:
        parse(additional_parameters=f"--wsrep-sst-auth=sst:{TOKEN} --datadir={TOKEN}")
    assert TOKEN not in str(caught.value)


def test_stop_gets_all_that_can_be_used() -> None:
    settings, bad = parse_settings_leniently(environment(datadir="/data", start_wait="x", hang_grace="y", user="u"))
    assert [one.name for one in bad] == ["start_wait", "hang_grace"]
    assert settings == Settings(datadir="/data", user="u")


ANYTHING = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


@given(
    secrets=st.fixed_dictionaries(dict.fromkeys(SECRETS, st.tuples(ANYTHING, ANYTHING))),
    others=st.dictionaries(st.sampled_from([name for name in NAMES if name not in SECRETS]), ANYTHING),
)
def test_no_password_is_ever_told(secrets: dict[str, tuple[str, str]], others: dict[str, str]) -> None:
    hidden = {name: f"{before}{TOKEN}{after}" for name, (before, after) in secrets.items()}
    settings, bad = parse_settings_leniently(environment(**others, **hidden))
    assert {name: getattr(settings, name) for name in SECRETS} == hidden
    told = [repr(settings), str(settings), f"{settings}", *(str(one) + repr(one) + one.value for one in bad)]
    assert [text for text in told if TOKEN in text] == []


SECONDS = st.floats(0.001, 1e9)
HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
SETTINGS = st.builds(
    Settings,
    binary=ANYTHING,
    test_passwd=st.text(max_size=20),
    additional_parameters=st.lists(ANYTHING).map(tuple),
    enable_creation=st.booleans(),
    cluster_host_map=st.dictionaries(ANYTHING, ANYTHING),
    arbitrators=st.lists(st.builds(Peer, HOSTS, st.none() | st.integers(1, 65535))).map(tuple),
    start_wait=SECONDS,
)


@given(settings=SETTINGS)
def test_what_was_stored_is_read_back(settings: Settings) -> None:
    assert load_settings(render_settings(settings)) == settings


STORED = render_settings(Settings(test_passwd="x", arbitrators=(Peer("a"),)))


@given(cut=st.integers(0, len(STORED) - 2))
def test_torn_settings_are_none(cut: int) -> None:
    assert load_settings(STORED[:cut]) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"schema": 2},
        {"datadir": 1},
        {"start_wait": "10"},
        {"arbitrators": [["a", "b"]]},
        {"arbitrators": [3]},
        {"additional_parameters": [1]},
        {"cluster_host_map": {"a": 1}},
        {"enable_creation": 1},
        {"unheard_of": 1},
    ],
    ids=str,
)
def test_stored_settings_of_another_kind_are_none(wrong: dict[str, object]) -> None:
    assert load_settings(json.dumps({**json.loads(STORED), **wrong})) is None


@pytest.mark.parametrize("text", ["", "null", "[]", "3", "{}", "[" * 5000])
def test_what_are_no_settings_is_none(text: str) -> None:
    assert load_settings(text) is None


def test_a_reload_changes_what_can_be_reloaded_and_nothing_else() -> None:
    running = parse(datadir="/old", test_user="old", start_wait="1")
    wanted = parse(datadir="/new", test_user="new", start_wait="2", socket="/new")
    assert merge_reloaded(running, wanted) == parse(datadir="/old", test_user="new", start_wait="2")
