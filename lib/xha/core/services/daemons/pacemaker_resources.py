"""The resources in `crm_mon --output-as=xml`: how many instances of each run, and what they lack."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

# The roles of Pacemaker 2.1 and later, and those of before. What is between has a role of its own.
_PROMOTED = {"promoted", "master", "promoting", "demoting"}
_UNPROMOTED = {"unpromoted", "slave"}


class Resource(NamedTuple):
    """A resource, or a whole clone or bundle. missing: instances that should run and do not.

    headless: instances of a promotable clone or bundle run, one of them should be promoted, and none is.
    """

    name: str
    active: int
    missing: int
    managed: bool
    blocked: bool
    headless: bool = False


def is_true(element: Element, name: str, default: str = "false") -> bool:
    """Return whether an attribute is true; the default is for one that is absent."""
    return element.get(name, default).lower() == "true"


def read_resources(parent: Element | None, able: int) -> Iterator[Resource]:
    """Yield the resources below an element `resources` or `group`. able: how many nodes may run some."""
    for one in () if parent is None else parent:
        if one.tag == "group":
            yield from read_resources(one, able)
        elif one.tag == "clone":
            instances = list(one.iter("resource"))
            active = sum(is_true(instance, "active") for instance in instances)
            # Each member of a cloned group counts for itself. An instance without a node to run on is not missing.
            kinds = len({instance.get("id", "").partition(":")[0] for instance in instances}) or 1
            wanted = 0 if _is_off(one, instances) else min(len(instances), able * kinds)
            blocked = any(is_true(instance, "blocked") for instance in instances)
            managed = _is_managed(one, instances)
            headless = bool(active and wanted) and _is_headless(one, instances)
            yield Resource(one.get("id", ""), active, max(0, wanted - active), managed, blocked, headless)
        elif one.tag == "bundle":
            yield _bundle(one, able)
        elif one.tag == "resource":
            active = int(is_true(one, "active"))
            missing = 0 if active or _is_off(one, [one]) else 1
            yield Resource(one.get("id", ""), active, missing, is_true(one, "managed", "true"), is_true(one, "blocked"))


def _bundle(bundle: Element, able: int) -> Resource:
    """Return a bundle as one resource: a replica runs if its container does, and what the container holds, if any."""
    active, blocked = 0, False
    parts: list[Element] = []
    for replica in bundle.iterfind("replica"):
        own = list(replica.iter("resource"))
        parts += own
        active += bool(own) and all(is_true(part, "active") for part in own)
        blocked = blocked or any(is_true(part, "blocked") for part in own)
    replicas = len(bundle.findall("replica"))
    wanted = 0 if _is_off(bundle, parts) else min(replicas, able)
    headless = bool(active and wanted) and _is_headless(bundle, parts)
    managed = _is_managed(bundle, parts)
    return Resource(bundle.get("id", ""), active, max(0, wanted - active), managed, blocked, headless)


def _is_headless(whole: Element, instances: list[Element]) -> bool:
    """Return whether instances run that can be promoted, none of them is, and nobody wants it so or is about to.

    What nobody manages stays as it is. An instance with a pending action is in the middle of a failover.
    """
    wanted = {(one.get("target_role") or "").lower() for one in (whole, *instances)}
    roles = [(one.get("role") or "").lower() if is_true(one, "active") else "" for one in instances]
    # A bundle's containers are managed also where what they hold is not.
    can = any(role in _UNPROMOTED and is_true(one, "managed", "true") for role, one in zip(roles, instances))
    moves = any(one.get("pending") for one in instances)
    return can and not moves and _PROMOTED.isdisjoint(roles) and not wanted & _UNPROMOTED


def _is_managed(whole: Element, instances: list[Element]) -> bool:
    """Return whether Pacemaker may act on a clone or bundle, and on one of its instances if it has any."""
    can_act = [is_true(one, "managed", "true") for one in instances]
    return is_true(whole, "managed", "true") and (any(can_act) or not can_act)


def _is_off(element: Element, instances: list[Element]) -> bool:
    """Return whether a person has switched it off: target-role Stopped is no fault."""
    roles = {(one.get("target_role") or "").lower() for one in (element, *instances)}
    return "stopped" in roles or is_true(element, "disabled")
