"""What must hold for the results, whatever the page says: who is to blame for each fault, and who is not."""

from __future__ import annotations

from openstack.looking import DEADLINE, GONE, WORKERS
from openstack.trial import Record, Seen

Short = tuple[str, "str | None"]

WELL: Short = ("ok", None)
DOWN: Short = ("critical", "self")
ABSENT: Short = ("not-applicable", None)
# The parent kills a check 0.2 s after its deadline. The rest is for a busy machine.
GRACE_SECONDS = 1.0
# Neither of them uses keystone: one checks tokens in nova's database, the other has no list of its services.
WITHOUT_KEYSTONE = ("nova-novncproxy", "neutron-rpc-server")


def blamed(name: str) -> Short:
    return "warning", f"dependency:{name}"


def find_surprises(record: Record) -> list[str]:
    """A line for each result that is not one of the permitted ones."""
    surprises = []
    for trial in record.trials:
        for seen in trial.seen:
            may_be = allowed(seen)
            if seen.short not in may_be:
                wanted = " or ".join(" ".join(word for word in one if word) for one in sorted(may_be, key=str))
                surprises.append(f"{trial.fault}: {seen}; it must be {wanted}")
            if seen.duration_ms > (DEADLINE + GRACE_SECONDS) * 1000:
                surprises.append(f"{trial.fault}: {seen.service} {seen.level} took {seen.duration_ms} ms")
        if trial.mended is None:
            surprises.append(f"{trial.fault}: the services did not come back by themselves")
    return surprises


def allowed(seen: Seen) -> set[Short]:
    """The permitted results of a service under a fault, at a level."""
    if seen.service == "placement-api" and seen.level == "deep":
        seen = seen._replace(level="protocol")  # it has no deeper level
    family, _, rest = seen.fault.partition("-")
    if family == "none":
        return {ABSENT if seen.service in GONE else WELL}
    if seen.fault.startswith("worker-frozen-"):
        # The other worker may answer. A worker without a port is asked only if none of it is stopped.
        return {DOWN} if seen.level == "process" or seen.service in WORKERS else {WELL, DOWN}
    if family == "database":
        return {DOWN} if seen.service == "mysql" else _without_database(seen, "clients" in rest)
    if family == "broker":
        if seen.service == "rabbitmq":
            return {DOWN}
        return {blamed("rabbitmq") if seen.service in WORKERS and seen.level != "process" else WELL}
    if family == "keystone":
        if seen.service == "keystone":
            return {DOWN}
        return {blamed("keystone") if seen.level == "deep" and seen.service not in WITHOUT_KEYSTONE else WELL}
    return _SPECIAL[seen.fault](seen)


def _without_database(seen: Seen, crowded: bool) -> set[Short]:
    if seen.service in ("rabbitmq", "neutron-rpc-server") or seen.level == "process":
        return {WELL}
    if seen.level == "protocol":
        return {WELL, blamed("mysql")} if crowded else {WELL}
    return {blamed("mysql")}


def _conductor_frozen(seen: Seen) -> set[Short]:
    return {DOWN if seen.service == "nova-conductor" else WELL}  # a scheduler reports without a conductor


def _application_broken(seen: Seen) -> set[Short]:
    if seen.level == "process":
        return {WELL}
    if seen.service == "nova-api":
        return {DOWN}
    return {blamed("nova-api") if seen.level == "deep" else WELL}


def _volume_driver_broken(seen: Seen) -> set[Short]:
    if seen.service != "cinder-volume" or seen.level != "deep":
        return {WELL}
    return {DOWN} if seen.moment == "later" else {WELL, DOWN}


def _all_down(seen: Seen) -> set[Short]:
    return {DOWN}


_SPECIAL = {
    "conductor-frozen": _conductor_frozen,
    "application-broken": _application_broken,
    "volume-driver-broken": _volume_driver_broken,
    "mechanism-driver-broken": _all_down,
    "all-dead": _all_down,
}
