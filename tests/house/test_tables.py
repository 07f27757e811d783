"""A row of a table that nothing uses promises what is not there: read from the source."""

from __future__ import annotations

import re

import pytest

from house.test_imports import FILES, HOUSE
from xha.core.node.verdict import Code
from xha.core.ocf import galera_parameters, service_parameters

TABLES = ("core/node/codes.py", "core/ocf/galera_parameters.py", "core/ocf/galera_settings.py")
NAMES = [one.name for table in (galera_parameters, service_parameters) for one in table.PARAMETERS if not one.retired]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in FILES if str(path.relative_to(HOUSE)) not in TABLES)


@pytest.mark.parametrize("code", Code)
def test_something_comes_to_each_reason_code(code: Code) -> None:
    assert re.search(rf"\bCode\.{code.name}\b", TEXT), "core/node/verdict.py, or who reads, comes to it"


@pytest.mark.parametrize("name", NAMES)
def test_each_parameter_is_used_or_is_retired(name: str) -> None:
    assert re.search(rf"\b(?:settings|self)\.{name}\b", TEXT), "use it, or say retired=True"
