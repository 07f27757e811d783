"""What is asked of a server while it stops all others: what its appliers do, and how many votes it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.galera.server_options import parse_weight

if TYPE_CHECKING:
    from ...core.galera.reading import Working
    from .login_target import Target

# Where each provider option is a variable, as in MariaDB 11.8, only the second is there.
_WEIGHT = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('wsrep_provider_options', 'wsrep_provider_pc_weight')"


def read_stall_facts(target: Target, seconds: float) -> tuple[Working | None, int | None]:
    """Log in, and return what holds up commits, None where the account may not see it, and the votes, None if unknown.

    :raises ReadError: if the server refuses, or does not answer within these seconds.
    """
    from ..network.channel import Allowance
    from .session import Session

    allowance = Allowance(seconds)
    session = Session(target, allowance)
    try:
        working = session.read_threads(allowance)
        rows = session.execute(_WEIGHT, allowance)
    finally:
        session.close()
    return working, parse_weight({str(row[0]).lower(): str(row[1]) for row in rows if len(row) > 1})
