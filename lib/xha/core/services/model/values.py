"""Parsers for values that several sections of services share: text in, a value or a ValueError out."""

from __future__ import annotations

import re

from .kind import Secret

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parse_count(text: str) -> int:
    """Return a whole number from 1 to a million. :raises ValueError: naming the text."""
    if text.isascii() and text.isdigit() and len(text) <= 7 and 0 < int(text) <= 1_000_000:
        return int(text)
    raise ValueError(f"{text!r} is not a whole number of 1 or more")


def parse_pattern(text: str) -> str:
    """Return an anchored regular expression. :raises ValueError: saying what is wrong with it."""
    if not text.startswith("^"):
        raise ValueError(f"{text!r} is not anchored: begin it with ^, or it matches an editor that has the file open")
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
    return text


def parse_secret_file(text: str) -> Secret:
    """Return the secret at an absolute path, or of a systemd credential's name. :raises ValueError: naming the text."""
    if not text or "\0" in text or ("/" in text and not text.startswith("/")):
        raise ValueError(f"{text!r} is neither an absolute path nor the name of a systemd credential")
    return Secret(path=text)


def parse_secret_variable(text: str) -> Secret:
    """Return the secret in an environment variable. :raises ValueError: without the text: it may be the secret."""
    if not _VARIABLE.fullmatch(text):
        raise ValueError("not the name of an environment variable")
    return Secret(variable=text)


def parse_percentage(text: str) -> float:
    """Return a percentage as a share, for example 0.9 for 90%. :raises ValueError: naming the text."""
    match = re.fullmatch(r"(\d{1,3})\s*%", text.strip(), re.ASCII)
    if match is None or not 1 <= int(match[1]) <= 100:
        raise ValueError(f"{text!r} is not a percentage from 1% to 100%")
    return int(match[1]) / 100


def parse_limit(text: str) -> int:
    """Return a whole number from 0 to a million. :raises ValueError: naming the text."""
    return 0 if text == "0" else parse_count(text)
