"""The interface between Pacemaker and a resource agent (Open Cluster Framework, resource agent API 1.1)."""

from __future__ import annotations

import re
from enum import IntEnum

from ..text.light_typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AGENT = "ocf:xha:galera"
RESKEY = "OCF_RESKEY_"
# A parameter of recurring monitors for each node, and how its value begins if a probe is to be forgotten
# (core/pacemaker/past_results.py).
FORGET, PROBE = "xha_forget_", "probe-"
_META = "OCF_RESKEY_CRM_meta_"

# A name in the CIB is an XML name: it has no slash, and does not begin with a dot. :N tells the instances of a clone
# apart.
_NAME = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.-]{0,199})(?::\d{1,9})?", re.ASCII)


class ExitCode(IntEnum):
    """The exit codes of an agent. CONFIGURED stops the resource on every node, so only validate-all returns it."""

    SUCCESS = 0
    GENERIC = 1
    ARGS = 2
    UNIMPLEMENTED = 3
    PERM = 4
    INSTALLED = 5
    CONFIGURED = 6
    NOT_RUNNING = 7
    DEGRADED = 190


class Outcome(NamedTuple):
    """The result of an action. reason is the exit reason in `pcs status`: one line, never with a secret."""

    code: ExitCode
    reason: str = ""


class Finding(NamedTuple):
    """A fault that validate-all found, as a sentence. With code SUCCESS it is a warning."""

    code: ExitCode
    text: str


class Action(NamedTuple):
    """An advertised action. timeout and interval in seconds, depth is OCF_CHECK_LEVEL. pcs copies them into the CIB."""

    name: str
    timeout: int
    interval: int | None = None
    depth: int | None = None


# start: start_wait (10 s), and time for a slow host. stop: a clean shutdown first writes every dirty page, up to 90 %
# of the buffer pool, and mysqld is killed 15 s before the timeout; a host that writes 60 MB/s gets 10 GB out. monitor:
# it ends by itself after 10 s or half its timeout. The intervals share no divisor, so that the deeper looks do not
# coincide.
ACTIONS = (
    Action("start", 60),
    Action("stop", 180),
    Action("monitor", 20, 10, 0),
    Action("monitor", 30, 61, 10),
    Action("monitor", 30, 307, 20),
    Action("reload-agent", 20),
    Action("validate-all", 20),
    Action("meta-data", 5),
)


class Instance(NamedTuple):
    """The resource that an action was called for, and how it was called.

    name: OCF_RESOURCE_INSTANCE without a clone's :N.
    node: Pacemaker's name of this host, "" if the environment has none.
    timeout: seconds until Pacemaker ends the action.
    interval: seconds, 0.0 for a probe and for a manual call.
    level: OCF_CHECK_LEVEL.
    by_pacemaker: False for ocf-tester and for a shell.
    replaces_probe: the result is to be a degraded one, which takes the place of a probe in the node's history.
    """

    name: str = "default"
    node: str = ""
    timeout: float = 20.0
    interval: float = 0.0
    level: int = 0
    by_pacemaker: bool = False
    replaces_probe: bool = False

    @property
    def is_probe(self) -> bool:
        """Whether a monitor is a single call (interval 0), and not one of a series."""
        return self.interval == 0


def parse_instance(environment: Mapping[str, str], action: str, actions: Sequence[Action] = ACTIONS) -> Instance:
    """Return what the environment says about a call. A value that is absent or no number is as advertised in actions.

    :raises ValueError: for a resource whose name cannot be the name of a directory.
    """
    said = environment.get("OCF_RESOURCE_INSTANCE") or "default"
    name = _NAME.fullmatch(said)
    if name is None:
        raise ValueError(f"OCF_RESOURCE_INSTANCE={said[:60]!r} is not a resource's name")
    node = environment.get(f"{_META}on_node", "")
    level = _number(environment.get("OCF_CHECK_LEVEL")) or 0
    advertised = next((one.timeout for one in actions if one.name == action), 20)
    timeout = _number(environment.get(f"{_META}timeout"))
    return Instance(
        name=name[1],
        node=node,
        timeout=timeout / 1000 if timeout else float(advertised),
        interval=(_number(environment.get(f"{_META}interval")) or 0) / 1000,
        level=level,
        by_pacemaker=f"{RESKEY}crm_feature_set" in environment,
        replaces_probe=environment.get(f"{RESKEY}{FORGET}{node}", "").startswith(PROBE),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else None
