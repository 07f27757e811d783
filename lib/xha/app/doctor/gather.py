"""Gathers all facts of the doctor. Nothing is changed, and nothing is asked that this account may not ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...core.doctor.facts import DoctorFacts
from .haproxy import read_haproxy_file
from .pacemaker import read_cluster_config
from .server import look_at_server

if TYPE_CHECKING:
    from ...core.config.xha_conf import Config


class Wish(NamedTuple):
    """What a person asked for. haproxy: HAProxy's file; sample: for how many seconds writes are counted."""

    haproxy: str | None = None
    host_only: bool = False
    sample: float = 2.0


def gather(config: Config, wish: Wish) -> DoctorFacts:
    """Look at everything that the rules need."""
    seen = look_at_server(config, wish.sample)
    return DoctorFacts(
        config=config,
        server=seen.server,
        haproxy=read_haproxy_file(wish.haproxy),
        pacemaker=read_cluster_config(),
    )
