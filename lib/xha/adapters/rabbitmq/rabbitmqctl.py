"""rabbitmqctl, for a broker without a management API.

It starts an Erlang VM, about 0.4 s of CPU each time (measured).
"""

from __future__ import annotations

import os
import time

from ...core.services.rabbitmq.facts import parse_cluster_status, parse_document
from ...core.services.rabbitmq.state import Cluster
from ..process.alarm import CheckStep, begin_step
from ..process.command import Overlong, Unanswered, run_command

_BUDGET = 1 << 19
# The variables that configure it; the check's own environment may contain passwords (password_env).
_ITS_OWN = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR")


def read_cluster_status(
    program: str, node: str | None, seconds: float, step: CheckStep, *, is_local: bool = False
) -> Cluster:
    """Ask the local node for its cluster, without the queues. A failure is returned as a gap.

    is_local: the name of the node that answers is wanted, and not only in a split brain.
    step: whose fault it is if the check's time ends meanwhile, and what was proved before.
    """
    begin_step("the answer of rabbitmqctl", blame=step.blame, proved=step.proved)
    until = time.monotonic() + seconds
    words = [*_words(program, node, seconds), "cluster_status", "--formatter", "json"]
    try:
        # It stays in the check's process group, which ends with the check.
        said = run_command(words, seconds, _BUDGET, environment=_environment())
        if said.code:
            reason = f"exited {said.code}: it needs root, and a node that runs"
        else:
            nodes = parse_cluster_status(parse_document(said.out))
            # Its name is not printed, and only a split brain needs it: who asks is on one of the sides.
            is_asked = (is_local or any(one.partitions for one in nodes)) and node not in {one.name for one in nodes}
            own = _read_own_name(program, node, until - time.monotonic()) if is_asked else node
            return Cluster(own or "", nodes=nodes)
    except (ValueError, KeyError, TypeError):
        reason = "printed no JSON"
    except Unanswered:
        reason = "did not answer in time"
    except Overlong:
        reason = f"printed more than {_BUDGET >> 10} KiB"
    except OSError as error:
        reason = f"could not be started: {(error.strerror or 'unreadable').lower()}"
    return Cluster(gaps=(f"the cluster, for rabbitmqctl {reason}",))


def _words(program: str, node: str | None, seconds: float) -> list[str]:
    # It ends by itself in time: if it runs as another user below su, this process cannot end it.
    words = [program, "--quiet", "--timeout", str(max(1, int(seconds)))]
    if node:
        words += ["--node", node, *(["--longnames"] if "." in node.partition("@")[2] else [])]
    return words


def _read_own_name(program: str, node: str | None, seconds: float) -> str | None:
    """Return the name of the node that answers. :raises Unanswered, OSError: as run_command does."""
    said = run_command(
        [*_words(program, node, seconds), "eval", "node()."], seconds, _BUDGET, environment=_environment()
    )
    return None if said.code else said.out.strip().strip("'")


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in _ITS_OWN or name.startswith(("LC_", "RABBITMQ_", "ERL_"))
    }
