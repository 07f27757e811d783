"""Options of the Galera provider that are set in a running server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .agent_login import execute
from .session import ReadError

if TYPE_CHECKING:
    from .login_target import Target

# MariaDB's plugin wsrep_provider makes each provider option a system variable of its own. Where it is loaded, as by
# default in MariaDB 11.8, the one text of all options is refused with this error (MDEV-22570).
_OPTIONS_ARE_VARIABLES = 1210


def make_primary(target: Target, seconds: float) -> None:
    """Make the component of this server Primary (pc.bootstrap). A server that is in a Primary ignores it.

    seconds: for each of at most two statements.
    :raises ReadError: if the server refuses, or does not answer.
    """
    try:
        execute(target, "SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'", seconds)
    except ReadError as error:
        if error.errno != _OPTIONS_ARE_VARIABLES:
            raise
        execute(target, "SET GLOBAL wsrep_provider_pc_bootstrap = ON", seconds)
