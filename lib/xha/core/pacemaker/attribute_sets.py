"""Sets of attributes in Pacemaker's configuration (meta_attributes and their like), and references between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..text.numbers import parse_int

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from xml.etree.ElementTree import Element

_BOOTSTRAP_OPTIONS = "cib-bootstrap-options"


def sorted_sets(sets: Iterable[Element]) -> list[Element]:
    """Return the sets in Pacemaker's order: its own first, then by score."""
    return sorted(sets, key=lambda each: (each.get("id") != _BOOTSTRAP_OPTIONS, -_score(each.get("score", "0"))))


def _score(text: str) -> int:
    if text.lstrip("+-").upper() == "INFINITY":
        return -1_000_000 if text.startswith("-") else 1_000_000
    return parse_int(text[1:] if text[:1] == "+" else text) or 0


def first_pairs(sets: Iterable[Element], lookup: Mapping[str, Element]) -> dict[str, str]:
    """Return names and values; the first set that has a name counts. lookup: the elements by their id."""
    found: dict[str, str] = {}
    for name, value in every_pair(sets, lookup):
        found.setdefault(name, value)
    return found


def every_pair(sets: Iterable[Element], lookup: Mapping[str, Element]) -> Iterator[tuple[str, str]]:
    """Yield names and values.

    The rule of a set is not evaluated: what a set may forbid at some time counts as forbidden.
    """
    for each in sets:
        for pair in lookup.get(each.get("id-ref", ""), each).iterfind("nvpair"):
            real = lookup.get(pair.get("id-ref", ""), pair)
            yield pair.get("name") or real.get("name") or "", real.get("value") or ""
