"""What a RabbitMQ cluster's own output means for one of its nodes."""

from __future__ import annotations

from typing import Any

import pytest

from xha.core.services.model.result import Status
from xha.core.services.rabbitmq.cluster import find_faults, judge_cluster
from xha.core.services.rabbitmq.facts import (
    parse_cluster_status,
    parse_document,
    parse_health,
    parse_nodes,
    parse_policies,
    parse_queues,
)
from xha.core.services.rabbitmq.queues import mirrors_wanted
from xha.core.services.rabbitmq.state import Cluster, NodeFact, QueueFact

A, B, C, D = "rabbit@a", "rabbit@b", "rabbit@c", "rabbit@d"
WHOLE = (NodeFact(A, True, ()), NodeFact(B, True, ()), NodeFact(C, True, ()))
NAMES = (A, B, C)


def judged(cluster: Cluster, expected: Any = NAMES) -> tuple[str, str | None, str]:
    result = judge_cluster("rabbitmq", expected, cluster, "a round trip")
    assert result.proved.startswith("a round trip")
    return result.status.value, result.blame, result.message


def texts(cluster: Cluster, expected: Any = NAMES) -> str:
    return "; ".join(finding.text for finding in find_faults(expected, cluster))


@pytest.mark.parametrize("expected", [NAMES, 3, 0, ()])
def test_a_whole_cluster_is_well(expected: Any) -> None:
    cluster = Cluster(A, nodes=WHOLE, alarms=(), queues=(QueueFact("q", "/"),))
    assert judged(cluster, expected) == ("ok", None, "a round trip; whole: 3 nodes, 1 queue")


def test_nothing_asked_nothing_said() -> None:
    assert judged(Cluster(), ()) == ("ok", None, "a round trip")


def split(own: str, *sides: tuple[str, ...]) -> Cluster:
    """The output of a node that sees only the nodes of its own side."""
    here = next(side for side in sides if own in side)
    away = tuple(name for side in sides if side is not here for name in side)
    nodes = [NodeFact(name, True, away) if name in here else NodeFact(name, False) for side in sides for name in side]
    return Cluster(own, nodes=tuple(nodes))


@pytest.mark.parametrize(
    ("own", "sides", "status", "blame"),
    [
        (A, ((A, B), (C,)), "warning", f"dependency:{C}"),
        (B, ((A, B), (C,)), "warning", f"dependency:{C}"),
        (C, ((A, B), (C,)), "critical", "self"),
        # Of two halves, the one with the first name keeps its clients. Otherwise a load balancer would have no broker.
        (A, ((A,), (B,)), "warning", f"dependency:{B}"),
        (B, ((A,), (B,)), "critical", "self"),
        (D, ((A, D), (B, C)), "warning", f"dependency:{B}"),
        (C, ((A, D), (B, C)), "critical", "self"),
        # In three pieces, no piece has a majority.
        (A, ((A,), (B,), (C,)), "critical", "self"),
    ],
)
def test_split_brain_is_down_on_the_smaller_side(
    own: str, sides: tuple[tuple[str, ...], ...], status: str, blame: str
) -> None:
    names = tuple(sorted(name for side in sides for name in side))
    found = judged(split(own, *sides), names)
    assert found[:2] == (status, blame)
    assert "split brain" in found[2]
    assert "not running" not in found[2]  # reported only once


def test_exactly_one_side_stays_in_service() -> None:
    for sides in (((A, B), (C,)), ((A,), (B,)), ((A, B), (C, D)), ((A, C), (B, D))):
        names = tuple(sorted(name for side in sides for name in side))
        up = {own for own in names if judged(split(own, *sides), names)[0] == "warning"}
        assert up in [set(side) for side in sides]


def test_a_partition_between_others_is_blamed_on_the_one_that_most_are_cut_from() -> None:
    # As rabbit-2 of three reported it (measured): it had not noticed the partition itself.
    nodes = (NodeFact(A, True, (C,)), NodeFact(B, True, ()), NodeFact(C, True, (A, B)))
    text = "split brain: partitioned are rabbit@a from rabbit@c, rabbit@b from rabbit@c"
    assert judged(Cluster(B, nodes=nodes)) == ("warning", f"dependency:{C}", text)


