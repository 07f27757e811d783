"""The value of an attribute: every text that XML can hold is read as it was written."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import example, given
from hypothesis import strategies as st

from xha.core.text.xml_attribute import quote_attribute

# What XML 1.0 cannot hold in any form: control characters, halves of surrogate pairs, and the last two of the plane.
CHARACTERS = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff") | st.sampled_from(
    "\t\n\r"
)


@given(st.text(CHARACTERS))
@example("a 'word', \"another\" & <more>\r\n\tof it")
def test_a_parser_reads_the_text_that_was_written(text: str) -> None:
    assert ElementTree.fromstring(f"<a b={quote_attribute(text)}/>").get("b") == text


def test_a_text_ends_no_attribute() -> None:
    assert quote_attribute('x" y="<&>') == '"x&quot; y=&quot;&lt;&amp;&gt;"'
