"""What other members say is shown on terminals, in one line each, without terminal control characters."""

from __future__ import annotations

from xha.app.cluster.look import ClusterView
from xha.core.cluster.comparison import Disagreement
from xha.doors.check.cluster.rows import disagreement_lines


def test_a_disagreement_is_one_line_without_control_characters() -> None:
    said = "node-2 has the cluster \x1b[2J\x1b]0;owned\x07\nnode-3  Synced"
    view = ClusterView((), (Disagreement("uuid", said, ("node-2",)),))
    [line] = disagreement_lines(view)
    assert line == "DISAGREEMENT uuid: node-2 has the cluster  [2J ]0;owned  node-3  Synced"