def test_a_node_that_is_down() -> None:
    nodes = (NodeFact(A, True, ()), NodeFact(B, True, ()), NodeFact(C, False))
    assert judged(Cluster(A, nodes=nodes)) == ("warning", f"dependency:{C}", f"not running: {C}")
    assert judged(Cluster(A, nodes=nodes), 3)[:2] == ("warning", f"dependency:{C}")


def test_two_of_three_down_say_that_no_majority_is_left() -> None:
    nodes = (NodeFact(A, True, ()), NodeFact(B, False), NodeFact(C, False))
    assert judged(Cluster(A, nodes=nodes)) == (
        "warning",
        f"dependency:{B}",
        f"not running: {B}, {C}, and no majority is left",
    )


def test_a_node_that_is_no_member_at_all() -> None:
    two = Cluster(A, nodes=WHOLE[:2])
    assert judged(two) == ("warning", f"dependency:{C}", f"its cluster lacks nodes: {C} no member")
    assert judged(two, 3) == ("warning", "dependency:rabbitmq", "its cluster lacks nodes: 2 members, not 3")


@pytest.mark.parametrize("expected", [NAMES, 3])
def test_a_node_that_lost_its_data_is_a_cluster_of_its_own(expected: Any) -> None:
    status, blame, text = judged(Cluster(C, nodes=(NodeFact(C, True, ()),)), expected)
    assert (status, blame) == ("critical", "self")
    assert "a cluster of its own" in text


@pytest.mark.parametrize("own", ["rabbit@a.example.org", ""], ids=["its own name is told", "and is not"])
def test_long_names_in_place_of_short_ones_take_no_broker_down(own: str) -> None:
    nodes = tuple(NodeFact(f"{name}.example.org", True, ()) for name in NAMES)
    status, _, text = judged(Cluster(own, nodes=nodes))
    assert status == "warning"
    assert f"its cluster lacks nodes: {A}, {B}, {C} no member" in text


def test_of_two_lone_nodes_the_first_stays_in_service() -> None:
    names = (A, B)
    assert judged(Cluster(A, nodes=(NodeFact(A, True, ()),)), names)[0] == "warning"
    assert judged(Cluster(B, nodes=(NodeFact(B, True, ()),)), names)[0] == "critical"


def test_a_node_that_nobody_expects() -> None:
    assert "none of the expected" in texts(Cluster(D, nodes=(*WHOLE, NodeFact(D, True, ()))))


@pytest.mark.parametrize(
    ("own", "blame"), [(B, "self"), (A, f"dependency:{B}"), ("", "self")], ids=["here", "there", "unknown"]
)
def test_an_alarm_is_a_warning_and_never_more(own: str, blame: str) -> None:
    nodes = (WHOLE[0], NodeFact(B, True, (), ("disk",)), WHOLE[2])
    # The health check shows the memory alarm before the nodes do.
    status, blamed, text = judged(Cluster(own, nodes=nodes, alarms=((B, "memory"),)))
    assert (status, blamed) == ("warning", blame)
    assert text == f"disk alarm on {B}: publishers are blocked; memory alarm on {B}: publishers are blocked"


@pytest.mark.parametrize(
    ("mode", "count", "nodes", "wanted"),
    [
        ("all", 0, 3, 2),
        ("all", 0, 1, 0),
        ("exactly", 2, 3, 1),
        ("exactly", 5, 3, 2),
        ("exactly", 1, 3, 0),
        ("nodes", 2, 3, 1),
        ("nodes", 0, 3, 0),
        (None, 0, 3, 0),
    ],
)
def test_mirrors_that_a_policy_wants(mode: str | None, count: int, nodes: int, wanted: int) -> None:
    assert mirrors_wanted(QueueFact("q", "/", ha_mode=mode, ha_count=count), nodes) == wanted


