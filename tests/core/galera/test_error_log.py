"""The server's own last errors, and whether another attempt can succeed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.galera.error_log import (
    MAX_CHARACTERS,
    MAX_LINES,
    find_errors,
    has_come_up,
    is_inconsistent,
    is_permanent,
    since_start,
    tell,
)

STAMP = "2026-01-31 22:00:00 0 "
START = f"{STAMP}[Note] Starting MariaDB 10.11.19-MariaDB source revision as process 4711\n"
UNSAFE = "[ERROR] WSREP: It may not be safe to bootstrap the cluster from this node."


@pytest.mark.parametrize(
    ("log", "errors"),
    [
        pytest.param("", (), id="nothing"),
        pytest.param(f"{STAMP}[Note] InnoDB: Buffer pool(s) load completed\n", (), id="no error"),
        pytest.param(f"{STAMP}{UNSAFE}\n{STAMP}[ERROR] Aborting\n", (UNSAFE,), id="the last word is no reason"),
        pytest.param(f"{STAMP}[ERROR] Aborting\n", ("[ERROR] Aborting",), id="unless there is no other"),
        pytest.param(f"2026-01-31 22:00:00 139872 {UNSAFE}", (UNSAFE,), id="a thread's number"),
        pytest.param(
            "2026-01-31T22:00:00.123456Z 0 [ERROR] [MY-000000] [WSREP] Provider is gone",
            ("[ERROR] [MY-000000] [WSREP] Provider is gone",),
            id="PXC 8",
        ),
        pytest.param(
            "Could not open required defaults file: /x.cnf\nFatal error in defaults handling. Program aborted\n",
            ("Could not open required defaults file: /x.cnf", "Fatal error in defaults handling. Program aborted"),
            id="before there is a log",
        ),
        pytest.param(
            "[ERROR] InnoDB: Operating system error number 28\n[ERROR] Plugin 'InnoDB' registration as a STORAGE ENGINE"
            " failed.\n[ERROR] Unknown/unsupported storage engine: InnoDB\n[ERROR] Aborting\n",
            ("[ERROR] InnoDB: Operating system error number 28",),
            id="what follows from it is no reason",
        ),
        pytest.param(
            "[Warning] Can't create test file '/d/n1.lower-test' (Errcode: 13)\n[ERROR] Aborting\n",
            ("[Warning] Can't create test file '/d/n1.lower-test' (Errcode: 13)",),
            id="a warning that ends the server",
        ),
    ],
)
def test_the_errors_of_a_log(log: str, errors: tuple[str, ...]) -> None:
    assert find_errors(log) == errors


STARTS = "[Note] WSREP: Running: 'wsrep_sst_rsync --role 'joiner' --address '192.0.2.1:4444''\n"
TO_SYSLOG = "WSREP_SST: [INFO] Logging all stderr of SST/mariadb-backup to syslog (20261127 09:34:42.540)\n"
# Recorded: MariaDB 10.11.19, Galera 26.4.23.
NO_RSYNC = f"""{STARTS}WSREP_SST: [INFO] rsync SST started on joiner (20261127 09:35:20.936)
/usr//bin/wsrep_sst_rsync: line 728: /usr//bin/rsync: Permission denied
WSREP_SST: [ERROR] the rsync or stunnel daemon (PID: 1224) terminated unexpectedly. (20261127 09:35:21.390)
WSREP_SST: [ERROR] Cleanup after exit with status: 16 (20261127 09:35:21.393)
WSREP_SST: [INFO] Joiner cleanup: rsync PID=1224, stunnel PID=0 (20261127 09:35:21.397)
2026-11-27  9:35:21 0 [ERROR] WSREP: Failed to read 'ready <addr>' (got '(null)') from: wsrep_sst_rsync --role 'joiner'
2026-11-27  9:35:21 0 [ERROR] WSREP: Process completed with error: wsrep_sst_rsync --role 'joiner': 1 (Not permitted)
2026-11-27  9:35:21 2 [ERROR] WSREP: Failed to prepare for 'rsync' SST. Unrecoverable.
2026-11-27  9:35:21 2 [ERROR] WSREP: SST request callback failed. This is unrecoverable, restart required.
"""
CUT_OFF = f"""{STARTS}WSREP_SST: [ERROR] '/usr/bin/socat' not found in path (20261127 09:35:21.390)
WSREP_SST: [ERROR] Cleanup after exit with status: 2 (20261127 09:35:21.393)
2026-11-27  9:35:21 0 [ERROR] WSREP: Failed to read 'ready <addr>' (got '(null)') from: wsrep_sst_mariabackup --role
2026-11-27  9:35:21 2 [ERROR] WSREP: SST request callback failed. This is unrecoverable, restart required.
"""
NO_END = f"""{TO_SYSLOG}2026-11-27  9:35:19 0 [ERROR] WSREP: Failed to read uuid:seqno from joiner script.
2026-11-27  9:35:19 0 [ERROR] WSREP: Process completed with error: wsrep_sst_mariabackup --role 'joiner': 1
2026-11-27  9:35:19 2 [ERROR] WSREP: Application received wrong state:
2026-11-27  9:35:19 2 [ERROR] WSREP: Application state transfer failed. This is unrecoverable condition.
"""
NOBODY = """[ERROR] WSREP: failed to open gcomm backend connection: 110: failed to reach primary view
[ERROR] WSREP: ./gcs/src/gcs_core.cpp:gcs_core_open():256: Failed to open backend connection: -110
[ERROR] WSREP: ./gcs/src/gcs.cpp:gcs_open():1701: Failed to open channel 'c' at 'gcomm://192.0.2.1'
[ERROR] WSREP: gcs connect failed: Operation timed out
[ERROR] WSREP: wsrep::connect(gcomm://192.0.2.1) failed: 7
[ERROR] Aborting
"""
BY_SCRIPT = "[ERROR] WSREP: Failed to read uuid:seqno from joiner script."


@pytest.mark.parametrize(
    ("log", "told"),
    [
        pytest.param(
            NO_RSYNC, "/usr//bin/wsrep_sst_rsync: line 728: /usr//bin/rsync: Permission denied", id="the shell's word"
        ),
        pytest.param(
            CUT_OFF, "WSREP_SST: [ERROR] '/usr/bin/socat' not found in path (20261127 09:35:21.390)", id="the script's"
        ),
        pytest.param(
            CUT_OFF + 7 * "[ERROR] WSREP: another\n",
            "WSREP_SST: [ERROR] '/usr/bin/socat' not found in path (20261127 09:35:21.390)",
            id="far ahead of the last",
        ),
        pytest.param(
            NO_END, f"{BY_SCRIPT}; the script's own errors: journalctl --since -1h | grep wsrep-sst",
            id="a script that writes elsewhere",
        ),
        pytest.param(
            NOBODY, "[ERROR] WSREP: failed to open gcomm backend connection: 110: failed to reach primary view",
            id="a group that is not reached",
        ),
        pytest.param(
            "sh: 1: wsrep_sst_nosuch: not found\n" + CUT_OFF.partition("status: 2 (20261127 09:35:21.393)\n")[2],
            "sh: 1: wsrep_sst_nosuch: not found", id="a method that is not installed",
        ),
    ],
)  # fmt: skip
def test_what_is_told_is_the_cause_and_not_its_last_echo(log: str, told: str) -> None:
    assert tell(find_errors(log)) == told
    assert tell(find_errors(f"{log}{STAMP}[ERROR] Aborting\n")) == told


@given(log=st.lists(st.sampled_from([f"{STAMP}{UNSAFE}", f"[ERROR] {'x' * 500}", "[ERROR]", START, ""])).map("\n".join))
def test_a_reason_stays_short(log: str) -> None:
    errors = find_errors(log)
    assert len(errors) <= MAX_LINES
    assert all(len(line) <= MAX_CHARACTERS for line in errors)


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ((), ""),
        (("[ERROR] one", "[ERROR] two"), "[ERROR] two"),
        (("[ERROR] one", "[ERROR] unknown option '--x'", "[ERROR] two"), "[ERROR] unknown option '--x'"),
    ],
)
def test_the_error_that_somebody_can_mend_is_told_before_the_last(errors: tuple[str, ...], told: str) -> None:
    assert tell(errors) == told


@pytest.mark.parametrize(
    ("error", "permanent"),
    [
        ("[ERROR] mariadbd: unknown variable 'nosuch=1'", True),
        ("[ERROR] mariadbd: unknown option '--nosuch'", True),
        ("Could not open required defaults file: /x.cnf", True),
        ("[ERROR] WSREP: wsrep_load(): dlopen(): /x.so: cannot open shared object file", True),
        ("[ERROR] mariadbd: Can't create/write to file '/x' (Errcode: 13 \"Permission denied\")", True),
        ("[ERROR] InnoDB: The innodb_system data file 'ibdata1' must be writable", True),
        (UNSAFE, False),
        ("[ERROR] WSREP: failed to open gcomm backend connection: 110: failed to reach primary view", False),
        ("[ERROR] WSREP: failed to open gcomm backend connection: 3: Failed to read thread schedparams", False),
        ("[ERROR] Can't start server: Bind on TCP/IP port. Got error: 98: Address already in use", False),
        ("[ERROR] InnoDB: Unable to lock ./ibdata1 error: 11", False),
        ("[ERROR] WSREP: Requesting state transfer failed: -113(No route to host)", False),
    ],
)
def test_only_what_somebody_has_to_change_is_permanent(error: str, permanent: bool) -> None:
    assert is_permanent((error,)) is permanent


@pytest.mark.parametrize(
    ("log", "inconsistent"),
    [
        ("", False),
        (f"{START}{STAMP}[ERROR] WSREP: Inconsistency detected: Inconsistent by consensus on {'a' * 8}:4\n", True),
        (f"{STAMP}[ERROR] WSREP: Inconsistency detected: Inconsistent by consensus on x:4\n{START}", False),
        (f"{START}{STAMP}[ERROR] WSREP: Requesting state transfer failed\n", False),
        (
            f"{START}{STAMP}[ERROR] WSREP: Receiving IST failed, node restart required: IST receiver reported failure: "
            "'got exception while reading IST stream: Unsupported CC action version\n",
            True,
        ),
        (f"{STAMP}[Warning] WSREP: trx protocol version: 6 does not match certification protocol version: -1\n", True),
        (f"{STAMP}[ERROR] WSREP: Receiving IST failed, node restart required: x\n{START}", False),
    ],
)
def test_only_the_server_that_ran_last_counts_as_one_that_lacks_rows(log: str, inconsistent: bool) -> None:
    assert is_inconsistent(log) is inconsistent


@pytest.mark.parametrize("unit", ["Starting x ", "Starting", "starting as process x", "[ERROR] ", "{\n", '{"label"\n'])
def test_a_log_that_its_server_wrote_on_purpose_is_read_soon(unit: str) -> None:
    """Root and the responder read 256 KiB of it; by quadratic time that would be a minute."""
    log = unit * (1 << 18)
    began = time.process_time()
    since_start(log[: 1 << 18])
    find_errors(log[: 1 << 18])
    assert time.process_time() - began < 10


READY = f"{STAMP}[Note] /usr/sbin/mariadbd: ready for connections.\n"


@pytest.mark.parametrize(
    ("log", "come_up"),
    [
        pytest.param("", None, id="nothing"),
        pytest.param(READY, None, id="its start is not in what was read"),
        pytest.param(f"{START}{STAMP}[Note] InnoDB: To recover: 4711 pages\n", False, id="in crash recovery"),
        pytest.param(f"{START}{READY}", True, id="it listens"),
        pytest.param(f"{START}{READY}{START}", False, id="the one before it listened"),
        pytest.param(
            f"{START}{STAMP}[Note] /usr/sbin/mariadbd (initiated by: unknown): Normal shutdown\n", True, id="it ends"
        ),
    ],
)
def test_whether_the_last_server_has_come_up(log: str, come_up: bool | None) -> None:
    assert has_come_up(log) is come_up
