"""The agent's meta-data: OCF 1.1, and valid at once for pcs, crmsh and the older ra-api-1.dtd.

That DTD is what ocf-tester holds an agent to, and it knows neither reload-agent nor reloadable: an internal subset
declares them, and the first declaration of an attribute is the one that counts (XML 1.0, 3.3).
"""

from __future__ import annotations

from .ocf import ACTIONS, AGENT, Action
from .parameter_table import PARAMETERS, Parameter

SHORT = "MariaDB or MySQL with Galera: one cluster, started and repaired without losing a commit"
LONG = (
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
    "Create the resource with meta is-managed=false over a running server, and disable mariadb.service. The parameters "
    "of mysql-wss and of ocf:heartbeat:galera keep their names; promotable, promoted-max and operations with a role "
    "have to go. start_wait counts up to half the timeout of the action start.",
)

_SUBSET = """\
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd" [
<!ATTLIST parameter reloadable (1|0) "0">
<!ATTLIST action name CDATA #REQUIRED>
]>
"""


def render_metadata(version: str) -> str:
    """Return the meta-data as XML, all of it ASCII. version is the agent's own.

    Without a declared encoding: crmsh hands lxml a decoded string, and lxml refuses one that declares it.
    """
    parameters = "\n".join(_render_parameter(one) for one in PARAMETERS)
    actions = "\n".join(_render_action(one) for one in ACTIONS)
    paragraphs = "\n\n".join(_escape(paragraph) for paragraph in LONG)
    return (
        f'<?xml version="1.0"?>\n{_SUBSET}'
        f'<resource-agent name="{AGENT.rpartition(":")[2]}" version="{_escape(version)}">\n<version>1.1</version>\n'
        f'<longdesc lang="en">\n{paragraphs}\n</longdesc>\n<shortdesc lang="en">{_escape(SHORT)}</shortdesc>\n'
        f"<parameters>\n{parameters}\n</parameters>\n<actions>\n{actions}\n</actions>\n</resource-agent>\n"
    )


def _render_parameter(one: Parameter) -> str:
    reloadable = ' reloadable="1"' if one.reloadable else ""
    # No default at all where the value is found on the host: an empty one would be shown as a value.
    default = f' default="{_escape(one.default)}"' if one.default else ""
    return (
        f'<parameter name="{one.name}" required="0"{reloadable}>\n'
        f'<longdesc lang="en">{_escape(one.long)}</longdesc>\n'
        f'<shortdesc lang="en">{_escape(one.short)}</shortdesc>\n'
        f'<content type="{one.kind}"{default}/>\n</parameter>'
    )


def _render_action(one: Action) -> str:
    interval = "" if one.interval is None else f' interval="{one.interval}s"'
    depth = "" if one.depth is None else f' depth="{one.depth}"'
    return f'<action name="{one.name}" timeout="{one.timeout}s"{interval}{depth}/>'


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