def test_mirrors_are_counted_by_the_policy_and_not_by_what_is_left() -> None:
    # Node c is gone: its mirror is not listed, so the rest looks synchronised (measured).
    nodes = (NodeFact(A, True, ()), NodeFact(B, True, ()), NodeFact(C, False))
    queue = QueueFact("mq", "/", ha_mode="all", synchronised=1)
    status, blame, text = judged(Cluster(A, nodes=nodes, queues=(queue,)))
    assert (status, blame) == ("warning", f"dependency:{C}")
    assert "1 queue without all synchronised mirrors of the policy: mq" in text
    # It was never a member, or it was forgotten: the expected number counts.
    assert "mirrors" in texts(Cluster(A, nodes=nodes[:2], queues=(queue,)))
    assert "mirrors" in texts(Cluster(A, nodes=nodes[:2], queues=(queue,)), 3)
    assert texts(Cluster(A, nodes=nodes[:2], queues=(queue,)), ()) == ""


def test_a_mirror_that_is_missing_with_its_node_is_that_node_s_fault() -> None:
    queue = QueueFact("mq", "/", ha_mode="all", synchronised=1)
    assert judged(Cluster(A, nodes=WHOLE[:2], queues=(queue,)))[:2] == ("warning", f"dependency:{C}")


def test_a_split_brain_that_is_half_seen_is_said_once() -> None:
    # Right after the cut, from a node that has not noticed it yet.
    nodes = (NodeFact(A, True, ()), NodeFact(B, True, ()), NodeFact(C, False, (A, B)))
    assert judged(Cluster(A, nodes=nodes)) == (
        "warning",
        f"dependency:{C}",
        "split brain: partitioned are rabbit@a from rabbit@c, rabbit@b from rabbit@c",
    )


def test_an_unsynchronised_mirror_of_a_whole_cluster_is_its_own_fault() -> None:
    queues = tuple(QueueFact(f"mq{n}", "/", ha_mode="all", synchronised=n) for n in range(3))
    status, blame, text = judged(Cluster(A, nodes=WHOLE, queues=queues))
    assert (status, blame) == ("warning", "self")
    assert text == "2 queues without all synchronised mirrors of the policy: mq0, mq1, 1 with none"


def test_mirrors_are_history_since_rabbitmq_4() -> None:
    queue = QueueFact("mq", "/", ha_mode="all")
    assert "ignored since 4.0" in texts(Cluster(A, "4.0.6", WHOLE, queues=(queue,)))
    assert "ignored since 4.0" not in texts(Cluster(A, "3.13.7", WHOLE, queues=(queue,)))


def test_quorum_queues_without_leader_and_with_members_away() -> None:
    lame = QueueFact("lame", "/", "quorum", members=NAMES, online=(A, B))
    headless = QueueFact("headless", "/", "quorum", members=NAMES, online=(A,), has_leader=False)
    text = texts(Cluster(A, nodes=WHOLE, queues=(lame, headless)))
    assert text == ("1 quorum queue without a leader: headless; 1 quorum queue with members away on rabbit@c: lame")


def test_a_stream_is_no_quorum_queue() -> None:
    stream = QueueFact("log", "/", "stream", members=NAMES, online=(A, B))
    assert judged(Cluster(A, nodes=WHOLE, queues=(stream,))) == (
        "warning",
        f"dependency:{C}",
        "1 stream with members away on rabbit@c: log",
    )


# members, group, target, and how many there should be if these are too few
SIZES = [
    ((A,), None, 0, 3),
    ((A, B), None, 0, 3),
    (NAMES, None, 0, None),
    ((A,), 1, 0, None),
    ((A, B), 5, 0, 3),
    ((A,), 1, 3, 3),
    ((A,), 2, 1, 2),
]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize(
    ("kind", "word", "remedy"),
    [("quorum", "quorum queue", "rabbitmq-queues grow"), ("stream", "stream", "rabbitmq-streams add_replica")],
)
def test_a_replicated_queue_has_as_many_members_as_were_asked_for(
    kind: str, word: str, remedy: str, sizes: Any
) -> None:
    members, group, target, wanted = sizes
    queue = QueueFact("q", "/", kind, members=members, online=members, group=group, target=target)
    text = texts(Cluster(A, "4.0.5", nodes=WHOLE, queues=(queue,)))
    few = f"1 {word} with too few members: q ({len(members)} of {wanted}); {remedy} adds them"
    assert text == (few if wanted else "")


