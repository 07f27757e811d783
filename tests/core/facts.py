"""Readings as the servers send them, for tests to vary: a synced member of three, and the recorded listings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xha.core.galera.reading import Reading, Variables, WsrepStatus, parse_status, parse_variables

UUID = "6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18"
OTHER_UUID = "11111111-8b0d-11ef-9c41-3a5f0e7d2b18"
NO_UUID = "00000000-0000-0000-0000-000000000000"
MEMBERS = "192.0.2.11:3306,192.0.2.12:3306,192.0.2.13:3306"

LISTINGS = Path(__file__).with_name("listings")
FAMILIES = sorted(path.name for path in LISTINGS.iterdir())
GALERA = [name for name in FAMILIES if not name.startswith("mysql")]

Rows = list[tuple[str, str]]

# The variables of a node that serves.
WELL = Variables(
    wsrep_on=True,
    wsrep_desync=False,
    wsrep_reject_queries="NONE",
    read_only=False,
    tx_read_only=False,
    skip_networking=False,
    max_connections=151,
)


def synced(**changes: Any) -> Reading:
    """A synced member of a cluster of three. changes: fields of the status, of the variables and of the reading."""
    status = WsrepStatus(
        wsrep_local_state=4,
        wsrep_local_state_comment="Synced",
        wsrep_cluster_status="Primary",
        wsrep_ready=True,
        wsrep_connected=True,
        wsrep_cluster_size=3,
        wsrep_cluster_state_uuid=UUID,
        wsrep_cluster_conf_id=3,
        wsrep_incoming_addresses=MEMBERS,
        wsrep_gcomm_uuid="7a2d3bae-8b0d-11ef-a7d2-1b6c9f4e8d05",
        wsrep_evs_state="OPERATIONAL",
    )
    reading = Reading(status, WELL)
    for name, value in changes.items():
        if name in WsrepStatus._fields:
            reading = reading._replace(status=reading.status._replace(**{name: value}))
        elif name in Variables._fields:
            reading = reading._replace(variables=reading.variables._replace(**{name: value}))
        else:
            reading = reading._replace(**{name: value})
    return reading


def read_listing(name: str) -> tuple[Rows, Rows]:
    """The rows of SHOW GLOBAL STATUS and SHOW GLOBAL VARIABLES of a file in listings/."""
    sections: dict[str, Rows] = {"[status]": [], "[variables]": []}
    rows: Rows = []
    for line in (LISTINGS / name).read_text(encoding="utf-8").split("\n"):
        if line in sections:
            rows = sections[line]
        elif line and not line.startswith("#"):
            key, _, value = line.partition("\t")
            rows.append((key, value))
    return sections["[status]"], sections["[variables]"]


def listed(name: str, **changes: str) -> Reading:
    """The reading of a listing, with some of its values replaced in the server's own spelling."""
    status, variables = read_listing(name)
    known = {key.lower() for key, _ in status + variables}
    assert set(changes) <= known, f"{name} has no {set(changes) - known}"
    return Reading(
        parse_status((key, changes.get(key.lower(), value)) for key, value in status),
        parse_variables((key, changes.get(key.lower(), value)) for key, value in variables),
    )
