"""What one call of xha-check is asked to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ...core.cluster.comparison import Member
    from .options import Options
    from .services.options import Wanted


class Command(NamedTuple):
    """A parsed command line. until is RFC 3339 in UTC.

    mode is node, cluster, explain, services, disable, enable, grant or report; grant is a kind and a node.
    """

    mode: str
    options: Options
    host: Member | None = None
    output: str = "text"
    until: str | None = None
    why: str | None = None
    services: Wanted | None = None
    resource: str | None = None
    grant: tuple[str, str] | None = None
    yes: bool = False
