"""The parameters of ocf:xha:galera in one table. Defaults, parsing, meta-data and the man page come from it.

The names are those of mysql-wss and of ocf:heartbeat:galera where one of them has the parameter. So a stored
configuration only has to change the name of the agent.
"""

from __future__ import annotations

from ..text.light_typing import TYPE_CHECKING, NamedTuple
from .parameter_values import (
    parse_cluster_address,
    parse_host_map,
    parse_name,
    parse_options,
    parse_path,
    parse_peers,
    parse_positive,
    parse_program,
    parse_seconds,
    parse_stall,
    parse_switch,
    parse_text,
)

if TYPE_CHECKING:
    from typing import Any, Callable


class Parameter(NamedTuple):
    """One parameter.

    kind: OCF's content type. default: a text, "" if the value is found on the host.
    parse: makes the value from a text that is not empty. It raises ValueError with words that follow the name of the
      parameter.
    secret: the value is never shown.
    retired: accepted from a stored configuration, without effect.
    """

    name: str
    parse: Callable[[str], Any]
    default: str
    short: str
    long: str
    kind: str = "string"
    reloadable: bool = False
    secret: bool = False
    retired: bool = False
    required: bool = False


_READABLE = (
    "The value stands readable in the cluster's configuration for everybody who may read that; test_conf names a file "
    "that only root reads."
)

