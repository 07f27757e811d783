"""JSON of other programs has only one parser. The test reads the source."""

from __future__ import annotations

import ast

import pytest

from house.test_imports import HOUSE, NAMES, tree

# The only parser for JSON of other programs. It refuses NaN, 1e999, 5000 digits and a thousand levels.
PARSER = "core/text/numbers.py"


@pytest.mark.parametrize("name", [name for name in NAMES if name != PARSER])
def test_json_is_read_by_core_numbers_alone(name: str) -> None:
    for node in ast.walk(tree(HOUSE / name)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "json":
            assert node.attr not in ("loads", "load", "JSONDecoder"), f"line {node.lineno}: use parse_json"
