"""The description of ocf:xha:galera, for its meta-data and its man page."""

from __future__ import annotations

from .api import ACTIONS, AGENT
from .galera_parameters import PARAMETERS
from .metadata import Description

_LONG = (
    "Starts, watches, stops and repairs the nodes of one Galera cluster, as a plain clone (not promotable) with one "
    "instance on every node.",
    "A node reports its recovered position (history and sequence number) to the others. Nobody begins a cluster before "
    "all members have reported, or are proven to hold nothing newer; two histories are never merged: the agent waits "
    "or refuses, and says which node and which command would go on.",
    "No action waits for another host. start returns while a node is still joining or waiting; monitor then returns "
    "190 (degraded), which is no failure. What depends on the database uses a rule on the node attribute "
    "xha-RESOURCE-ready (1 or 0), not an order constraint.",
    "test_passwd and check_passwd stand readable in the cluster's configuration. test_conf names an option file that "
    "only root reads; and an account that logs in by the unix socket needs no password at all.",
    "Create the resource with meta is-managed=false over a running server, and disable mariadb.service and "
    "mariadb.socket. The parameters "
    "of mysql-wss and of ocf:heartbeat:galera keep their names; promotable, promoted-max and operations with a role "
    "have to go. start_wait counts up to half the timeout of the action start.",
    "Where systemd runs, each server is a scope of its own, xha-RESOURCE-PID.scope: one that runs out of memory does "
    "not take Pacemaker along, and limits for it go into /etc/systemd/system/xha-RESOURCE-.scope.d/*.conf.",
)

DESCRIPTION = Description(
    agent=AGENT,
    short="MariaDB or MySQL with Galera: one cluster, started and repaired without losing a commit",
    long=_LONG,
    parameters=PARAMETERS,
    actions=ACTIONS,
    table="lib/xha/core/ocf/galera_parameters.py",
    restarted="the server",
    exit_codes=(
        (0, "the action succeeded; of monitor: part of the Primary component, and ready"),
        (190, "monitor: runs, joins or waits, and is not in full service; no failure"),
        (7, "monitor: certainly stopped"),
        (1, "a failure that a new start may mend; stop: a process is left"),
        (3, "the action is not implemented (promote, demote, notify, migrate)"),
        (4, "permissions on this host"),
        (5, "this host lacks something, or a parameter cannot be used; the third like failure within ten minutes"),
        (6, "validate-all alone: a parameter cannot be used"),
    ),
    files=(
        ("/run/xha/galera/RESOURCE/", "what the agent's processes tell each other; settings.json is for root alone"),
        (
            "DATADIR/xha-node.json",
            "what the node knows of its own history; it is beside grastate.dat",
        ),
        ("/etc/sysconfig/clustercheck, /etc/default/clustercheck", "the account, where no parameter names one"),
    ),
    example=(
        "pcs resource create p_mysql ocf:xha:galera \\",
        "    wsrep_cluster_address=gcomm://10.0.0.1,10.0.0.2,10.0.0.3 \\",
        "    clone",
        "pcs resource meta p_mysql-clone interleave=true",
    ),
    see_also="pcs(8), crm_resource(8), mariadbd(8), garbd(8)",
)
