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

# The laboratory that tests/lab/conftest.py builds as the document says serves all of these.
LABORATORY = "tests/lab"
# These build their own.
OWN = ("tests/lab/test_xha.py", "tests/lab/test_laboratory.py", "tests/lab/test_debian13.py")
PACKAGES = "tests/packages"
# What each group takes, in seconds, measured on two busy cores: only the order counts. What is not named takes less
# than 20; a new file that takes a minute wants a row.
SECONDS: dict[str, int] = {
    "tests/lab/test_xha.py": 560,
    "tests/install/test_upgrade.py": 320,
    "tests/lab/test_debian13.py": 300,
    "tests/lab": 270,
    "tests/security/test_processes.py": 190,
    "tests/security/test_recovery.py": 180,
    "tests/agent/test_life.py": 160,
    "tests/responder/test_cluster_states.py": 150,
    "tests/services/test_http.py": 130,
    "tests/responder/test_commits.py": 120,
    "tests/security/test_service_peers.py": 110,
    "tests/services/test_oslo_workers.py": 110,
    "tests/services/test_rabbitmq_cluster.py": 100,
    "tests/security/test_database_peer.py": 100,
    "tests/services/test_service_resource.py": 90,
    "tests/responder/test_request_forms.py": 80,
    "tests/services/test_command.py": 70,
    "tests/security/test_files.py": 70,
    "tests/responder/test_summaries.py": 60,
    "tests/responder/test_full_log.py": 60,
    "tests/fuzz/test_fuzz.py": 60,
    "tests/services/test_runner.py": 60,
    "tests/agent/test_field_settings.py": 60,
    "tests/agent/test_eviction.py": 60,
    "tests/responder/test_haproxy.py": 50,
    "tests/services/test_pacemaker.py": 50,
    "tests/server/test_terminate.py": 50,
    "tests/responder/test_icinga.py": 50,
    "tests/responder/test_login.py": 50,
    "tests/mutants/test_election_mutants.py": 50,
    "tests/packages": 50,
    "tests/shell/test_cluster.py": 50,
    "tests/agent/test_service_agent.py": 50,
    "tests/agent/test_field.py": 40,
    "tests/shell/test_resident.py": 40,
    "tests/security/test_resident.py": 40,
    "tests/security/test_resident_keeper.py": 40,
    "tests/security/test_resident_services.py": 40,
    "tests/services/test_rabbitmq.py": 40,
    "tests/responder/test_history_haproxy.py": 40,
    "tests/responder/test_drained_stop.py": 40,
    "tests/responder/test_writer.py": 40,
    "tests/server/test_creation.py": 40,
    "tests/security/test_install.py": 40,
    "tests/shell/test_watch.py": 40,
    "tests/agent/test_long_work.py": 30,
    "tests/install/test_services_unit.py": 30,
    "tests/shell/test_verdicts.py": 30,
    "tests/responder/test_database_lost.py": 30,
    "tests/services/test_past_results.py": 30,
    "tests/screens/test_sizes.py": 30,
    "tests/lab/test_laboratory.py": 30,
    "tests/install/test_units.py": 30,
    "tests/doctor/test_member_rules.py": 30,
    "tests/shell/test_cluster_sources.py": 30,
    "tests/server/test_handed_over.py": 30,
    "tests/edges/test_kept_connection.py": 30,
    "tests/shell/test_usage.py": 30,
    "tests/responder/test_configuration.py": 30,
    "tests/responder/test_probes_document.py": 30,
    "tests/server/test_launch.py": 20,
    "tests/shell/test_clustercheck_server.py": 20,
    "tests/loopback/test_loopback.py": 20,
    "tests/services/test_matrix.py": 20,
    "tests/responder/test_started_by_systemd.py": 20,
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
