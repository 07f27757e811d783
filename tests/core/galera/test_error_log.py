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
