"""Every live table fits a terminal of 80 columns and 24 lines, and uses one of 120 by 40. All of it is real."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback import Net
from screens.scene import FLEET, Scene
from shell.terminal import CONTROL_C, Terminal
from xha.core.node.verdict import NagiosCode
from xha.doors.terminal.frame import fit_frame, fit_lines
from xha.doors.terminal.table import FACTS, Row, lines

SMALL, LARGE = (80, 24), (120, 40)
CLUSTERS = 60


@pytest.fixture(scope="module")
def scene(net: Net) -> Iterator[Scene]:
    with Scene(net) as running:
        text = running.host.path(FLEET).read_text()
        member = text.split()[1]
        more = "".join(f"more-{number:02}: {member}\n" for number in range(CLUSTERS))
        running.host.write(FLEET, text + more)
        yield running


def watch(scene: Scene, size: tuple[int, int], *words: str) -> list[str]:
    """Return the lines of a live table's first picture, without colours and without the time."""
    with Terminal(scene.show(*words, "--watch"), *size) as terminal:
        terminal.wait_for("Ctrl-C ends")
        shown = terminal.picture()
        terminal.press(CONTROL_C)
        terminal.wait_end()
    *told, clock = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown).rstrip("\n").split("\n")
    assert clock.endswith("Ctrl-C ends")
    columns, rows = size
    assert max(map(len, [*told, clock])) <= columns
    assert len(told) + 1 <= rows
    assert "…" not in shown, "a line was cut"
    return [line.rstrip() for line in told]


def words_of(told: list[str]) -> str:
    return " ".join(" ".join(told).split())


WATCHED = {"node": ("node",), "cluster": ("cluster",), "services": ("services",), "fleet": ("fleet", FLEET)}


@pytest.mark.parametrize("name", WATCHED)
def test_a_small_terminal_shows_the_worst_in_full(scene: Scene, name: str) -> None:
    told = words_of(watch(scene, SMALL, *WATCHED[name]))
    wanted = {
        "node": "the node is synced and answers queries",
        "cluster": "no server answers at the database's address; to do: start the server, or correct socket, host",
        "services": "keystone critical, self",
        "fleet": "server-down",
    }
    assert wanted[name] in told


@pytest.mark.parametrize("name", WATCHED)
def test_a_large_terminal_shows_more(scene: Scene, name: str) -> None:
    told = watch(scene, LARGE, *WATCHED[name])
    if name == "cluster":
        assert told[0].split()[-len(FACTS) :] == list(FACTS)
    elif name == "node":
        assert told[0].split()[-1] == "MESSAGE"
        assert len(told) == 2
    elif name == "services":
        assert "a key was set, read back and deleted" in words_of(told)
    else:
        assert len(told) == LARGE[1] - 1
        assert re.fullmatch(r"\.\.\. and \d+ more lines: xha-check fleet FILE shows all", told[-1])
        # The worst comes first, on a small terminal too; a large one shows more clusters.
        small = watch(scene, SMALL, *WATCHED[name])
        assert [line.split()[0] for line in small[:3]] == [line.split()[0] for line in told[:3]]
        assert len(small) == SMALL[1] - 1


ROWS = st.lists(
    st.builds(
        lambda name, why: Row((name, "degraded", "1/3", why), NagiosCode.WARNING, ("CLUSTER", "STANDING", "IN", "WHY")),
        st.text("abc-", min_size=1, max_size=12),
        st.text("abc de:;-1", max_size=160),
    ),
    min_size=1,
    max_size=30,
)


@given(ROWS, st.integers(40, 200))
def test_a_sentence_is_folded_and_never_cut(rows: list[Row], width: int) -> None:
    told = lines(rows, io.StringIO(), width)
    assert max(map(len, told)) <= width
    shown = "".join("".join(told).split())
    for row in rows:
        assert "".join(row.cells[0].split()) in shown
    assert sum(map(len, shown.split())) == sum(
        len("".join(cell.split())) for cells in (rows[0].headings, *(row.cells for row in rows)) for cell in cells
    ) - (0 if "WHY" in shown else 3)


@given(st.lists(st.text("abc ", min_size=1, max_size=60)), st.lists(st.text("abc ", max_size=300)), st.integers(4, 60))
def test_a_frame_has_no_more_lines_than_the_terminal(table: list[str], below: list[str], height: int) -> None:
    rows, sentences = fit_frame(table, below, 80, height, "xha-check cluster")
    assert len(rows) + len(sentences) <= height
    assert all(len(line) <= 80 for line in sentences)
    if rows != table:
        assert rows[-1].endswith("more lines: xha-check cluster shows all")


def test_what_does_not_fit_is_counted() -> None:
    assert fit_lines(["a", "b", "c"], 2, "xha-check fleet FILE") == [
        "a",
        "... and 2 more lines: xha-check fleet FILE shows all",
    ]
    assert fit_lines(["a", "b"], 2, "x") == ["a", "b"]
