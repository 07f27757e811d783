"""What is wrong with a list of members, in sentences: the agent and the doctor tell it."""

from __future__ import annotations

import pytest

from xha.core.galera.member_list import find_member_faults


@pytest.mark.parametrize(
    ("text", "said", "remedy", "rewrites"),
    [
        (
            "gcomm://n1,10.0.0.1",
            "wsrep_cluster_address is ambiguous: n1 and 10.0.0.1 are both the node n1",
            "name each host once, or set cluster_host_map",
            False,
        ),
        (
            "gcomm://n1:x,n2",
            "wsrep_cluster_address in /my.cnf: 'x' in 'n1:x' is no port (1 to 65535)",
            "set it to gcomm://HOST,HOST,HOST, all hosts that hold data",
            True,
        ),
        (
            "gcomm://",
            "wsrep_cluster_address names no member in /my.cnf",
            "set it to gcomm://HOST,HOST,HOST, all hosts that hold data",
            True,
        ),
        (
            "gcomm://n2",
            "wsrep_cluster_address does not name this host, n1",
            "add it, or set cluster_host_map",
            False,
        ),
    ],
)
def test_each_fault_is_a_sentence_and_each_remedy_is_something_to_do(
    text: str, said: str, remedy: str, rewrites: bool
) -> None:
    resolved = {"n1": ["10.0.0.1"], "10.0.0.1": ["10.0.0.1"], "n2": ["10.0.0.2"]}
    [fault] = find_member_faults(
        text, "n1", resolved=resolved, own=["10.0.0.1"], host_map={}, arbitrators=(), where="/my.cnf"
    )
    assert (fault.text, fault.remedy, fault.rewrites) == (said, remedy, rewrites)
    assert str(fault) == f"{said}: {remedy}"
