"""What one Galera node reported at one moment.

The names are the server's own, in lower case. A field is None if the server did not send it or sent something that does
not parse. So parsing a reading never fails; the reading only contains less.
"""

from __future__ import annotations

from enum import Enum, IntEnum

from ..text.escape import clean
from ..text.light_typing import TYPE_CHECKING, NamedTuple
from ..text.numbers import parse_float, parse_int

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Callable, Union

    Value = Union[int, float, bool, str, None]
    ReadOnly = bool


class LocalState(IntEnum):
    """wsrep_local_state (wsrep-API, enum wsrep_member_status)."""

    UNDEFINED = 0
    JOINING = 1
    DONOR = 2
    JOINED = 3
    SYNCED = 4
    ERROR = 5


class WsrepStatus(NamedTuple):
    """The rows of SHOW GLOBAL STATUS that xha needs."""

    wsrep_local_state: int | None = None
    wsrep_local_state_comment: str | None = None
    wsrep_cluster_status: str | None = None
    wsrep_ready: bool | None = None
    wsrep_connected: bool | None = None
    wsrep_cluster_size: int | None = None
    wsrep_cluster_weight: int | None = None
    wsrep_cluster_state_uuid: str | None = None
    wsrep_cluster_conf_id: int | None = None
    wsrep_local_state_uuid: str | None = None
    wsrep_last_committed: int | None = None
    wsrep_local_cached_downto: int | None = None
    wsrep_local_commits: int | None = None
    wsrep_replicated: int | None = None
    wsrep_replicated_bytes: int | None = None
    wsrep_received: int | None = None
    wsrep_received_bytes: int | None = None
    wsrep_local_index: int | None = None
    wsrep_local_recv_queue: int | None = None
    wsrep_local_send_queue: int | None = None
    wsrep_flow_control_paused: float | None = None
    wsrep_flow_control_paused_ns: int | None = None
    wsrep_flow_control_sent: int | None = None
    wsrep_flow_control_recv: int | None = None
    wsrep_flow_control_active: bool | None = None
    wsrep_flow_control_requested: bool | None = None
    wsrep_desync_count: int | None = None
    wsrep_incoming_addresses: str | None = None
    wsrep_gcomm_uuid: str | None = None
    wsrep_evs_state: str | None = None
    wsrep_provider_version: str | None = None
    handler_write: int | None = None
    handler_update: int | None = None
    handler_delete: int | None = None
    innodb_data_written: int | None = None
    binlog_bytes_written: int | None = None
    threads_connected: int | None = None
    uptime: int | None = None


class Variables(NamedTuple):
    """The rows of SHOW GLOBAL VARIABLES that xha needs.

    Only Percona XtraDB Cluster sends pxc_maint_mode; only MySQL and Percona send offline_mode. tx_read_only became
    transaction_read_only, in MySQL 8.0 and MariaDB 11.1.
    """

    wsrep_on: bool | None = None
    wsrep_desync: bool | None = None
    wsrep_reject_queries: str | None = None
    wsrep_sst_donor_rejects_queries: bool | None = None
    wsrep_sst_method: str | None = None
    wsrep_cluster_address: str | None = None
    wsrep_cluster_name: str | None = None
    wsrep_node_name: str | None = None
    wsrep_node_address: str | None = None
    wsrep_provider: str | None = None
    pxc_maint_mode: str | None = None
    read_only: ReadOnly | None = None
    tx_read_only: bool | None = None
    transaction_read_only: bool | None = None
    innodb_read_only: bool | None = None
    offline_mode: bool | None = None
    skip_networking: bool | None = None
    bind_address: str | None = None
    wsrep_status_file: str | None = None
    log_error: str | None = None
    max_connections: int | None = None
    datadir: str | None = None
    tmpdir: str | None = None
    log_bin_basename: str | None = None
    innodb_log_group_home_dir: str | None = None
    socket: str | None = None
    hostname: str | None = None
    port: int | None = None
    version: str | None = None


# Each of them makes a server refuse writes. super_read_only is not here: it implies read_only.
READ_ONLY_NAMES = ("read_only", "tx_read_only", "transaction_read_only", "innodb_read_only")
STATUS_NAMES = WsrepStatus._fields
VARIABLE_NAMES = Variables._fields


class DonorKind(str, Enum):
    """What a local process proves about a node in state Donor/Desynced."""

    SST = "sst"
    LOCK = "lock"


class DonorEvidence(NamedTuple):
    """The local process that tells an SST donor from a backup's lock, for example `wsrep_sst_rsync, pid 4711`."""

    kind: DonorKind
    process: str


class Departure(NamedTuple):
    """What the server wrote about its leaving the group: whether it was evicted, and the last error, "" if unknown."""

    evicted: bool
    text: str = ""


class Working(NamedTuple):
    """What the server's threads do at this moment that may hold up later commits.

    ddl: the first word of a statement that changes a definition, as ALTER; rows: the state of an applier that does not
    say that it waits. "" where there is none.
    """

    ddl: str = ""
    rows: str = ""


class Reading(NamedTuple):
    """The facts of one round trip, and what this host's processes and files add to them.

    probe_errno: the server's error number for the query that an application would send, 0 if it succeeded.
    departure: only for a node that is connected to no group, and only where the reader may read what the server wrote.
    working: None if nobody asked, or the account may not see the threads of others.
    """

    status: WsrepStatus = WsrepStatus()
    variables: Variables = Variables()
    probe_errno: int = 0
    donor: DonorEvidence | None = None
    departure: Departure | None = None
    working: Working | None = None


