"""What one node of RabbitMQ says about its cluster. A value of None was not told, and is neither good nor bad."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..model.result import SELF

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Union

    Expected = Union[tuple[str, ...], int]
    Policies = Mapping[tuple[str, str], Mapping[str, Any]]


class NodeFact(NamedTuple):
    """One member of the cluster. running and partitions are None if it was not told.

    maintenance: an operator has drained it (rabbitmq-upgrade drain).
    """

    name: str
    running: bool | None
    partitions: tuple[str, ...] | None = None
    alarms: tuple[str, ...] = ()
    maintenance: bool = False


# rabbit_quorum_queue.erl: the members of a queue that was declared without x-quorum-initial-group-size. A stream that
# was declared without a size gets all nodes that the cluster has then (rabbit_stream_queue.erl: initial_cluster_size),
# which no broker tells later. So one that has three members is not called too small.
DEFAULT_GROUP = 3


class QueueFact(NamedTuple):
    """One queue. A classic queue has mirrors if ha_mode is set; a quorum queue and a stream have members.

    ha_count: the number in ha-params, or for `nodes` the number of names in it. synchronised: mirrors, without the
      master. members, online and has_leader are None if they were not told. group: with how many members a quorum
      queue, and with how many at least a stream was declared, None: RabbitMQ's default; target: to how many RabbitMQ is
      to bring it, 0: not told.
      has_policy: it was told whether a policy applies.
    """

    name: str
    vhost: str
    kind: str = "classic"
    state: str = "running"
    node: str = ""
    ha_mode: str | None = None
    ha_count: int = 0
    synchronised: int = 0
    members: tuple[str, ...] | None = ()
    online: tuple[str, ...] | None = ()
    has_leader: bool | None = True
    group: int | None = None
    target: int = 0
    has_policy: bool = True

    @property
    def is_quorum(self) -> bool:
        """Whether it is a quorum queue."""
        return self.kind == "quorum"

    @property
    def away(self) -> tuple[str, ...]:
        """Its members that are not online, as far as it was told."""
        return tuple(one for one in self.members or () if self.online is not None and one not in self.online)


class Cluster(NamedTuple):
    """What one node says about its cluster. None: not asked, or no answer; then gaps names the parts and the reasons.

    alarms: pairs of node and resource. queues_left: how many queues were not read.
    """

    own: str = ""
    version: str = ""
    nodes: tuple[NodeFact, ...] | None = None
    alarms: tuple[tuple[str, str], ...] | None = None
    queues: tuple[QueueFact, ...] | None = None
    queues_left: int = 0
    gaps: tuple[str, ...] = ()


class Fault(NamedTuple):
    """One fault and who is to blame for it. is_down: this broker must not be used."""

    text: str
    blame: str = SELF
    is_down: bool = False
