"""The value of an attribute in XML. xml.sax.saxutils has it, too, and imports an HTTP client with OpenSSL."""

from __future__ import annotations

# A parser reads line breaks and tabs in a value as blanks, unless they are references (XML 1.0, 3.3.3).
_REFERENCES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)


def quote_attribute(text: str) -> str:
    """Return a text as the value of an attribute, with its quotes: a parser reads the same text."""
    return f'"{text.translate(_REFERENCES)}"'
