"""/etc/sysconfig/clustercheck and /etc/default/clustercheck: shell assignments, read and never executed."""

from __future__ import annotations

import re

_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


def parse_sysconfig(text: str) -> dict[str, str]:
    """Return the KEY=VALUE lines. Quotes and comments are a shell's; a line that is no assignment is passed over."""
    import shlex

    values = {}
    for line in text.split("\n"):
        assignment = _ASSIGNMENT.fullmatch(line.strip())
        if assignment is None:
            continue
        try:
            words = shlex.split(assignment[2], comments=True)
        except ValueError:  # an open quote: the value ends with the line
            words = [assignment[2].strip("'\"")]
        values[assignment[1]] = words[0] if words else ""
    return values