def test_a_stream_of_three_in_a_cluster_that_has_grown_is_not_too_small() -> None:
    """It had all nodes of the cluster when it was declared, and no broker tells how many these were."""
    nodes = (*WHOLE, NodeFact("rabbit@d", True, ()), NodeFact("rabbit@e", True, ()))
    stream = QueueFact("log", "/", "stream", members=NAMES, online=NAMES)
    assert texts(Cluster(A, "4.0.5", nodes, queues=(stream,))) == ""
    large = stream._replace(group=5)
    assert "log (3 of 5)" in texts(Cluster(A, "4.0.5", nodes, queues=(large,)))
    for version in ("3.10.8", "3.13.7", ""):  # its API tells the members of the declaration, or may do so
        assert texts(Cluster(A, version, nodes, queues=(large,))) == ""


@pytest.mark.parametrize(
    ("kind", "arguments", "policy", "sizes"),
    [
        ("quorum", {}, {}, (None, 0)),
        ("quorum", {"x-quorum-initial-group-size": 5}, {}, (5, 0)),
        ("quorum", {"x-quorum-target-group-size": 3}, {"target-group-size": 5}, (None, 5)),
        ("quorum", {"x-initial-cluster-size": 5}, {"initial-cluster-size": 5}, (None, 0)),
        ("stream", {}, {}, (None, 0)),
        ("stream", {"x-initial-cluster-size": 1}, {}, (1, 0)),
        ("stream", {"x-initial-cluster-size": 1}, {"initial-cluster-size": 2}, (1, 0)),
        ("stream", {"x-initial-cluster-size": 5}, {"initial-cluster-size": 2}, (2, 0)),
        ("stream", {"x-initial-cluster-size": 5}, {}, (5, 0)),
        ("stream", {}, {"initial-cluster-size": 1}, (1, 0)),
        ("stream", {}, {"initial-cluster-size": 5}, (3, 0)),
        ("stream", {"x-initial-cluster-size": True}, {"target-group-size": 2}, (None, 0)),
        ("classic", {"x-quorum-initial-group-size": 5}, {"target-group-size": 5}, (None, 0)),
        ("stream", [], {}, (None, 0)),
    ],
)
def test_how_many_members_were_asked_for(kind: str, arguments: Any, policy: Any, sizes: tuple[int | None, int]) -> None:
    row = {"name": "q", "type": kind, "arguments": arguments, "effective_policy_definition": policy}
    [queue] = parse_queues([row], {})
    assert (queue.group, queue.target) == sizes
    [queue] = parse_queues([{**row, "effective_policy_definition": {}, "policy": "p"}], {("", "p"): policy})
    assert (queue.group, queue.target) == sizes


def test_a_policy_that_was_raised_asks_no_older_stream_for_more() -> None:
    """A policy's size is applied when a stream is declared; 3 without both is what the check asks for anyway."""
    nodes = (*WHOLE, NodeFact("rabbit@d", True, ()), NodeFact("rabbit@e", True, ()))

    def judge_stream(members: int, size: int, own: int | None) -> str:
        arguments = {} if own is None else {"x-initial-cluster-size": own}
        names = [node.name for node in nodes[:members]]
        row = {"name": "log", "type": "stream", "arguments": arguments, "members": names, "online": names, "leader": A}
        queues = parse_queues([{**row, "effective_policy_definition": {"initial-cluster-size": size}}], {})
        return texts(Cluster(A, "4.0.5", nodes, queues=queues))

    assert judge_stream(1, size=3, own=1) == ""
    assert judge_stream(3, size=5, own=3) == ""
    assert judge_stream(3, size=5, own=None) == ""
    assert judge_stream(1, size=1, own=5) == ""
    assert "log (2 of 3)" in judge_stream(2, size=5, own=3)
    assert "log (2 of 3)" in judge_stream(2, size=5, own=None)
    assert "log (1 of 2)" in judge_stream(1, size=2, own=5)


