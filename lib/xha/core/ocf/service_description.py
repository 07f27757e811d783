"""The description of ocf:xha:service, for its meta-data and its man page."""

from __future__ import annotations

from .metadata import Description
from .service_parameters import ACTIONS, PARAMETERS

_LONG = (
    "Watches one service of this host, as xha-check service does, and sets a node attribute by which constraints "
    "place a VIP and other resources. It is made to run as a clone, with one instance on every node that may have "
    "the service.",
    "The service is systemd's: start begins to watch and sets the attribute, stop ends that and removes it, and "
    "neither starts, stops or restarts a daemon. So start succeeds on a host whose service is broken, and a probe "
    "finds the resource active wherever the service has a process: Pacemaker then watches without a start. Where "
    "the resource is not to run, Pacemaker stops what it has found, which removes the attribute and nothing else.",
    "The attribute xha-service-NAME is 1 where the service may have traffic and 0 where it may not, by the rule "
    "that /service/NAME on port 49000 goes by: only the service's own fault makes it 0. Where the resource is "
    "stopped, or nobody could ever look, there is none; a rule with ne 1 holds for that, too. A dependency's fault "
    "(as a dead database) leaves it at 1, for it would else be 0 on all nodes at once; it stands in "
    "xha-service-NAME-blame, as dependency:mysql, by which a rule with a finite score prefers nodes that have no "
    "such fault.",
    "The levels of OCF_CHECK_LEVEL are those of xha-check: 0 process, 10 protocol, 20 deep. The attribute is 0 as "
    "long as one of them finds the service broken; a result counts until its level is looked at again, or for three "
    "intervals.",
    "monitor fails once for each fault of the service's own, with 7 where no process is left and 1 otherwise; "
    "on-fail, migration-threshold and alerts go by that. Pacemaker then begins to watch anew, and monitor is 190 "
    "(degraded, no failure) until the service works again. A dependency's fault, a warning, a fault that has not "
    "yet been seen fall times, and a check that may not look are 190 from the beginning.",
    "What depends on the service uses a rule on the attribute, not an order constraint: that would let it start "
    "beside a broken service. Secrets stand in files that xha.conf names, and in no parameter.",
)

DESCRIPTION = Description(
    agent="ocf:xha:service",
    short="Watches a service that systemd runs, and tells constraints by a node attribute how it is",
    long=_LONG,
    parameters=PARAMETERS,
    actions=ACTIONS,
    table="lib/xha/core/ocf/service_parameters.py",
    restarted="the watch, and not the service",
    exit_codes=(
        (0, "the action succeeded; of monitor: this level of the service works"),
        (
            190,
            "monitor: a dependency's fault, a warning, nobody may look, or a fault that was told before; no failure",
        ),
        (7, "monitor: no process of the service exists"),
        (1, "monitor: the service has a process and is broken itself"),
        (3, "the action is not implemented (promote, demote, notify, migrate)"),
        (4, "permissions on this host"),
        (5, "xha.conf cannot be used, has no such service, or a parameter cannot be used"),
        (6, "validate-all alone: a parameter cannot be used"),
    ),
    files=(
        ("/etc/xha/xha.conf", "where the service is, its account, its process, deadline, grace and fall"),
        ("/run/xha/service/RESOURCE.json", "the last results; it is there while the resource is started"),
    ),
    example=(
        "pcs resource create w_haproxy ocf:xha:service name=haproxy clone",
        "pcs resource create vip ocf:heartbeat:IPaddr2 ip=10.0.0.5",
        "pcs constraint location vip rule score=-INFINITY xha-service-haproxy ne 1",
        "pcs constraint location vip rule score=-1000 defined xha-service-haproxy-blame",
    ),
    see_also="xha-check list, pcs(8), crm_mon(8), attrd_updater(8), ocf_xha_galera(7)",
)
