"""RUN/told-SERVER: of a keeper and a monitor that both see the end of a server, the first one tells Pacemaker."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...core.pacemaker.telling import FailureClaim, parse_claim, render_claim
from ..files.atomic_write import is_unfinished, replace_text, unfinished_name
from ..files.whole_file import read_text

if TYPE_CHECKING:
    from ..files.agent_rundir import RunDir

_CLAIM, _MAX_BYTES = "told-", 256


def claim_failure(run: RunDir, server: str, claim: FailureClaim) -> FailureClaim:
    """Be the one who tells Pacemaker that a server has ended; return this claim, or the one that was there before.

    server: its process, as name_process names it. What stands there of an earlier one is removed.

    :raises OSError: where that cannot be written down.
    """
    run.make()
    mine, name = unfinished_name(_CLAIM), f"{_CLAIM}{server}"
    replace_text(run.file(mine), render_claim(claim) + "\n", 0o644)
    try:
        os.link(run.file(mine), run.file(name))
    except FileExistsError:
        # One that cannot be read is taken for a monitor's, which tells in any case.
        return _read(run.file(name)) or FailureClaim(by_keeper=False, at=claim.at)
    finally:
        run.remove(mine)
    for other in os.listdir(run.path):
        if other.startswith(_CLAIM) and not is_unfinished(other) and other != name:
            run.remove(other)
    return claim


def give_claim_back(run: RunDir, server: str) -> None:
    """Pacemaker does not know that the server has ended: whoever sees it next tells it."""
    run.remove(f"{_CLAIM}{server}")


def _read(path: str) -> FailureClaim | None:
    try:
        return parse_claim(read_text(path, _MAX_BYTES))
    except OSError:
        return None
