"""rabbitmqctl, where there is no management API: an Erlang VM of its own, some 0.4 s of CPU each time (measured)."""

from __future__ import annotations

import subprocess

from ..core.services.rabbitmq import Cluster
from ..core.services.rabbitmq_facts import parse_cluster_status, parse_document
from .deadline import Step, begin_step


def read_cluster_status(program: str, node: str | None, seconds: float, step: Step) -> Cluster:
    """Ask the local node for its cluster; the queues are not asked for. What does not come of it is a gap.

    step: whose fault it is if the time of the check is up meanwhile, and what it has proved by then.
    """
    begin_step("the answer of rabbitmqctl", blame=step.blame, proved=step.proved)
    # It ends by itself in time: where it runs as another user below su, nobody here can end it.
    words = [program, "--quiet", "--timeout", str(max(1, int(seconds))), "cluster_status", "--formatter", "json"]
    if node:
        words += ["--node", node, *(["--longnames"] if "." in node.partition("@")[2] else [])]
    try:
        text = _run(words, seconds)
        document = parse_document(text)
        nodes = parse_cluster_status(document)
    except (OSError, subprocess.SubprocessError) as error:
        return Cluster(gaps=(f"the cluster, for rabbitmqctl {_reason(error)}",))
    except (ValueError, KeyError, TypeError):
        return Cluster(gaps=("the cluster, for rabbitmqctl printed no JSON",))
    # Only the node that was asked knows of partitions in its own right: its name is not printed.
    return Cluster(node or "", nodes=nodes)


def _run(words: list[str], seconds: float) -> str:
    """Return what a program prints. It stays in the check's process group, which ends with the check."""
    process = subprocess.Popen(  # noqa: S603 - the operator's own program
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd="/",
    )
    try:
        text, _ = process.communicate(timeout=seconds)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words[0])
    return text


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return "did not answer in time"
    if isinstance(error, subprocess.CalledProcessError):
        return f"exited {error.returncode}: it needs root, and a node that runs"
    return f"could not be started: {(getattr(error, 'strerror', None) or 'unreadable').lower()}"
