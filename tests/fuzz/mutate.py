"""Inputs that are nearly right: valid samples that are cut, doubled or spliced, with tokens that break parsers."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from typing import Any

LONGEST = 1 << 16
# Tokens that broke parsers, and those that their formats consist of.
TOKENS = [
    *("NaN", "-Infinity", "Infinity", "1e999", "-1", "0", "00", "1e13", "0.5", "+-5", "--5", "²", "٤", "1_000"),
    *("9" * 20, "9" * 400, "9" * 5000, "18446744073709551616", "true", "null", '""', "[]", "{}", "[1]", '"\\ud800"'),
    *(
        "[" * 70,
        "{" * 70,
        "[" * 3000,
        '{"a":' * 100,
        "\0",
        "\x85",
        "\u2028",
        "\ufeff",
        "\udcff",
        "\x1b[31m",
        "\r",
        "\n",
    ),
    *("\r\n\r\n", "\t", " ", " " * 3000, "=", ":", ";", ",", "/", "//", "?", "#", "$", "$$", "${a}", "$a", "%", "%zz"),
    *(
        "%00",
        "@",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        "<",
        ">",
        "&lt;",
        "&#0;",
        "'",
        '"',
        "\\",
        "\\x",
        "*",
        "|",
        "!",
        "-",
        "a",
    ),
    *("a" * 300, "a" * 9000, "a," * 3000, "--", "..", "::", "[::1]", "0x10", "gcomm://", "localhost", "127.0.0.1:1"),
    *(
        "<a>",
        "</a>",
        "<a/>",
        "<!DOCTYPE a>",
        "&a;",
        "STAT a ",
        "HTTP/1.1",
        "(" * 3000,
        "{99999999999}",
        "GET / HTTP/1.0\r\n\r\n",
        "2026-01-01T00:00Z",
    ),
    *("d" * 16, "00000000-0000-0000-0000-000000000000", "6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18:12", "h", "ms", "kind"),
]
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
VALUES: Sequence[Any] = [
    *(None, True, False, 0, -1, 1, 2**63, -(2**70), 0.5, 1e300, -1e-300, "", "x", "12", "\0", "a" * 300, [], {}, [[]]),
    *([1], ["x"], {"a": 1}, [None] * 50, [[[[[[]]]]]], {"id": "x", "members": ["y"]}, [{"name": "a"}], {"name": []}),
]


def mutate_text(text: str, samples: Sequence[str], rng: random.Random) -> str:
    """Return the text after one to four changes."""
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, len(text))
        to = min(len(text), at + rng.choice((1, 1, 2, 8, 64, 1000)))
        kind = rng.randrange(9)
        if kind == 0:
            text = text[:at] + text[to:]
        elif kind == 1:
            text = text[:to] + text[at:]
        elif kind in (2, 3):
            text = text[:at] + rng.choice(TOKENS) + text[at:]
        elif kind == 4:
            text = text[:at] + rng.choice(TOKENS) + text[to:]
        elif kind == 5:
            text = text[:at] + chr(rng.choice((rng.randrange(128), rng.randrange(0x3000)))) + text[at + 1 :]
        elif kind == 6:
            other = rng.choice(samples)
            text = text[:at] + other[rng.randint(0, len(other)) :]
        elif kind == 7:
            numbers = list(_NUMBER.finditer(text))
            if numbers:
                one = rng.choice(numbers)
                text = text[: one.start()] + rng.choice(TOKENS) + text[one.end() :]
        else:
            text = text[:at] + text[at:to] * rng.choice((2, 3, 50)) + text[to:]
    return text[:LONGEST]


def mutate_bytes(data: bytes, samples: Sequence[bytes], rng: random.Random) -> bytes:
    """Return the bytes after a few changes, made as on a text with one letter for each byte."""
    plain = [sample.decode("latin-1") for sample in samples]
    return mutate_text(data.decode("latin-1"), plain, rng).encode("utf-8", "replace")


def mutate_value(value: Any, rng: random.Random) -> Any:
    """Return a copy of a JSON value with something in it that does not belong there."""
    if not isinstance(value, (dict, list)) or not value or rng.random() < 0.15:
        return rng.choice(VALUES)
    if isinstance(value, list):
        copy = list(value)
        at = rng.randrange(len(copy))
        copy[at] = mutate_value(copy[at], rng)
        return copy if rng.random() < 0.8 else copy * 2
    changed = dict(value)
    name = rng.choice(list(changed))
    if rng.random() < 0.2:
        del changed[name]
    else:
        changed[name] = mutate_value(changed[name], rng)
    return changed


def mutate_mapping(value: dict[Any, str], samples: Sequence[dict[Any, str]], rng: random.Random) -> dict[Any, str]:
    """Return a copy of a mapping with changed texts and without some of its names."""
    texts = [text for sample in samples for text in sample.values()] or [""]
    changed = {}
    for name, text in value.items():
        luck = rng.random()
        if luck < 0.1:
            continue
        changed[name] = mutate_text(text, texts, rng) if luck < 0.6 else text
    return changed


def mutations(value: Any, samples: Sequence[Any], rng: random.Random, times: int) -> Iterator[Any]:
    """Yield the value and changed ones, according to its type."""
    yield value
    for _ in range(times):
        if isinstance(value, str):
            yield mutate_text(value, samples, rng)
        elif isinstance(value, bytes):
            yield mutate_bytes(value, samples, rng)
        elif isinstance(value, dict) and all(isinstance(one, str) for one in value.values()):
            yield mutate_mapping(value, samples, rng)
        else:
            yield mutate_value(value, rng)


def shown(value: Any, longest: int = 800) -> str:
    """Return an input in a form that can be pasted into a test."""
    text = repr(value)
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"
