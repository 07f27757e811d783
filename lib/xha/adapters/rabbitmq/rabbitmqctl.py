"""rabbitmqctl, for a broker without a management API.

It starts an Erlang VM, about 0.4 s of CPU each time (measured).
"""

from __future__ import annotations

import os

from ...core.services.rabbitmq.cluster import Cluster
from ...core.services.rabbitmq.facts import parse_cluster_status, parse_document
from ..process.alarm import CheckStep, begin_step
from ..process.command import Overlong, Unanswered, run_command

_BUDGET = 1 << 19
# The variables that configure it; the check's own environment may contain passwords (password_env).
_ITS_OWN = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR")


def read_cluster_status(program: str, node: str | None, seconds: float, step: CheckStep) -> Cluster:
    """Ask the local node for its cluster, without the queues. A failure is returned as a gap.

    step: whose fault it is if the check's time ends meanwhile, and what was proved before.
    """
    begin_step("the answer of rabbitmqctl", blame=step.blame, proved=step.proved)
    # It ends by itself in time: if it runs as another user below su, this process cannot end it.
    words = [program, "--quiet", "--timeout", str(max(1, int(seconds))), "cluster_status", "--formatter", "json"]
    if node:
        words += ["--node", node, *(["--longnames"] if "." in node.partition("@")[2] else [])]
    try:
        # It stays in the check's process group, which ends with the check.
        said = run_command(words, seconds, _BUDGET, environment=_environment())
        if said.code:
            reason = f"exited {said.code}: it needs root, and a node that runs"
        else:
            # Only the node that was asked knows its own view of partitions, and its name is not printed.
            return Cluster(node or "", nodes=parse_cluster_status(parse_document(said.out)))
    except (ValueError, KeyError, TypeError):
        reason = "printed no JSON"
    except Unanswered:
        reason = "did not answer in time"
    except Overlong:
        reason = f"printed more than {_BUDGET >> 10} KiB"
    except OSError as error:
        reason = f"could not be started: {(error.strerror or 'unreadable').lower()}"
    return Cluster(gaps=(f"the cluster, for rabbitmqctl {reason}",))


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in _ITS_OWN or name.startswith(("LC_", "RABBITMQ_", "ERL_"))
    }
