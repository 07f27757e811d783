"""What this host tells the doctor of itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...adapters.host.enabled_units import find_enabled_units
from ...adapters.host.login_name import server_uids
from ...adapters.host.surroundings import (
    find_programs,
    read_confinement,
    read_data_disk,
    read_ephemeral_ports,
)
from ...adapters.mysqld.program import NAMES
from ...adapters.mysqld.trust import guess_trust
from ...adapters.network.addresses import read_own_addresses, resolve_hosts
from ...adapters.process.procfs import is_gone, read_pids, read_process, read_program
from ...core.doctor.facts import NameView
from ...core.doctor.unseen import Unseen
from ...core.galera.cluster_address import BadAddress, parse_cluster_address
from ...core.galera.server_options import SERVER_UNITS
from ...core.ocf.galera_settings import settings_of_resource
from ..cluster.ask_responder import ask_responder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Callable, TypeVar

    from ...adapters.mysqld.trust import Trust
    from ...core.config.xha_conf import Config
    from ...core.doctor.facts import DataDisk, EphemeralPorts, MandatoryAccess, ServerFacts
    from ...core.doctor.unseen import Look
    from ...core.galera.server_options import EnabledUnit

    T = TypeVar("T")

_RESOLVE_SECONDS = 5.0
_LOOPBACK = "127.0.0.1"


def look_for_programs() -> frozenset[str]:
    """Return which programs of state transfers this host has."""
    return find_programs()


def look_at_units() -> Look[tuple[EnabledUnit, ...]]:
    """Return which units of a server are enabled."""
    return _try("the units that start at boot", lambda: find_enabled_units(SERVER_UNITS), "root")


def look_at_ports() -> Look[EphemeralPorts]:
    """Return the ports of outgoing connections."""
    return _try("the kernel's ports", read_ephemeral_ports, "/proc/sys/net")


def look_at_confinement(config: Config, parameters: Mapping[str, str]) -> Look[MandatoryAccess]:
    """Return what confines the servers of this host. parameters: those of the resource, {} without one."""
    trust = guess_trust(settings_of_resource(parameters))
    trust = trust._replace(uids=trust.uids | server_uids(config.database.server_user))
    return _try("AppArmor and SELinux", lambda: read_confinement(find_servers(trust)), "root on the server's host")


def find_servers(trust: Trust) -> tuple[int, ...]:
    """Return the pids of the trusted servers. :raises OSError: where one by name may not be examined."""
    found = []
    for pid in read_pids():
        try:
            if trust.holds_account(pid) and read_program(pid) in trust.programs:
                found.append(pid)
        except OSError as error:
            process = None if is_gone(error) else read_process(pid)
            if process is not None and process.name in NAMES:
                raise
    return tuple(found)


def look_at_disk(server: Look[ServerFacts]) -> Look[DataDisk]:
    """Return the room beside the data."""
    if isinstance(server, Unseen):
        return server
    path = server.variables.get("datadir", "")
    return _try(f"the room of datadir {path}", lambda: read_data_disk(path), "root on the server's host")


def look_at_responder(config: Config) -> str:
    """Return "" if this host's responder answers, else what it does."""
    answer = ask_responder(_LOOPBACK, config.responder.port, config.responder.deadline)
    return "" if answer.code else answer.cause


def look_at_names(server: Look[ServerFacts], members: str, node: str) -> Look[NameView]:
    """Return how this host resolves the members of its list. members: that of the resource; node: Pacemaker's name."""
    if isinstance(server, Unseen):
        return server
    try:
        peers = parse_cluster_address(members or server.variables.get("wsrep_cluster_address", "")).peers
    except BadAddress:
        peers = ()
    mine = NameView.host_of(server.variables.get("wsrep_node_address", ""))
    hosts = {peer.host for peer in peers} | ({mine} if mine else set())
    resolved = resolve_hosts(hosts, _RESOLVE_SECONDS)
    # The kernel's table has the loopback network as one row.
    loopback = {one for each in resolved.values() for one in each if one.startswith("127.")}
    own = read_own_addresses() | loopback
    return NameView(node or os.uname().nodename, own, resolved)


def _try(what: str, read: Callable[[], T], needs: str) -> Look[T]:
    try:
        return read()
    except (OSError, ValueError) as error:
        why = (error.strerror or "unreadable").lower() if isinstance(error, OSError) else "unreadable"
        return Unseen(f"{what}: {why}", needs)
