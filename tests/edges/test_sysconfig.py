"""Plain assignments mean the same as for sh: the original clustercheck sources the file."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from xha.core.text.shell_assignments import parse_sysconfig

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8)
PLAIN = st.text("abcXYZ019_#%+,-./:=@^!?[]{}", max_size=8)
SINGLE = TEXT.map(lambda text: "'" + text.replace("'", "") + "'")
DOUBLE = st.lists(
    st.sampled_from(["a", "Z", " ", "#", "'", ";", "\\\\", '\\"', "\\$", "\\`", "\\n", "\\ ", "&", "|"]), max_size=8
).map(lambda parts: '"' + "".join(parts) + '"')
ESCAPED = st.characters(min_codepoint=32, max_codepoint=126).map(lambda char: "\\" + char)
WORDS = st.lists(PLAIN | SINGLE | DOUBLE | ESCAPED, max_size=4).map("".join)
ENDS = st.sampled_from(["", " ", " # don't", "\t# a note", ";", " ; export A", " #", '; B="x"'])
STARTS = st.sampled_from(["A=", "  A=", "export A=", "\tA="])


def ask_sh(path: Path) -> bytes:
    script = '. "$0" >/dev/null; printf %s "$A"'
    return subprocess.run(["sh", "-c", script, path], capture_output=True, check=True, env={}, timeout=10).stdout


@settings(max_examples=200)
@given(STARTS, WORDS, ENDS)
def test_an_assignment_means_what_it_means_to_sh(start: str, word: str, end: str) -> None:
    if "~" in word:
        return  # a home directory is an expansion
    path = Path(ASSIGNMENTS)
    path.write_text(f"{start}{word}{end}\n")
    assert parse_sysconfig(path.read_text()).get("A", "").encode() == ask_sh(path)


ASSIGNMENTS = ""


def setup_module() -> None:
    import tempfile

    global ASSIGNMENTS  # noqa: PLW0603 - hypothesis and function-scoped fixtures do not mix
    ASSIGNMENTS = tempfile.mkstemp(prefix="xha-sysconfig-")[1]


def teardown_module() -> None:
    Path(ASSIGNMENTS).unlink()
