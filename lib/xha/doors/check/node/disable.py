"""xha-check disable: takes this host's node out of service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .withdrawing import add_withdrawal_options, find_disabled_file, read_withdrawal_request, withdraw

if TYPE_CHECKING:
    from .withdrawing import WithdrawalRequest

DESCRIPTION = """\
Takes this host's node out of service: the responder and clustercheck answer 503
from now on. The server goes on. Said again, it replaces what was said before.
"""
EXIT_CODES = {
    0: "the node is disabled",
    3: "it is as it was: the file could not be written, xha.conf is wrong, or TIME is in the past",
}
EXAMPLES = {
    'xha-check disable --until 2h --why "disk swap"': "for two hours",
    "xha-check disable": "until xha-check enable",
}

add_options = add_withdrawal_options
read = read_withdrawal_request


def run(request: WithdrawalRequest) -> int:
    """Write the disabled file and say what follows."""
    code = withdraw(find_disabled_file(request.config), request)
    if not code:
        end = f"until {request.until}" if request.until else "until xha-check enable"
        print(f"disabled {end}: HAProxy takes this node out of service as soon as it has probed it `fall` times")
    return code
