"""docs/ says what the tables of the code say. Where it does not, `make docs` writes it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from house.pages import DOCS, PAGES, write_doctor, write_operations, write_schema, write_verdicts


@pytest.mark.parametrize("name", PAGES)
def test_a_page_s_table_is_the_code_s(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    assert text == PAGES[name](text), "run `make docs`"


@pytest.mark.parametrize(
    ("name", "write", "row"),
    [
        ("verdicts.md", write_verdicts, r"^\| `hung` .*\n"),
        ("operations.md", write_operations, r"^\| `silent` .*\n"),
        ("doctor.md", write_doctor, r"^\| `flush-log` .*\n"),
        ("schema-1.json", write_schema, r'^ +"hung",\n'),
        ("schema-1.json", write_schema, r'^ +"threads_connected",\n'),
        ("schema-1.json", write_schema, r'^ +"threads_connected": .*\n'),
    ],
)
def test_a_row_that_is_missing_is_written(name: str, write: Callable[[str], str], row: str) -> None:
    text = write((DOCS / name).read_text(encoding="utf-8"))
    torn = re.sub(row, "", text, flags=re.MULTILINE)
    assert torn != text
    assert write(torn) == text


def test_the_schema_is_json() -> None:
    json.loads((DOCS / "schema-1.json").read_text(encoding="utf-8"))
