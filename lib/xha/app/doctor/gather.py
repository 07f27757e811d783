"""Gathers all facts of the doctor. Nothing is changed, and nothing is asked that this account may not ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...core.doctor.facts import DoctorFacts
from ...core.doctor.unseen import Unseen
from . import host
from .haproxy import read_haproxy_files
from .members import look_at_members
from .pacemaker import read_cluster_config
from .server import look_at_server

if TYPE_CHECKING:
    from ..node.reader import ConfigFile


class Wish(NamedTuple):
    """What a person asked for. haproxy: HAProxy's files; sample: for how many seconds writes are counted."""

    haproxy: tuple[str, ...] = ()
    host_only: bool = False
    sample: float = 2.0


def gather(file: ConfigFile, wish: Wish) -> DoctorFacts:
    """Look at everything that the rules need. :raises ConfigError: for an xha.conf that is wrong."""
    config = file.refresh()
    seen = look_at_server(config, wish.sample)
    pacemaker = read_cluster_config()
    node = "" if isinstance(pacemaker, Unseen) else pacemaker.node
    parameters = {} if isinstance(pacemaker, Unseen) else pacemaker.cib.parameters
    listed = parameters.get("wsrep_cluster_address", "")
    names = host.look_at_names(seen.server, listed, node)
    return DoctorFacts(
        config=config,
        server=seen.server,
        haproxy=read_haproxy_files(wish.haproxy),
        pacemaker=pacemaker,
        check_user=seen.check_user,
        root_login=seen.root_login,
        accounts=seen.accounts,
        tables=seen.tables,
        programs=host.look_for_programs(),
        names=names,
        units=host.look_at_units(),
        ephemeral=host.look_at_ports(),
        disk=host.look_at_disk(seen.server),
        confinement=host.look_at_confinement(config, parameters),
        responder=host.look_at_responder(config),
        members=Unseen("the other members", "--host-only left out")
        if wish.host_only
        else look_at_members(file, seen.server, names),
    )
