"""One attribute on all nodes, by attrd_updater: what it tells, and what it can hold."""

from __future__ import annotations

from xml.etree import ElementTree

from ...core.text.escape import blank
from .tools import TIMEOUT, ClusterUnreachable, Failed, run_tool

# crm_exit_t: the attribute is not set on any node.
_NOT_SET = 78


def query_attribute(name: str, seconds: float = TIMEOUT) -> dict[str, str]:
    """Return the attribute's value on every node that has one. XML is used: the plain output escapes nothing.

    :raises ClusterUnreachable: if Pacemaker does not answer within these seconds.
    """
    try:
        text = run_tool("attrd_updater", "--name", name, "--query", "--all", "--output-as=xml", seconds=seconds)
    except Failed as error:
        if error.code != _NOT_SET:
            raise
        return {}
    return parse_attribute(text)


def parse_attribute(text: str) -> dict[str, str]:
    """Return the values in attrd_updater's XML, by node. A deleted value remains there as "" and is left out.

    :raises ClusterUnreachable: if the text is not such XML.
    """
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - Pacemaker's own
    except (ElementTree.ParseError, UnicodeError) as error:
        raise ClusterUnreachable(f"attrd_updater: {error}") from None
    found = {one.get("host", ""): one.get("value", "") for one in root.iter("attribute")}
    return {node: value for node, value in found.items() if value}


def printable(text: str) -> str:
    """Return the text in characters that an attribute can contain.

    XML allows no control characters: one would hide the attribute of all nodes from all nodes. attrd_updater accepts
    only ASCII, whatever the locale (measured, 2.1.5).
    """
    return blank("".join(letter if letter.isascii() else "?" for letter in text))
