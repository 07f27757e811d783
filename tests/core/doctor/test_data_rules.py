"""The doctor's rule about the privileges of the check's account, by lines as SHOW GRANTS writes them."""

from __future__ import annotations

import pytest

from xha.core.config.xha_conf import Config, Database
from xha.core.doctor.facts import DatabaseAccount, DoctorFacts
from xha.core.doctor.findings import DoctorFinding, Weight
from xha.core.doctor.table import examine

CANARY = "GRANT SELECT, INSERT, UPDATE ON `xha`.`canary`"


def told(*grants: str, rule: str = "check-privileges", config: Config | None = None) -> list[DoctorFinding]:
    accounts = (DatabaseAccount("xha", "localhost", grants),)
    came_to = examine(DoctorFacts(config or Config(), accounts=accounts))
    return [one for one in came_to.findings if rule in one.rules]


FINE = [
    ("GRANT USAGE ON *.*",),
    ("GRANT PROCESS ON *.*", CANARY),
    ("GRANT PROCESS, BINLOG MONITOR ON *.*", "GRANT SELECT, INSERT (node, at), UPDATE (at) ON `xha`.`canary`"),
]


@pytest.mark.parametrize("grants", FINE)
def test_what_a_check_needs_is_fine(grants: tuple[str, ...]) -> None:
    assert told(*grants) == []


MUCH = {
    "GRANT ALL PRIVILEGES ON *.*": "ALL PRIVILEGES ON *.*",
    "GRANT ALL PRIVILEGES ON `mysql`.*": "ALL PRIVILEGES ON mysql.*",
    "GRANT SELECT, UPDATE ON `mysql`.*": "SELECT, UPDATE ON mysql.*",
    "GRANT SELECT (a, b) ON `shop`.`orders`": "SELECT ON shop.orders",
    "GRANT SELECT, INSERT, UPDATE, DELETE, DROP, RELOAD ON *.*": "SELECT, INSERT, UPDATE, DELETE, DROP, RELOAD ON *.*",
    "GRANT DELETE ON `xha`.`canary`": "DELETE ON xha.canary",
    "GRANT GRANT OPTION, PROCESS ON *.*": "GRANT OPTION ON *.*",
    "GRANT PROXY ON ''@'%'": "PROXY ON ''@'%'",
    "GRANT EXECUTE ON PROCEDURE `shop`.`pay`": "EXECUTE ON procedure shop.pay",
}


@pytest.mark.parametrize("grant", MUCH)
def test_everything_else_is_too_much(grant: str) -> None:
    (one,) = told("GRANT PROCESS ON *.*", grant)
    assert (one.weight, one.seen) == (Weight.ADVICE, f"'xha'@'localhost' has {MUCH[grant]}")


@pytest.mark.parametrize("line", ["GRANT `admin`", "SET DEFAULT ROLE `admin` FOR `xha`@`localhost`"])
def test_what_a_role_has_is_not_looked_at(line: str) -> None:
    (one,) = told("GRANT PROCESS ON *.*", line)
    assert (one.weight, line in one.seen) == (Weight.UNSEEN, True)


def test_a_probe_query_of_one_s_own_reads_tables() -> None:
    config = Config(Database(probe_query="SELECT 1 FROM shop.orders"))
    assert told("GRANT SELECT ON `shop`.`orders`", config=config) == []
    assert told("GRANT SELECT ON *.*", config=config) != []


@pytest.mark.parametrize("rule", ["check-privileges", "check-connections"])
def test_without_an_account_its_rules_have_not_looked(rule: str) -> None:
    found = [one for one in examine(DoctorFacts(accounts=())).findings if rule in one.rules]
    assert [one.weight for one in found] == [Weight.UNSEEN]