def test_a_drained_node_is_told_and_blamed_itself() -> None:
    nodes = (*WHOLE[:2], WHOLE[2]._replace(maintenance=True))
    queue = QueueFact("q", "/", "quorum", members=NAMES, online=(A, B))
    status, blame, text = judged(Cluster(A, nodes=nodes, queues=(queue,)))
    assert (status, blame) == ("warning", f"dependency:{C}")
    assert text == "in maintenance, drained by an operator: rabbit@c; 1 quorum queue with members away on rabbit@c: q"


def test_the_members_of_a_drained_node_are_not_the_fault_of_the_one_that_tells() -> None:
    # 3.10 does not tell in its API that a node is drained: it runs, and its members do not.
    queue = QueueFact("q", "/", "quorum", members=NAMES, online=(A, B))
    assert judged(Cluster(A, nodes=WHOLE, queues=(queue,)))[:2] == ("warning", f"dependency:{C}")


# /api/nodes and /api/queues of 3.10.8 with management_agent.disable_metrics_collector = true, shortened
MUTE_NODES = [{"name": name, "type": "disc", "running": True} for name in (A, B, C)]
MUTE_QUEUES = [
    {"arguments": {}, "exclusive": False, "name": "cl", "node": A, "state": "live", "type": "classic", "vhost": "/"},
    {"name": "q3", "type": "quorum", "vhost": "/", "leader": A, "members": list(NAMES), "online": list(NAMES)},
]


def test_a_node_that_does_not_tell_its_partitions_is_not_whole() -> None:
    cluster = Cluster(A, "3.10.8", parse_nodes(MUTE_NODES), (), parse_queues(MUTE_QUEUES, {}))
    status, blame, text = judged(cluster)
    assert (status, blame) == ("unknown", None)
    assert "the partitions of rabbit@a, rabbit@b, rabbit@c, which its API does not tell" in text
    assert "the copies of 1 queue: cl" in text


def test_what_rabbitmqctl_3_10_says_of_a_drained_node() -> None:
    document = {
        "disk_nodes": [A, B],
        "running_nodes": [B, A],
        "partitions": {},
        "maintenance_status": {A: "not under maintenance", B: "\ub100[35mmarked for maintenance\ub100[0m"},
    }
    assert [(one.partitions, one.maintenance) for one in parse_cluster_status(document)] == [((), False), ((), True)]
    del document["partitions"]
    assert [one.partitions for one in parse_cluster_status(document)] == [None, None]


def test_queues_that_are_down_are_not_counted_twice() -> None:
    queues = tuple(QueueFact(f"q{n}", "/", state="down", ha_mode="all") for n in range(5))
    assert texts(Cluster(A, nodes=WHOLE, queues=queues)) == "5 queues down: q0, q1, q2, ..."


def test_what_gave_no_answer_is_unknown_and_the_rest_is_judged() -> None:
    cluster = Cluster(A, nodes=split(C, (A, B), (C,)).nodes, gaps=("/api/queues (no answer in time)",))
    status, blame, text = judged(cluster._replace(own=C))
    assert (status, blame) == ("critical", "self")
    assert text.endswith("not looked at: /api/queues (no answer in time)")
    assert judged(Cluster(gaps=("/api/nodes (answered 500)",)), ())[:2] == ("unknown", None)


def test_only_what_is_down_is_critical() -> None:
    result = judge_cluster("r", NAMES, split(A, (A, B), (C,)), "p")
    assert result.status is Status.WARNING
    assert not result.is_down


def test_nodes_with_and_without_their_keys() -> None:
    # A node that is down, and one that has just started, as 3.10.8 shows them.
    document = [
        {"name": A, "running": True, "partitions": [C], "mem_alarm": True, "disk_free_alarm": False},
        {"name": B, "running": True},
        {"name": C, "type": "disc", "running": False},
    ]
    assert parse_nodes(document) == (NodeFact(A, True, (C,), ("memory",)), NodeFact(B, True), NodeFact(C, False))


def test_a_health_check_s_alarms() -> None:
    failed = {"alarms": [{"node": A, "resource": "memory"}], "reason": "x", "status": "failed"}
    assert parse_health(failed) == ((A, "memory"),)
    assert parse_health({"status": "ok"}) == ()


