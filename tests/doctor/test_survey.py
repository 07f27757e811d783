"""What the doctor makes of rows that no server sends.

The session is a fake: a real server cannot be made to send them, and whatever else answers at its port can.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from xha.adapters.mysql import survey
from xha.adapters.mysql.login_target import Target
from xha.adapters.mysql.session import ReadError
from xha.adapters.mysql.survey import Survey
from xha.app.doctor.members import _read_clock
from xha.core.cluster.members import parse_member
from xha.core.config.xha_conf import Config

TARGET = Target("checker", host="192.0.2.1")


class Session:
    """Answers a statement by its first words that are known, and others with no row."""

    is_open = True

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers

    def execute(self, statement: str, *_: object) -> Any:
        return next((rows for words, rows in self._answers.items() if statement.startswith(words)), ())

    def close(self) -> None:
        """Do nothing."""


def answering(monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any]) -> Survey:
    monkeypatch.setattr(survey, "Session", lambda *_: Session(answers))
    return Survey(TARGET, 1.0)


CLOCK = "SELECT UNIX_TIMESTAMP"
NO_CLOCKS: dict[str, Any] = {
    "NULL": ((None,),),
    "a text": (("abc",),),
    "not a number": (("nan",),),
    "endless": (("1e999",),),
    "before 1970": (("-1",),),
    "no row": (),
    "two rows": (("1",), ("2",)),
    "two columns": (("1", "2"),),
    "no column": ((),),
}


@pytest.mark.parametrize("name", NO_CLOCKS)
def test_an_answer_that_is_no_clock_is_told_by_nobody(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(ReadError, match=r"192\.0\.2\.1:3306: asked for "):
        answering(monkeypatch, {CLOCK: NO_CLOCKS[name]}).read_clock()
    assert _read_clock(Config(), parse_member("192.0.2.1")) is None


def test_a_clock_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = answering(monkeypatch, {CLOCK: ((f"{time.time() + 90:.6f}",),)}).read_clock()
    assert 85 < ahead < 95


SIZE = "SELECT COALESCE"
READ = {
    "tables": lambda asked: asked.read_tables(),
    "accounts": lambda asked: asked.read_accounts({"xha"}),
    "own grants": lambda asked: asked.read_own_grants(),
}
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "no size": ("tables", {SIZE: ()}),
    "a size that is none": ("tables", {SIZE: (("much",),)}),
    "a table without a schema": ("tables", {SIZE: ((1,),), "SELECT t.TABLE_SCHEMA, t.TABLE_NAME FROM": (("a",),)}),
    "a table's shape without a key": ("tables", {SIZE: ((1,),), "SELECT t.ENGINE": (("InnoDB",),)}),
    "an account without a host": ("accounts", {"SELECT User": (("xha",),)}),
    "an account with many connections": ("accounts", {"SELECT User": (("xha", "%", "many"),)}),
    "a grant of no column": ("accounts", {"SELECT User": (("xha", "%", 0),), "SHOW GRANTS FOR": ((),)}),
    "no account of its own": ("own grants", {}),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_does_not_fit_is_no_answer(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    what, answers = ROWS[name]
    asked = answering(monkeypatch, answers)
    with pytest.raises(ReadError, match="find out what answers there"):
        READ[what](asked)


def test_rows_that_fit_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {SIZE: (("4096.0",),), "SELECT t.ENGINE": (("InnoDB", None),), "SELECT User": (("xha", "%", None),)}
    asked = answering(monkeypatch, answers)
    assert (asked.read_tables().size, asked.read_tables().canary) == (4096, ("innodb", ""))
    assert [(one.user, one.most_connections) for one in asked.read_accounts(())] == [("xha", 0)]


def test_counters_that_are_none_tell_no_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    status = (("wsrep_replicated_bytes", "x"), ("wsrep_received_bytes", "1"), ("of one column",))
    assert answering(monkeypatch, {"SHOW GLOBAL": status}).read_server(0.0).rate is None


def test_a_grant_that_may_be_handed_on_says_so_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "GRANT PROCESS ON *.* TO `xha`@`%` IDENTIFIED BY PASSWORD '*94BD' WITH GRANT OPTION"
    answers = {"SELECT User": (("xha", "%", 0),), "SHOW GRANTS FOR": ((line,), ("GRANT `r` TO x",))}
    asked = answering(monkeypatch, answers)
    assert asked.read_accounts({"xha"})[0].grants == ("GRANT GRANT OPTION, PROCESS ON *.*", "GRANT `r`")
