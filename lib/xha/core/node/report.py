"""Renders a node's facts and verdict as JSON, a Nagios line and Prometheus metrics (docs/schema-1.json)."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from ..galera.reading import Reading, reading_values
from ..text.escape import clean
from .commits import NOT_KNOWN, Commits
from .verdict import NagiosCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from .balancers import Balancers
    from .verdict import Policy, Unreadable, Verdict
    from .withdrawal import Withdrawal
    from .writer_rule import WriterReport

SCHEMA = 1
# The values that are shown as Nagios performance data and as Prometheus gauges, if the server sent them.
METRICS = {
    "wsrep_local_state": "Galera state of the node: 1 joining, 2 donor or desynced, 3 joined, 4 synced",
    "wsrep_cluster_size": "members of the node's component",
    "wsrep_ready": "1 if Galera is ready for queries",
    "wsrep_last_committed": "sequence number of the last committed write set",
    "wsrep_local_recv_queue": "write sets received and not yet applied",
    "wsrep_local_send_queue": "write sets waiting to be sent",
    "wsrep_flow_control_paused": "fraction of time paused by flow control since the last FLUSH STATUS",
    "wsrep_flow_control_active": "1 while flow control stops replication, whichever node requests it",
    "wsrep_flow_control_requested": "1 while this node requests it",
    "threads_connected": "connections open at the server",
}
# The values that only grow, until the server ends or somebody says FLUSH STATUS: Prometheus counters, xha_NAME_total.
COUNTERS = {
    "wsrep_flow_control_paused_ns": "nanoseconds for which flow control has stopped replication",
    "wsrep_flow_control_sent": "how often this node asked the others to stop",
    "wsrep_flow_control_recv": "how often a member was seen to ask for it, this one included",
}


class NodeReport(NamedTuple):
    """Everything that xha knows about one node at one moment. time is RFC 3339 in UTC, age is in seconds.

    since: since when the node is as it is, in seconds since 1970; None where nobody has seen it change.
    cluster: the name that its server had for the cluster last, "" where none was seen.
    source: who looked: sql, or another host's responder.
    """

    host: str
    time: str
    age: float
    verdict: Verdict
    policy: Policy
    withdrawal: Withdrawal | None
    reading: Reading | Unreadable
    warnings: tuple[str, ...] = ()
    commits: Commits = NOT_KNOWN
    balancers: Balancers | None = None
    writer: WriterReport | None = None
    since: float | None = None
    cluster: str = ""
    source: str = "sql"


_ABSENT = reading_values(Reading(probe_errno=0))
# Values that would help an attacker to proceed. They are not sent to other hosts (docs/security.md).
_LOCAL_ONLY = (
    "wsrep_incoming_addresses",
    "wsrep_cluster_address",
    "wsrep_node_address",
    "wsrep_provider",
    "hostname",
    "datadir",
    "tmpdir",
    "log_bin_basename",
    "innodb_log_group_home_dir",
    "socket",
    "bind_address",
    "wsrep_status_file",
    "log_error",
    "donor_evidence",
)


def whole_ms(seconds: float) -> int:
    """Return an age in whole milliseconds, rounded up: no answer is older than it says, but for a nanosecond."""
    return ceil((seconds - 1e-9) * 1000)


def node_document(report: NodeReport, *, remote: bool = False) -> dict[str, Any]:
    """Return the JSON object of kind node. For a remote reader it has no account, path, address or server text."""
    values = reading_values(report.reading) if isinstance(report.reading, Reading) else dict(_ABSENT, probe_errno=None)
    verdict, withdrawal, warnings, commits = report.verdict, report.withdrawal, report.warnings, report.commits
    if remote:
        values.update(dict.fromkeys(_LOCAL_ONLY))
        verdict = verdict._replace(message=verdict.message.partition(": ")[0])
        withdrawal = withdrawal and withdrawal._replace(by=None, why=None)
        warnings = ()
        commits = commits._replace(unknown=commits.unknown and "told on its host")
    return {
        "schema": SCHEMA,
        "kind": "node",
        "source": report.source,
        "host": report.host,
        "time": report.time,
        "age_ms": whole_ms(report.age),
        "verdict": {
            "available": verdict.available,
            "live": verdict.live,
            "code": verdict.code.value,
            "message": verdict.message,
            "remedy": verdict.remedy,
            "since": None if report.since is None else _instant(report.since),
        },
        "policy": {**report.policy._asdict(), "last_node": report.policy.last_node.value},
        "disabled": _withdrawal_document(withdrawal, drains=False),
        "drain": _withdrawal_document(withdrawal, drains=True),
        "balancers": report.balancers and _balancers_document(report.balancers, remote),
        "writer": report.writer and _writer_document(report.writer, remote),
        "warnings": list(warnings),
        "commits": {
            "known": not commits.unknown,
            "unknown": commits.unknown or None,
            "probe_age_ms": _milliseconds(commits.probe_age),
            "probe_ms": _milliseconds(commits.probe_seconds),
        },
        "reading": values,
    }


def _withdrawal_document(withdrawal: Withdrawal | None, *, drains: bool) -> dict[str, str | None] | None:
    if withdrawal is None or withdrawal.drains != drains:
        return None
    return {"by": withdrawal.by, "why": withdrawal.why, "until": withdrawal.until}


def _balancers_document(balancers: Balancers, remote: bool) -> dict[str, Any]:
    return {
        "asking": balancers.asking,
        "untold": None if remote else list(balancers.untold),
        "unknown": balancers.unknown or None,
        "done": balancers.done,
    }


def _writer_document(writer: WriterReport, remote: bool) -> dict[str, Any]:
    record = writer.standing.record
    return {
        "counter": record and record.counter,
        "node": record and record.writer,
        "available": writer.verdict.available,
        "code": writer.verdict.code.value,
        "balancers": writer.takers and _balancers_document(writer.takers, remote),
    }


def _instant(seconds: float) -> str:
    from datetime import datetime, timezone

    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def nagios_code(verdict: Verdict, warnings: Iterable[str]) -> NagiosCode:
    """Return the exit code of --nagios: a node in service of which there is a warning is WARNING, never OK."""
    return NagiosCode.WARNING if verdict.exit_code is NagiosCode.OK and any(warnings) else verdict.exit_code


def render_nagios(verdict: Verdict, reading: Reading | Unreadable, warnings: Sequence[str] = ()) -> str:
    """Return the status line with performance data (Monitoring Plugins guidelines, section 2.6)."""
    values = reading_values(reading) if isinstance(reading, Reading) else {}
    perfdata = " ".join(f"{name}={_number(values[name])}" for name in METRICS if values.get(name) is not None)
    word = nagios_code(verdict, warnings).name
    line = nagios_text(f"GALERA {word}: {'; '.join([f'{verdict.code.value}, {verdict.message}', *warnings])}")
    return f"{line} | {perfdata}" if perfdata else line


def nagios_text(text: str) -> str:
    """Return the text on one line, without the character that begins performance data, whatever the server wrote."""
    return clean(text, 1000).replace("|", "/")


def render_metrics(report: NodeReport, counters: dict[str, tuple[str, int]]) -> str:
    """Return the Prometheus text exposition (format 0.0.4). counters maps a name to its help and value."""
    verdict, off = report.verdict, report.withdrawal
    values = reading_values(report.reading) if isinstance(report.reading, Reading) else {}
    lines = [
        *_metric("xha_available", "gauge", "1 if the node may serve traffic", int(verdict.available)),
        *_metric("xha_live", "gauge", "1 if the node need not be repaired", int(verdict.live)),
        *_metric(
            "xha_disabled", "gauge", "1 if the node was taken out of service by hand", int(bool(off and not off.drains))
        ),
        *_metric("xha_draining", "gauge", "1 if the node is to get no new connections", int(bool(off and off.drains))),
        *_metric("xha_warnings", "gauge", "things to mend that do not change the answer yet", len(report.warnings)),
        *_metric("xha_reading_age_seconds", "gauge", "age of the reading behind the answer", report.age),
        "# HELP xha_verdict the reason, as a label",
        "# TYPE xha_verdict gauge",
        f'xha_verdict{{code="{verdict.code.value}"}} 1',
    ]
    for name, text in METRICS.items():
        if values.get(name) is not None:
            lines += _metric(f"xha_{name}", "gauge", text, values[name])
    lines += _commit_metrics(report, values)
    if report.since is not None:
        text = "since when the node is as it is, in seconds since 1970"
        lines += _metric("xha_since_timestamp_seconds", "gauge", text, report.since)
    for name, (text, count) in counters.items():
        lines += _metric(name, "counter", text, count)
    return "\n".join(lines) + "\n"


def _commit_metrics(report: NodeReport, values: dict[str, Any]) -> list[str]:
    commits, lines = report.commits, []
    # Of a server that is down, too: the cluster's name is what an alert is joined with.
    cluster = values.get("wsrep_cluster_name") or report.cluster
    if cluster:
        lines += [
            "# HELP xha_cluster_info the name of the cluster, as a label",
            "# TYPE xha_cluster_info gauge",
            f'xha_cluster_info{{cluster="{_label(str(cluster))}"}} 1',
        ]
    for name, text in COUNTERS.items():
        if values.get(name) is not None:
            lines += _metric(f"xha_{name}_total", "counter", text, values[name])
    text = "1 if it is known that the node commits, or that it does not"
    lines += _metric("xha_commits_known", "gauge", text, int(not commits.unknown))
    if commits.probe_age is not None:
        lines += _metric("xha_commit_probe_age_seconds", "gauge", "age of the last probe's commit", commits.probe_age)
    if commits.probe_seconds is not None:
        text = "how long the last probe's commit took"
        lines += _metric("xha_commit_probe_seconds", "gauge", text, commits.probe_seconds)
    for kind, text in (("free", "room for the server's account"), ("size", "size of the file system")):
        found = [
            f'xha_disk_{kind}_bytes{{directory="{_label(name.partition(" ")[0])}"}} {getattr(room, kind)}'
            for room in commits.rooms
            for name in room.names
        ]
        if found:
            lines += [f"# HELP xha_disk_{kind}_bytes {text}", f"# TYPE xha_disk_{kind}_bytes gauge", *found]
    return lines


def _label(text: str) -> str:
    return clean(text).replace("\\", "\\\\").replace('"', '\\"')


def _metric(name: str, kind: str, text: str, value: Any) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}", f"{name} {_number(value)}"]


def _number(value: Any) -> str:
    # No exponent: the guidelines allow only the characters [-0-9.] in a number.
    if isinstance(value, float):
        return f"{value:.9f}".rstrip("0").rstrip(".")
    return str(int(value))
