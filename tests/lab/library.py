"""Calls the installed library of xha on a host, as a keeper there uses it."""

from __future__ import annotations

import json
from typing import Any

from lab.host import Host
from lab.laboratory import Laboratory

PREAMBLE = """
import json, sys, time
sys.path.insert(0, "/usr/local/lib/xha/current/python")
from xha.adapters.pacemaker.standalone import connect
from xha.adapters.pacemaker.cluster import ClusterUnreachable
from xha.core.election.position_report import PositionReport
from xha.core.galera.lineage import Generation, History, StopRecord
from xha.core.election.facts import Grant, GrantKind, Token
from xha.core.galera.position import Position
cluster = connect()
me = cluster.node_name()
def tell(value): print(json.dumps(value))
"""
RESOURCE = "p_mysql"


def ask(host: Host, code: str) -> Any:
    """Run code on the host and return its output."""
    return json.loads(host.sh("/usr/bin/python3 -I -", text=PREAMBLE + code, timeout=60).out)


def host_of(lab: Laboratory, asked: str, name: str) -> str:
    """Return what the host `name` is to the host `asked`: a value of xha.core.election.facts.Host."""
    return str(ask(lab[asked], f"tell(cluster.read_cib('{RESOURCE}').hosts['{name}'].value)"))