PARAMETERS = (
    Parameter(
        "binary",
        parse_program,
        "",
        "Database server",
        "The server's program: mariadbd or mysqld, by path or by name. Without it whichever the host has. "
        "A wrapper such as mysqld_safe stands for the server beside it: the agent starts the server itself.",
    ),
    Parameter(
        "client_binary",
        parse_program,
        "",
        "Database client (not used)",
        "Accepted from stored configurations and without effect: the agent speaks the database's protocol itself.",
        reloadable=True,
        retired=True,
    ),
    Parameter(
        "config",
        parse_path,
        "",
        "Configuration file of the server",
        "The server's configuration, passed on as --defaults-file. Without it the server reads the files that it was "
        "built to read.",
    ),
    Parameter(
        "datadir",
        parse_path,
        "",
        "Data directory",
        "The directory with the databases. Without it the one that the server's configuration names.",
    ),
    Parameter("user", parse_name, "mysql", "User of the server", "The account that the server runs under."),
    Parameter("group", parse_name, "mysql", "Group of the server", "The group that the server runs under."),
    Parameter(
        "log",
        parse_path,
        "",
        "Error log",
        "The server's error log. Without it the one that the server's configuration names, or one in the datadir.",
    ),
    Parameter(
        "pid",
        parse_path,
        "",
        "File with the server's process id",
        "The file that the server writes its process id to. The agent never trusts it: it finds the server by its data "
        "directory.",
    ),
    Parameter(
        "socket",
        parse_path,
        "",
        "Unix socket",
        "The server's unix socket. Without it the one that the server's configuration names.",
    ),
    Parameter(
        "test_user",
        parse_text,
        "",
        "Account for looking at the server",
        "The account that the agent reads the server's state with; it needs no privilege. Without any account the "
        "agent logs in as root by the unix socket.",
        reloadable=True,
    ),
    Parameter(
        "test_passwd",
        parse_text,
        "",
        "Password of test_user",
        f"The password of test_user. {_READABLE}",
        reloadable=True,
        secret=True,
    ),
    Parameter(
        "test_conf",
        parse_path,
        "",
        "Option file with the account",
        "A MySQL option file with user and password in its section [client]; it goes before test_user and check_user. "
        "chmod 0600, owner root, the same path on every host.",
        reloadable=True,
    ),
    Parameter(
        "additional_parameters",
        parse_options,
        "",
        "More options for the server",
        "Options that are appended to the server's command line, where every user of the host can read them. Options "
        "that the agent sets itself are refused here. --defaults-group-suffix=SUFFIX is passed before all others.",
    ),
    Parameter(
        "enable_creation",
        parse_switch,
        "0",
        "Create the database if there is none",
        "Whether an empty data directory is initialised where a node begins the very first cluster. What a creation "
        "left that was cut short is removed before, unless anything there may be of users. A node that joins needs "
        "none of it.",
        kind="boolean",
        reloadable=True,
    ),
    Parameter(
        "wsrep_cluster_address",
        parse_cluster_address,
        "",
        "Members of the cluster",
        "All hosts that may hold data of the cluster, as gcomm://10.0.0.1,10.0.0.2,10.0.0.3, with options after a ? as "
        "the server takes them. Without it the one that the server's configuration names. All of them have their say "
        "before a cluster is formed, so it must be the same on every host, and must name this one.",
    ),
    Parameter(
        "cluster_host_map",
        parse_host_map,
        "",
        "Pacemaker's names of the members",
        "node1:host1;node2:host2, where Pacemaker's name of a node and its host in wsrep_cluster_address have neither "
        "name nor address in common.",
    ),
    Parameter(
        "arbitrators",
        parse_peers,
        "",
        "Arbitrators (garbd)",
        "Hosts that run garbd, separated by commas: members of the group without data, that vote and are never waited "
        "for.",
        reloadable=True,
    ),
    Parameter(
        "check_user",
        parse_text,
        "",
        "Account for looking at the server",
        "test_user, as ocf:heartbeat:galera calls it; it goes before test_user. Without either, MYSQL_USERNAME and "
        "MYSQL_PASSWORD of /etc/sysconfig/clustercheck or /etc/default/clustercheck.",
        reloadable=True,
    ),
    Parameter(
        "check_passwd",
        parse_text,
        "",
        "Password of check_user",
        f"The password of check_user. {_READABLE}",
        reloadable=True,
        secret=True,
    ),
    Parameter(
        "check_passwd_use_empty",
        parse_switch,
        "0",
        "check_user has an empty password",
        "Log in with an empty password, whatever check_passwd and the files of clustercheck say.",
        kind="boolean",
        reloadable=True,
    ),
    Parameter(
        "two_node_mode",
        parse_switch,
        "0",
        "Trust quorum with two nodes (not used)",
        "Accepted from ocf:heartbeat:galera and without effect: quorum of two nodes proves nothing of the other one, "
        "and fencing does. xha-check grant is the way to go on without a node.",
        kind="boolean",
        reloadable=True,
        retired=True,
    ),
    Parameter(
        "master_timeout",
        parse_positive,
        "300",
        "End of an election (not used)",
        "Accepted from mysql-wss and without effect: no election ends by time, because a node that has not reported "
        "may hold the newest commit. xha-check grant is the way to go on without a node.",
        kind="integer",
        reloadable=True,
        retired=True,
    ),
    Parameter(
        "start_wait",
        parse_seconds,
        "10s",
        "How long start waits for the server",
        "The action start returns as soon as the server is ready, and after this time while it is still joining or "
        "waiting for other nodes: no action of Pacemaker waits for another host. A number is seconds.",
        reloadable=True,
    ),
    Parameter(
        "view_timeout",
        parse_positive,
        "30s",
        "How long the last view may take to come back",
        "After the loss of all nodes they first restore their last common view; if no Primary component forms in this "
        "time, they elect a node to begin with.",
        reloadable=True,
    ),
    Parameter(
        "sst_stall",
        parse_positive,
        "10m",
        "How long a state transfer may stand still",
        "A state transfer takes as long as it takes; one that makes no progress for this long is a failure.",
        reloadable=True,
    ),
    Parameter(
        "rejoin_grace",
        parse_positive,
        "60s",
        "How long a node may stay outside a reachable Primary",
        "A node that is not part of the Primary component is a failure only if a Primary of the same history has been "
        "reachable for this long.",
        reloadable=True,
    ),
    Parameter(
        "hang_grace",
        parse_positive,
        "30s",
        "How long the server may be silent",
        "A server that has not answered for this long, counted from its last answer, is a failure.",
        reloadable=True,
    ),
    Parameter(
        "drain_timeout",
        parse_seconds,
        "15s",
        "How long a planned stop may wait for clients",
        "Before a server that serves is stopped while another node is ready, the responder of its host answers 404 "
        "until load balancers send new connections elsewhere (http-check disable-on-404) and open transactions end. A "
        "stop waits for that as long as this says, and half of its own timeout at most. 0: it ends the server at once.",
        reloadable=True,
    ),
    Parameter(
        "evict_stalled",
        parse_stall,
        "0",
        "After how long a node that stops all commits is evicted",
        "A Synced node that applies nothing, as with a frozen disk, stops the commits of all by flow control. After "
        "this time, 5s at least, another one has the group evict it (evs.evict), and it is restarted once its storage "
        "takes writes. 0: it is only named.",
        reloadable=True,
    ),
)
