"""Renders a node's facts and verdict as JSON, a Nagios line and Prometheus metrics (docs/schema-1.json)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..galera.reading import METRICS, Reading, reading_values
from ..text.escape import clean

if TYPE_CHECKING:
    from typing import Any

    from .disabled import Disabled
    from .verdict import Policy, Unreadable, Verdict

SCHEMA = 1


class NodeReport(NamedTuple):
    """Everything that xha knows about one node at one moment. time is RFC 3339 in UTC, age is in seconds."""

    host: str
    time: str
    age: float
    verdict: Verdict
    policy: Policy
    disabled: Disabled | None
    reading: Reading | Unreadable
    warnings: tuple[str, ...] = ()


_ABSENT = reading_values(Reading(probe_errno=0))
# Values that would help an attacker to proceed. They are not sent to other hosts (docs/security.md).
_LOCAL_ONLY = (
    "wsrep_incoming_addresses",
    "wsrep_cluster_address",
    "wsrep_node_address",
    "wsrep_provider",
    "hostname",
    "datadir",
    "socket",
    "bind_address",
    "wsrep_status_file",
    "log_error",
    "donor_evidence",
)


def node_document(report: NodeReport, *, remote: bool = False) -> dict[str, Any]:
    """Return the JSON object of kind node. For a remote reader it has no account, path, address or server text."""
    values = reading_values(report.reading) if isinstance(report.reading, Reading) else dict(_ABSENT, probe_errno=None)
    verdict, disabled, warnings = report.verdict, report.disabled, report.warnings
    if remote:
        values.update(dict.fromkeys(_LOCAL_ONLY))
        verdict = verdict._replace(message=verdict.message.partition(": ")[0])
        disabled = disabled and disabled._replace(by=None, why=None)
        warnings = ()
    return {
        "schema": SCHEMA,
        "kind": "node",
        "host": report.host,
        "time": report.time,
        "age_ms": round(report.age * 1000),
        "verdict": {
            "available": verdict.available,
            "live": verdict.live,
            "code": verdict.code.value,
            "message": verdict.message,
            "remedy": verdict.remedy,
        },
        "policy": {**report.policy._asdict(), "last_node": report.policy.last_node.value},
        "disabled": disabled and disabled._asdict(),
        "warnings": list(warnings),
        "reading": values,
    }


def render_nagios(verdict: Verdict, reading: Reading | Unreadable) -> str:
    """Return the status line with performance data (Monitoring Plugins guidelines, section 2.6)."""
    values = reading_values(reading) if isinstance(reading, Reading) else {}
    perfdata = " ".join(f"{name}={_number(values[name])}" for name in METRICS if values.get(name) is not None)
    line = nagios_text(f"GALERA {verdict.exit_code.name}: {verdict.code.value}, {verdict.message}")
    return f"{line} | {perfdata}" if perfdata else line


def nagios_text(text: str) -> str:
    """Return the text on one line, without the character that begins performance data, whatever the server wrote."""
    return clean(text, 1000).replace("|", "/")


def render_metrics(report: NodeReport, counters: dict[str, tuple[str, int]]) -> str:
    """Return the Prometheus text exposition (format 0.0.4). counters maps a name to its help and value."""
    verdict = report.verdict
    values = reading_values(report.reading) if isinstance(report.reading, Reading) else {}
    lines = [
        *_metric("xha_available", "gauge", "1 if the node may serve traffic", int(verdict.available)),
        *_metric("xha_live", "gauge", "1 if the node need not be repaired", int(verdict.live)),
        *_metric("xha_disabled", "gauge", "1 if the node was taken out of service by hand", int(bool(report.disabled))),
        *_metric("xha_warnings", "gauge", "things to mend that do not change the answer yet", len(report.warnings)),
        *_metric("xha_reading_age_seconds", "gauge", "age of the reading behind the answer", report.age),
        "# HELP xha_verdict the reason, as a label",
        "# TYPE xha_verdict gauge",
        f'xha_verdict{{code="{verdict.code.value}"}} 1',
    ]
    for name, text in METRICS.items():
        if values.get(name) is not None:
            lines += _metric(f"xha_{name}", "gauge", text, values[name])
    for name, (text, count) in counters.items():
        lines += _metric(name, "counter", text, count)
    return "\n".join(lines) + "\n"


def _metric(name: str, kind: str, text: str, value: Any) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}", f"{name} {_number(value)}"]


def _number(value: Any) -> str:
    # No exponent: the guidelines allow only the characters [-0-9.] in a number.
    if isinstance(value, float):
        return f"{value:.9f}".rstrip("0").rstrip(".")
    return str(int(value))