QUEUE = (
    '[{"name": "mq", "vhost": "/", "type": "classic", "state": "running", "node": "rabbit@a", "policy": "ha",'
    ' "synchronised_slave_nodes": ["rabbit@b"], "synchronised_slave_nodes": ["rabbit@c", "rabbit@b"]}]'
)


def test_a_name_that_stands_twice_has_both_lists() -> None:
    policies = parse_policies([{"vhost": "/", "name": "ha", "definition": {"ha-mode": "exactly", "ha-params": 2}}])
    [queue] = parse_queues(parse_document(QUEUE), policies)
    assert queue == QueueFact("mq", "/", "classic", "running", "rabbit@a", "exactly", 2, 2, None, None, None)


def test_a_queue_s_effective_policy_comes_before_the_policy_s_name() -> None:
    row = {"name": "q", "vhost": "/", "policy": "ha", "effective_policy_definition": {"max-length": 3}}
    policies = {("/", "ha"): {"ha-mode": "all"}}
    assert parse_queues([row], policies)[0].ha_mode is None
    assert parse_queues([{**row, "effective_policy_definition": {}}], policies)[0].ha_mode == "all"
    nodes = {"ha-mode": "nodes", "ha-params": [A, B]}
    assert parse_queues([{**row, "effective_policy_definition": nodes}], {})[0].ha_count == 2


def test_quorum_queues_have_members_and_no_mirrors() -> None:
    row = {"name": "q", "vhost": "/", "type": "quorum", "members": [A, B, C], "online": [A, B], "leader": A}
    queue = parse_queues([{**row, "effective_policy_definition": {"ha-mode": "all"}}], {})[0]
    assert queue == QueueFact("q", "/", "quorum", members=NAMES, online=(A, B))
    assert not parse_queues([{**row, "leader": ""}], {})[0].has_leader


@pytest.mark.parametrize("more", [{"exclusive": True}, {"owner_pid_details": {"name": "x"}}])
def test_exclusive_queues_are_left_out(more: dict[str, Any]) -> None:
    assert parse_queues([{"name": "q", "vhost": "/", **more}], {}) == ()


def test_cluster_status_of_rabbitmqctl() -> None:
    document = {
        "disk_nodes": [A, B],
        "ram_nodes": [C],
        "running_nodes": [B, A],
        "partitions": {A: [C]},
        "alarms": [{"node": B, "resource": "disk"}, "file_descriptor_limit"],
    }
    assert parse_cluster_status(document) == (
        NodeFact(A, True, (C,)),
        NodeFact(B, True, (), ("disk",)),
        NodeFact(C, False, ()),
    )


@pytest.mark.parametrize(
    ("parse", "document"),
    [
        (parse_nodes, lambda name: [{"name": name, "running": False}]),
        (parse_nodes, lambda name: [{"name": A, "running": True, "partitions": [name]}]),
        (parse_health, lambda name: {"alarms": [{"node": name, "resource": "memory"}]}),
        (parse_cluster_status, lambda name: {"running_nodes": [name], "partitions": {}}),
        (parse_cluster_status, lambda name: {"running_nodes": [A], "partitions": {A: [name]}}),
        (parse_cluster_status, lambda name: {"running_nodes": [A], "alarms": [{"node": name, "resource": "disk"}]}),
        (lambda one: parse_queues(one, {}), lambda name: [{"name": "q", "node": name}]),
        (lambda one: parse_queues(one, {}), lambda name: [{"name": "q", "members": [name], "online": []}]),
    ],
)
def test_a_name_that_no_node_can_have_is_an_error(parse: Any, document: Any) -> None:
    """A node's name is an Erlang atom, of 255 characters at most. No longer one is taken, for a node may be blamed."""
    parse(document("n" * 255))
    with pytest.raises(ValueError, match="the name of a node has 256 characters"):
        parse(document("n" * 256))


@pytest.mark.parametrize("parse", [parse_nodes, parse_health, parse_policies, lambda one: parse_queues(one, {})])
@pytest.mark.parametrize("document", [None, 3, "x", [1], [[]]])
def test_another_shape_is_an_error(parse: Any, document: Any) -> None:
    with pytest.raises(ValueError, match="not a"):
        parse(document)
