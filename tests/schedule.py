"""Which tests share a worker, and which of them begin first (`tools/test`).

A group is a file, and all of its tests run on one worker, in order: fixtures of a module are made once. Tests of the
laboratory that stand in one cluster are one group, and so are those of the packages, which are built once. Groups begin
longest first, so that no worker is left with a long one when the others have ended. Much of what takes long is waiting
for timeouts, which costs no processor: so there are more workers than cores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

# The laboratory that tests/lab/conftest.py builds serves all of these.
LABORATORY = "tests/lab"
# These build their own.
OWN = ("tests/lab/test_laboratory.py", "tests/lab/test_debian13.py")
PACKAGES = "tests/packages"
# What each group takes, in seconds, measured on two busy cores: only the order counts. What is not named takes less
# than 20; a new file that takes a minute wants a row.
SECONDS: dict[str, int] = {
    "tests/lab": 420,
    "tests/responder/test_commits.py": 200,
    "tests/security/test_service_peers.py": 200,
    "tests/packages": 180,
    "tests/responder/test_full_log.py": 100,
    "tests/security/test_processes.py": 220,
    "tests/security/test_recovery.py": 210,
    "tests/services/test_oslo_workers.py": 190,
    "tests/agent/test_life.py": 180,
    "tests/services/test_http.py": 170,
    "tests/services/test_matrix.py": 160,
    "tests/security/test_database_peer.py": 150,
    "tests/mutants/test_election_mutants.py": 40,
    "tests/services/test_rabbitmq.py": 130,
    "tests/lab/test_debian13.py": 240,
    "tests/lab/test_laboratory.py": 120,
    "tests/agent/test_field.py": 110,
    "tests/agent/test_field_settings.py": 110,
    "tests/agent/test_long_work.py": 110,
    "tests/responder/test_cluster_states.py": 110,
    "tests/shell/test_cluster.py": 90,
    "tests/install/test_upgrade.py": 90,
    "tests/security/test_cluster_peer.py": 90,
    "tests/services/test_rabbitmq_cluster.py": 90,
    "tests/server/test_launch.py": 80,
    "tests/services/test_pacemaker.py": 70,
    "tests/server/test_recover.py": 70,
    "tests/server/test_creation.py": 60,
    "tests/shell/test_cluster_sources.py": 60,
    "tests/shell/test_cluster_keepers.py": 60,
    "tests/shell/test_watch.py": 70,
    "tests/screens/test_sizes.py": 70,
    "tests/responder/test_drained_stop.py": 60,
    "tests/responder/test_haproxy.py": 70,
    "tests/responder/test_summaries.py": 70,
    "tests/services/test_runner.py": 70,
    "tests/security/test_database_peer_of_agent.py": 60,
    "tests/fuzz/test_fuzz.py": 60,
    "tests/responder/test_request_forms.py": 60,
    "tests/responder/test_login.py": 60,
    "tests/doctor/test_member_rules.py": 60,
    "tests/doctor/test_galera_rules.py": 50,
    "tests/services/test_command.py": 50,
    "tests/shell/test_verdicts.py": 50,
    "tests/loopback/test_loopback.py": 40,
    "tests/server/test_occupants.py": 40,
    "tests/agent/test_service_agent.py": 40,
    "tests/security/test_resident.py": 40,
    "tests/server/test_terminate.py": 40,
    "tests/responder/test_database_lost.py": 40,
    "tests/shell/test_clustercheck_server.py": 40,
    "tests/security/test_files.py": 40,
    "tests/shell/test_switch.py": 40,
    "tests/responder/test_wsrep_states.py": 30,
    "tests/responder/test_started_by_systemd.py": 30,
    "tests/security/test_resident_services.py": 30,
    "tests/install/test_units.py": 30,
    "tests/responder/test_configuration.py": 30,
    "tests/services/test_haproxy.py": 30,
    "tests/responder/test_started_by_xinetd.py": 30,
    "tests/responder/test_transport.py": 30,
    "tests/responder/test_bad_input.py": 20,
    "tests/install/test_install.py": 20,
    "tests/server/test_datadir.py": 20,
    "tests/shell/test_clustercheck_settings.py": 20,
    "tests/shell/test_usage.py": 20,
    "tests/services/test_memcached.py": 30,
    "tests/edges/test_option_file.py": 20,
}


def group_of(nodeid: str) -> str:
    """Return the name of a test's group: its file, or what several files share."""
    file = nodeid.partition("::")[0]
    if file.startswith(f"{PACKAGES}/"):
        return PACKAGES
    return LABORATORY if file.startswith(f"{LABORATORY}/") and file not in OWN else file


def put_longest_first(items: list[pytest.Item]) -> None:
    """Sort tests by what their group takes; within a group, and among equals, the order stays."""
    items.sort(key=lambda item: -SECONDS.get(group_of(item.nodeid), 0))
