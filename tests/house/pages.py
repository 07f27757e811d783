"""The parts of docs/ that repeat a table of the code. `make docs` writes them; test_pages.py compares.

Words between the tables are people's: only rows are replaced, and only where a page has such rows already.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from xha.core.doctor.table import RULES as DOCTOR
from xha.core.galera.reading import Variables, WsrepStatus
from xha.core.monitor.health import RULES as HEALTH
from xha.core.node.verdict import Code

DOCS = Path(__file__).parents[2] / "docs"
JSON_TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string", "ReadOnly": "boolean"}


def replace_rows(text: str, rows: Iterable[str]) -> str:
    """Return the text with its block of lines that begin with a code in a cell replaced."""
    return re.sub(
        r"(?:^\| `[^\n]*\n)+", lambda _: "".join(f"{row}\n" for row in rows), text, count=1, flags=re.MULTILINE
    )


def write_verdicts(text: str) -> str:
    """docs/verdicts.md: a row for each reason code."""
    rows = []
    for code in Code:
        rule = code.rule
        ready = {Code.SYNCED: "200", Code.DRAINING: "404"}.get(code, "policy" if rule.policy else "503")
        cells = (ready, "200" if rule.live else "503", int(rule.exit_code), rule.message, rule.remedy or "nothing")
        rows.append(f"| `{code.value}` | " + " | ".join(str(cell) for cell in cells) + " |")
    return replace_rows(text, rows)


def write_operations(text: str) -> str:
    """docs/operations.md: a row for each answer of monitor."""
    return replace_rows(
        text, (f"| `{rule.name}` | {int(rule.code)} | {rule.text} | {rule.remedy or 'nothing'} |" for rule in HEALTH)
    )


def write_doctor(text: str) -> str:
    """docs/doctor.md: a row for each rule."""
    return replace_rows(
        text,
        (f"| `{rule.name}` | {rule.weight.value} | {rule.subject} | {rule.why} |" for rule in DOCTOR),
    )


def write_schema(text: str) -> str:
    """docs/schema-1.json: the reason codes, and what of a server's listings a reading has."""
    codes = ",\n".join(f'                "{code.value}"' for code in Code)
    text = re.sub(r'(?<=\[\n)( +"synced",\n[^\]]*?)(?=\n +\])', lambda _: codes, text, count=1)
    names = {**WsrepStatus.__annotations__, **Variables.__annotations__}
    required = "".join(f'            "{name}",\n' for name in names)
    text = re.sub(r'(?<=\[\n)( +"wsrep_local_state",\n[^\]]*?)(?= +"probe_errno")', lambda _: required, text, count=1)
    kinds = {name: JSON_TYPES[str(kind).partition(" ")[0]] for name, kind in names.items()}
    typed = "".join(f'            "{name}": {{"type": ["{kind}", "null"]}},\n' for name, kind in kinds.items())
    return re.sub(r'(?:^ +"[a-z_]+": \{"type": \["\w+", "null"\]\},\n){3,}', lambda _: typed, text, count=1, flags=re.M)


PAGES: dict[str, Callable[[str], str]] = {
    "verdicts.md": write_verdicts,
    "operations.md": write_operations,
    "doctor.md": write_doctor,
    "schema-1.json": write_schema,
}

if __name__ == "__main__":
    for name, write in PAGES.items():
        before = (DOCS / name).read_text(encoding="utf-8")
        after = write(before)
        if after != before:
            (DOCS / name).write_text(after, encoding="utf-8")
            print(f"docs: docs/{name} is written anew")