def is_serving(reading: Reading) -> bool:
    """Return whether a server says that it is in a Primary component with all of its data."""
    status = reading.status
    inside = status.wsrep_cluster_status == "Primary" and not has_left_group(status)
    return inside and status.wsrep_local_state in (LocalState.DONOR, LocalState.JOINED, LocalState.SYNCED)


def has_left_group(status: WsrepStatus) -> bool:
    """Return whether Galera has left its group for good, as after a state transfer that failed.

    After "Receiving IST failed, node restart required" it may go on saying Joining, non-Primary and wsrep_connected =
    ON for ever (measured, MariaDB 10.11 with Galera 26.4.23). Then only the values of the group communication are gone,
    which every version sends while its channel is open (tests/core/listings). A member that was evicted while its
    binary log was frozen goes on saying Synced, Primary, connected and ready for as long, too: what tells it otherwise
    waits behind the frozen write set (measured, 10.11 and 11.8).
    """
    if status.wsrep_cluster_status == "Disconnected":
        return True
    closed = status.wsrep_gcomm_uuid is None and status.wsrep_evs_state is None
    joins = status.wsrep_local_state == LocalState.JOINING and status.wsrep_cluster_status == "non-Primary"
    return closed and (joins or status.wsrep_cluster_status == "Primary")


def is_apart(reading: Reading) -> bool:
    """Return whether the node is connected to no group, although Galera is on."""
    apart = reading.status.wsrep_connected is False or has_left_group(reading.status)
    return apart and reading.variables.wsrep_on is not False


def count_data_members(status: WsrepStatus) -> int | None:
    """Return how many members of the component have data; None if that is not known.

    An arbitrator (garbd) is a member without an incoming address (measured, Galera 26.4.23: "a:3306,b:3306," with a
    wsrep_cluster_size of 3). A data node that does not know its address says AUTO. Where the list does not have an
    entry for each member, as while the membership changes, every member counts.
    """
    size = status.wsrep_cluster_size
    entries = (status.wsrep_incoming_addresses or "").split(",")
    members = sum(bool(entry.strip()) for entry in entries)
    return members if members and len(entries) == size else size


# States of an applier that waits for something else than itself (measured, MariaDB 10.11: in each way of
# docs/commits.md).
_WAITS = ("Waiting ", "wsrep aborter", "wsrep applier idle", "wsrep applier committed")


def parse_threads(rows: Iterable[tuple[str | None, str | None, str | None]]) -> Working | None:
    """Parse rows (USER, STATE, the beginning of a definition statement or "") of the list of threads.

    None without a row of an applier: each node of a cluster has some, so the account may not see them.
    """
    ddl, busy, seen = "", "", False
    for user, state, word in rows:
        applier = user == "system user"
        seen = seen or applier
        if not state or state == "Commit" or state.startswith(_WAITS):
            continue
        if word:
            ddl = ddl or clean((word.split() or [word])[0])
        elif applier:
            busy = busy or clean(state)
    return Working(ddl, busy) if seen else None


def parse_flag(text: str) -> bool | None:
    """Return True for ON, YES, TRUE and 1, False for their opposites, None for anything else."""
    word = text.upper()
    if word in ("ON", "YES", "TRUE", "1"):
        return True
    return False if word in ("OFF", "NO", "FALSE", "0", "") else None


def parse_read_only(text: str) -> bool:
    """Return whether writes are refused. MariaDB 12 has further words besides ON, and all of them are read-only."""
    return parse_flag(text) is not False


_PARSERS: Mapping[str, Callable[[str], Value]] = {
    "int | None": parse_int,
    "float | None": parse_float,
    "bool | None": parse_flag,
    "str | None": str,
    "ReadOnly | None": parse_read_only,
}


def _parse_rows(kind: type[WsrepStatus] | type[Variables], rows: Iterable[tuple[str, str]]) -> dict[str, Value]:
    parsers = {name: _PARSERS[kind.__annotations__[name]] for name in kind._fields}
    named = ((str(name).lower(), value) for name, value in rows)
    return {name: parsers[name](str(value)) for name, value in named if name in parsers and value is not None}


def parse_status(rows: Iterable[tuple[str, str]]) -> WsrepStatus:
    """Parse (name, value) rows of SHOW GLOBAL STATUS. Rows with other names are ignored."""
    return WsrepStatus(**_parse_rows(WsrepStatus, rows))  # type: ignore[arg-type]


def parse_variables(rows: Iterable[tuple[str, str]]) -> Variables:
    """Parse (name, value) rows of SHOW GLOBAL VARIABLES. Rows with other names are ignored."""
    return Variables(**_parse_rows(Variables, rows))  # type: ignore[arg-type]


def reading_values(reading: Reading) -> dict[str, Value]:
    """Return the reading as one flat mapping of the server's names to values, for JSON."""
    evidence = reading.donor.process if reading.donor else None
    return {
        **reading.status._asdict(),
        **reading.variables._asdict(),
        "probe_errno": reading.probe_errno,
        "donor_evidence": evidence,
    }
