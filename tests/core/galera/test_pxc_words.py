"""What Percona XtraDB Cluster and MySQL write, as recorded lines with their sources: PXC cannot be installed here."""

from __future__ import annotations

import pytest

from core.election.test_unknown import json_line
from xha.core.galera.error_log import find_errors, is_permanent, plain, tell
from xha.core.galera.position import Position, parse_recovered_position
from xha.core.galera.recovery import OPTIONS, judge_recovery
from xha.core.galera.server_options import parse_server_options

UUID = "4e7ca4a7-c127-11f1-804c-2e28d37e9dfc"
# A run of PXC 8.0, in a public harness that supervises its nodes.
RECOVERED = f"2026-10-06T01:44:30.673582Z 0 [Note] [MY-000000] [WSREP] Recovered position: {UUID}:603\n"
# The same run's log of a node that ended later; the verdict is one client's.
VERDICT = (
    "2026-10-05T20:21:44.982553Z 4198 [ERROR] [MY-000000] [WSREP] Percona-XtraDB-Cluster doesn't recommend using "
    "SERIALIZABLE isolation with pxc_strict_mode = ENFORCING\n"
)
# Percona's log of a bootstrap that was refused: rimzy.net, "Consequences of Forcing Bootstrap on PXC" (8.0.31).
UNSAFE = (
    "2023-06-22T08:00:48.322148Z 0 [ERROR] [MY-000000] [Galera] It may not be safe to bootstrap the cluster from this "
    "node. It was not the last one to leave the cluster and may not contain all the updates.\n"
)
REVERSED = (
    "2023-06-22T08:23:29.003334Z 0 [ERROR] [MY-000000] [Galera] gcs/src/gcs_group.cpp:group_post_state_exchange():433: "
    "Reversing history: 171 -> 44, this member has applied 127 more events than the primary component.Data loss is "
    "possible. Must abort.\n"
)
# The wording of PXC's source, where wsrep_replicate_myisam is checked, in the layout of a start, which pxc_strict_mode
# halts (docs.percona.com/percona-xtradb-cluster/8.0/strict-mode.html).
PROHIBITED = (
    "2023-06-22T08:00:48.322148Z 0 [ERROR] [MY-000000] [WSREP] Percona-XtraDB-Cluster prohibits use of MyISAM table "
    "replication feature with pxc_strict_mode = ENFORCING or MASTER\n"
)
# wsrep_sst_auth is gone in PXC 8.0. Several public notes on upgrades quote the message; the layout is MySQL's.
SST_AUTH = (
    "2023-06-22T08:00:48.322148Z 0 [ERROR] [MY-000067] [Server] unknown variable 'wsrep_sst_auth=sst:pass word'.\n"
)
ABORTING = "2023-06-22T08:00:48.322149Z 0 [ERROR] [MY-010119] [Server] Aborting\n"
# MySQL's manual, "Error Log Output Format": the objects of log_sink_json (8.0.3), and of later versions.
EARLY_JSON = (
    '{ "log_type" : 1, "prio" : 0, "err_code" : 1408, "msg" : "/usr/sbin/mysqld: ready for connections. Version: '
    "'8.0.3-rc-log'  socket: '/var/lib/mysql/mysql.sock'  port: 3306  MySQL Community Server (GPL)\", "
    '"time" : "2017-10-15T12:29:10.952502Z", "err_symbol" : "ER_STARTUP", "SQL_state" : "HY000", "label" : "Note" }'
)


def test_the_position_is_read_in_both_sinks() -> None:
    assert parse_recovered_position(RECOVERED) == Position(UUID, 603)
    assert parse_recovered_position(json_line(f"Recovered position: {UUID}:603")) == Position(UUID, 603)
    assert judge_recovery(RECOVERED, 0, "").position == Position(UUID, 603)


def test_a_recovery_asks_for_notes_and_a_plain_sink() -> None:
    """The position is a note: with log_error_verbosity 1 or 2 a recovery names none, and that is no position."""
    assert "--loose-log-error-verbosity=3" in OPTIONS
    assert "--loose-log-error-services=log_filter_internal; log_sink_internal" in OPTIONS
    silent = judge_recovery("", 0, "")
    assert silent.position is None
    assert "named no position" in silent.failure


def test_a_json_line_of_an_early_version_is_read() -> None:
    assert plain(EARLY_JSON).startswith("[Note] [] /usr/sbin/mysqld: ready for connections.")


@pytest.mark.parametrize(
    ("log", "told", "permanent"),
    [
        pytest.param(f"{UNSAFE}{ABORTING}", "It may not be safe to bootstrap", False, id="a bootstrap that is refused"),
        pytest.param(f"{REVERSED}{ABORTING}", "Reversing history: 171 -> 44", False, id="more than the Primary has"),
        pytest.param(f"{PROHIBITED}{ABORTING}", "prohibits use of MyISAM", True, id="pxc_strict_mode at the start"),
        pytest.param(f"{UNSAFE}{VERDICT}{ABORTING}", "It may not be safe", False, id="pxc_strict_mode, to a client"),
        pytest.param(
            f"{SST_AUTH}{ABORTING}", "unknown variable 'wsrep_sst_auth=***'", True, id="an option that is gone"
        ),
        pytest.param(
            json_line("unknown variable 'wsrep_sst_auth=sst:pass word'.", "Error", "Server"),
            "unknown variable 'wsrep_sst_auth=***'",
            True,
            id="the same in JSON",
        ),
    ],
)
def test_why_a_server_ended(log: str, told: str, permanent: bool) -> None:
    errors = find_errors(log)
    assert told in tell(errors)
    assert is_permanent(errors) is permanent
    assert "pass word" not in str(errors)


def test_what_a_client_was_told_is_never_why_a_server_ended() -> None:
    """Killed for its memory, a server writes nothing of its own: a later start may work, and nothing is permanent."""
    refused = PROHIBITED.replace("Z 0 ", "Z 12 ")
    assert find_errors(refused) == ()
    assert "Aborting" in tell(find_errors(f"{refused}{ABORTING}"))


@pytest.mark.parametrize(
    "line",
    [
        "Error: unknown variable 'wsrep-sst-auth=u:p'",
        "[ERROR] mariadbd: unknown variable 'wsrep_sst_auth = u:p'",
        "[ERROR] unknown variable 'report_password=u:p'",
    ],
)
def test_a_password_in_an_option_that_the_server_quotes_is_not_shown(line: str) -> None:
    assert "u:p" not in str(find_errors(f"[ERROR] {line}"))


def test_stderr_as_mysql_lists_it_is_no_file() -> None:
    """MySQL's manual, log_error: the default names no file, and is listed as stderr."""
    listing = (
        "Variables (--variable-name=value)\ndatadir  /srv/db/\nlog-error  stderr\npid-file  x\nport  3306\nsocket  y\n"
        "\nTo see what values a running MySQL server is using, type\n"
    )
    options = parse_server_options(listing)
    assert options is not None
    assert options.log_error == ""
