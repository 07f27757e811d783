"""Parses numbers that another program or person wrote: each result is finite and of a plausible size.

Python accepts more than that as a number. float parses `nan`, `1e999` and `infinity`. int parses digits of other
scripts, needs a second for a million digits, and raises above 4300 digits. str.isdigit is true for `²`, which int
refuses. One such number in a comparison, a round() or a division makes the caller fail.
"""

from __future__ import annotations

from .light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

# The largest value of a 64-bit counter, 18446744073709551615, has 20 digits.
_MOST_DIGITS = 20
# Digits of a 128-bit number. No number of xha is that large, and a float can still hold it.
_MOST_JSON_DIGITS = 40
# In seconds: 31,700 years, since 1970 or since the boot.
LATEST = 1e12
_LARGEST = 2**63 - 1
# repr() and the functions that walk through a document are recursive.
_MOST_LEVELS = 64


def parse_int(text: str, most: int = _MOST_DIGITS) -> int | None:
    """Return the integer in a text of at most `most` digits, or None for anything else."""
    digits = text[1:] if text[:1] == "-" else text
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= most else None


def parse_float(text: str) -> float | None:
    """Return the number in a text, or None for anything else. NaN and infinities have no form in JSON."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def parse_json(text: str, object_pairs_hook: Any = None) -> Any:
    """Return a JSON document whose numbers are finite and fit a float, and whose texts can be encoded.

    :raises ValueError: for anything else, and for a document that is nested too deeply.
    """
    import json

    try:
        document = json.loads(
            text,
            parse_int=_require_int,
            parse_float=_require_float,
            parse_constant=_refuse_constant,
            object_pairs_hook=object_pairs_hook,
        )
        # Half of a surrogate pair, such as "\ud800", cannot be encoded: printing or sending it would raise.
        text.encode()
        if "\\ud" in text.lower():
            json.dumps(document, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if text.count("[") + text.count("{") > _MOST_LEVELS:
        _refuse_depth(document)
    return document


_TOO_DEEP = f"the document is nested in more than {_MOST_LEVELS} levels"


def _refuse_depth(document: Any) -> None:
    level, depth = [document] if isinstance(document, (dict, list)) else [], 0
    while level:
        depth += 1
        if depth > _MOST_LEVELS:
            raise ValueError(_TOO_DEEP)
        inside = (one.values() if isinstance(one, dict) else one for one in level)
        level = [child for children in inside for child in children if isinstance(child, (dict, list))]


def _require_int(text: str) -> int:
    number = parse_int(text, _MOST_JSON_DIGITS)
    if number is None:
        raise ValueError(f"a number of {len(text)} digits")
    return number


def _require_float(text: str) -> float:
    number = parse_float(text)
    if number is None:
        raise ValueError("a number that is too large")
    return number


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def parse_number(value: object) -> int:
    """Return a whole number. :raises TypeError: for anything else, true and 1.0 included."""
    if type(value) is not int:
        raise TypeError(f"{value!r} is no number")
    return value


def parse_count(value: object) -> int:
    """Return the whole number of a counter.

    :raises TypeError: for another value. :raises ValueError: for a negative number, or one of more than 63 bits.
    """
    number = parse_number(value)
    if not 0 <= number <= _LARGEST:
        raise ValueError(f"{number} is no count")
    return number


def parse_moment(value: object) -> float:
    """Return seconds of any clock.

    :raises TypeError: for a value that is no number. :raises ValueError: for a number outside 0 to 1e12, NaN included.
    """
    if type(value) is not int and type(value) is not float:
        raise TypeError(f"{value!r} is no number")
    if not 0 <= value <= LATEST:
        raise ValueError(f"{value!r} is no time")
    return float(value)
