"""The records in the cluster's configuration are read as they were written. No record is half understood."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.election.facts import Grant, GrantKind, Records, Token
from xha.core.galera.lineage import MAX_LINE, Generation, History, StopRecord
from xha.core.galera.position import Position, View
from xha.core.pacemaker import cib_records as records
from xha.core.pacemaker.cib import parse_cib
from xha.core.pacemaker.cib_records import BadRecord, Book, parse_book

UUID = "6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18"
texts = st.text(st.characters(codec="utf-8"), max_size=20)
nodes = st.text("abcdefghijklmnopqrstuvwxyz0123456789-._", min_size=1, max_size=12)


@st.composite
def lines(draw: st.DrawFn) -> tuple[Generation, ...]:
    ids = draw(st.lists(texts, min_size=1, max_size=MAX_LINE + 1, unique=True))
    return tuple(
        Generation(newer, older, draw(st.integers(-1, 2**63 - 1)), tuple(draw(st.lists(nodes, max_size=3))))
        for newer, older in zip(ids, ids[1:])
    )


positions = st.builds(Position, st.just(UUID), st.integers(0, 2**63 - 1)) | st.just(Position())
views = st.none() | st.builds(View, texts, st.lists(texts, max_size=3).map(tuple))
stops = st.builds(StopRecord, st.builds(History, positions, lines()), texts, views)
grants = st.builds(
    Grant, st.sampled_from(GrantKind), nodes, texts, st.floats(0, 1e11, allow_subnormal=False), texts, texts
)
tokens = st.builds(Token, nodes, texts, texts)


def through_the_configuration(resource: str, pairs: dict[str, str]) -> Book:
    """Write the records as the adapter does, and read them from a configuration."""
    root = ElementTree.fromstring('<cib have-quorum="1"><configuration><crm_config/><nodes/></configuration></cib>')
    config = root.find("configuration/crm_config")
    assert config is not None
    for name, text in pairs.items():
        own = records.token_id(resource) if name == records.TOKEN else records.set_id(resource)
        each = next((one for one in config if one.get("id") == own), None)
        each = ElementTree.SubElement(config, "cluster_property_set", id=own) if each is None else each
        full = records.record_name(resource, name)
        ElementTree.SubElement(each, "nvpair", id=records.pair_id(resource, name), name=full, value=text)
    return parse_cib(ElementTree.tostring(root, encoding="unicode"), resource).book


@given(
    nodes, st.dictionaries(nodes, stops, max_size=3), lines(), texts, st.none() | tokens, st.lists(grants, max_size=4)
)
def test_what_is_written_is_read_again(  # noqa: PLR0913, PLR0917 - the kinds of records
    resource: str,
    stopped: dict[str, StopRecord],
    line: tuple[Generation, ...],
    cluster: str,
    token: Token | None,
    given_grants: list[Grant],
) -> None:
    standing = {records.grant_name(grant): grant for grant in given_grants}
    pairs = {records.stop_name(node): records.render_stop(stop) for node, stop in stopped.items()}
    pairs.update({name: records.render_grant(grant) for name, grant in standing.items()})
    pairs[records.LINE], pairs[records.CLUSTER] = records.render_line(line), records.render_cluster(cluster)
    if token:
        pairs[records.TOKEN] = records.render_token(token)
    if given_grants:
        pairs[records.LAST_GRANT] = records.render_grant(given_grants[-1])
    book = through_the_configuration(resource, pairs)
    assert book.records == Records(stopped, line, token, cluster)
    assert sorted(book.grants) == sorted(standing.values())
    assert [one.at for one in book.grants] == sorted(one.at for one in book.grants)
    assert book.last_grant == (given_grants[-1] if given_grants else None)


GRANT = records.render_grant(Grant(GrantKind.FORGET, "n1", "d", 1.0, "root", "gone"))
STOP = records.render_stop(StopRecord(History(Position(UUID, 5)), "boot"))


def changed(text: str, **fields: Any) -> str:
    document = json.loads(text)
    value = {**document["value"], **fields}
    return json.dumps({**document, "value": {name: one for name, one in value.items() if one is not ...}})


GARBAGE = {
    "no JSON": ("line", "[[["),
    "no document": ("line", "[]"),
    "no schema": ("line", '{"value":[]}'),
    "a later schema": ("line", '{"schema":2,"value":[]}'),
    "a schema that is no number": ("line", '{"schema":true,"value":[]}'),
    "no value": ("cluster", '{"schema":1}'),
    "a cluster that is no text": ("cluster", '{"schema":1,"value":5}'),
    "a line that is none": ("line", '{"schema":1,"value":{}}'),
    "generations out of order": (
        "line",
        records.render_line([Generation("a", "b", 1), Generation("c", "", 1)]),
    ),
    "a stop without a position": ("stop-n1", changed(STOP, position=...)),
    "a stop at no position": ("stop-n1", changed(STOP, position="5")),
    "a stop without its boot": ("stop-n1", changed(STOP, boot_id=...)),
    "a view that is none": ("stop-n1", changed(STOP, view={})),
    "a grant of another kind": ("grant-forget-n1", changed(GRANT, kind="erase")),
    "a grant without a time": ("grant-forget-n1", changed(GRANT, at="now")),
    "a grant at no time": ("grant-forget-n1", changed(GRANT, at=float("nan"))),
    "a grant at a time that is true": ("grant-forget-n1", changed(GRANT, at=True)),
    "a grant without a reason": ("grant-forget-n1", changed(GRANT, why=...)),
    "the last grant": ("last-grant", '{"schema":1,"value":null}'),
    "a token of nobody": ("token", '{"schema":1,"value":{"epoch":"e","digest":"d"}}'),
    "JSON too deep": ("line", "[" * 100_000),
}


@pytest.mark.parametrize("title", GARBAGE)
def test_a_record_that_is_not_understood_is_an_error_that_names_it(title: str) -> None:
    name, text = GARBAGE[title]
    with pytest.raises(BadRecord, match=f"the record xha-db-{name} cannot be read"):
        parse_book("db", {f"xha-db-{name}": text})


@given(st.sampled_from(("line", "cluster", "stop-n1", "grant-forget-n1", "last-grant", "token")), texts)
def test_no_text_is_half_understood(name: str, text: str) -> None:
    properties = {f"xha-db-{name}": text}
    if text:
        with pytest.raises(BadRecord):
            parse_book("db", properties)
    else:
        assert parse_book("db", properties) == Book()


def test_other_names_are_none_of_ours() -> None:
    assert parse_book("db", {"xha-db2-line": "garbage", "stonith-enabled": "garbage", "xha-db-later": "{}"}) == Book()


def test_a_grant_replaces_one_of_its_kind_for_its_node() -> None:
    grant = Grant(GrantKind.FORGET, "n1", "d", 1.0)
    assert records.grant_name(grant) == records.grant_name(grant._replace(digest="e", at=2.0))
    others = (grant._replace(node="n2"), grant._replace(kind=GrantKind.DISCARD))
    assert len({records.grant_name(one) for one in (grant, *others)}) == 3


@given(st.text(max_size=30))
def test_the_id_of_a_record_is_an_xml_id(node: str) -> None:
    ident = records.pair_id("db", records.stop_name(node))
    assert ident.startswith("xha-db-stop-")
    assert all(letter.isascii() and (letter.isalnum() or letter in "_.-") for letter in ident)


def test_two_resources_have_a_book_each() -> None:
    """Also where the name of one begins with the other's."""
    names = ("db", "db-b", "db-line")
    config = ElementTree.Element("crm_config")
    for name in names:
        for own, record, text in (
            (records.set_id(name), records.CLUSTER, records.render_cluster(f"uuid of {name}")),
            (records.token_id(name), records.TOKEN, records.render_token(Token(f"node of {name}", "e", "d"))),
        ):
            full = records.record_name(name, record)
            ElementTree.SubElement(
                ElementTree.SubElement(config, "cluster_property_set", id=own),
                "nvpair",
                id=records.pair_id(name, record),
                name=full,
                value=text,
            )
    text = f"<cib><configuration>{ElementTree.tostring(config, encoding='unicode')}<nodes/></configuration></cib>"
    for name in names:
        found = parse_cib(text, name).book.records
        assert found.cluster == f"uuid of {name}"
        assert found.token is not None
        assert found.token.node == f"node of {name}"
