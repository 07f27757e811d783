"""xha-check drain: sends new connections to the other nodes, and leaves the open ones alone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ....core.node.verdict import NagiosCode
from .withdrawing import add_withdrawal_options, find_drain_file, read_who_disabled, read_withdrawal_request, withdraw

if TYPE_CHECKING:
    from .withdrawing import WithdrawalRequest

DESCRIPTION = """\
Drains this host's node: the responder answers 404 from now on. HAProxy with
`http-check disable-on-404` sends no new connection here then, and the open ones
live on; any other balancer takes 404 as it takes 503. The server goes on. Said
again, it replaces what was said before; a reboot ends it.
"""
EXIT_CODES = {
    0: "the node drains",
    1: "it would, but it is disabled: the responder answers 503, not 404",
    3: "it is as it was: the file could not be written, xha.conf is wrong, or TIME is in the past",
}
EXAMPLES = {
    'xha-check drain --until 1h --why "kernel update"': "for an hour",
    "xha-check drain": "until xha-check enable, or a reboot",
}

add_options = add_withdrawal_options
read = read_withdrawal_request


def run(request: WithdrawalRequest) -> int:
    """Write the drain file and say what follows."""
    code = withdraw(find_drain_file(request.config), request)
    if code:
        return code
    end = f"until {request.until}" if request.until else "until xha-check enable"
    print(f"draining {end}: HAProxy with `http-check disable-on-404` sends no new connection here after its next probe")
    if read_who_disabled(request.config):
        print("xha-check: the node is disabled, which outranks this: the responder answers 503", file=sys.stderr)
        return NagiosCode.WARNING
    return NagiosCode.OK
