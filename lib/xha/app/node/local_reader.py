"""How the keeper and a monitor read their own server: by the resource's account, and by the responder's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...adapters.mysql.login_target import DEFAULT_SOCKETS
from ...core.config.xha_conf import Config
from .reader import FixedConfig, Reader

if TYPE_CHECKING:
    from typing import Callable

    from ...adapters.mysql.login_target import Target
    from ...core.ocf.galera_settings import Settings

SQL_SECONDS = 2.0


def make_reader(find: Callable[[], Target], deadline: float) -> Reader:
    """Return a reader of a server; find tells anew for each login where it is and as whom.

    A node that was taken out of service by `xha-check disable` or `drain` is still a healthy node here.
    """
    config = Config()
    files = config.responder._replace(disabled_file=None, legacy_disabled_file=None, drain_file=None)
    return Reader(FixedConfig(config._replace(responder=files._replace(deadline=deadline))), resolve=lambda _: find())


def find_socket(settings: Settings, known: str) -> str:
    """Return the server's socket: as the keeper knows it, as the resource says, or Debian's or Red Hat's."""
    import os

    there = (path for path in DEFAULT_SOCKETS if os.path.exists(path))
    return known or settings.socket or next(there, DEFAULT_SOCKETS[0])
