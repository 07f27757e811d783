"""Options of the Galera provider that are set in a running server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .agent_login import execute
from .session import ReadError

if TYPE_CHECKING:
    from .login_target import Target

# MariaDB's plugin wsrep_provider makes each provider option a system variable of its own. Where it is loaded, as by
# default in MariaDB 11.8, the one text of all options is refused with this error (MDEV-22570).
_OPTIONS_ARE_VARIABLES = 1210
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def make_primary(target: Target, seconds: float) -> None:
    """Make the component of this server Primary (pc.bootstrap). A server that is in a Primary ignores it.

    seconds: for each of at most two statements.
    :raises ReadError: if the server refuses, or does not answer.
    """
    _set(target, "pc.bootstrap=YES", "wsrep_provider_pc_bootstrap = ON", seconds)


def evict(target: Target, uuid: str, seconds: float) -> None:
    """Have the group shut out the member with this UUID (evs.evict). The others go on without it.

    seconds: for each of at most two statements.
    :raises ValueError: for a text that is no UUID.
    :raises ReadError: if the server refuses, or does not answer.
    """
    if not _UUID.fullmatch(uuid):
        raise ValueError(f"{uuid!r} is no UUID of a member")
    _set(target, f"evs.evict={uuid}", f"wsrep_provider_evs_evict = '{uuid}'", seconds)


def _set(target: Target, option: str, variable: str, seconds: float) -> None:
    try:
        execute(target, f"SET GLOBAL wsrep_provider_options = '{option}'", seconds)
    except ReadError as error:
        if error.errno != _OPTIONS_ARE_VARIABLES:
            raise
        execute(target, f"SET GLOBAL {variable}", seconds)
