"""xha-check disable: takes this host's node out of service."""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

from ....adapters.files.config_files import write_disabled
from ....adapters.host.login_name import own_account
from ....core.node.disabled import Disabled, parse_instant
from ....core.node.verdict import NagiosCode
from ....core.text.durations import parse_duration
from ....core.text.escape import clean
from ..options import add_config_option, argument
from .disabled_path import complain, find_disabled_path

if TYPE_CHECKING:
    import argparse

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


class DisableRequest(NamedTuple):
    """Until when and why. until is RFC 3339 in UTC; config is the path of another xha.conf."""

    until: str | None = None
    why: str | None = None
    config: str | None = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add until when, why, and where the configuration is."""
    parser.add_argument(
        "--until", metavar="TIME", type=argument(_parse_until), help="2h, or 2026-01-31T22:00:00+01:00; then it is over"
    )
    parser.add_argument("--why", metavar="TEXT", help="what the next person on duty should know")
    add_config_option(parser)


def read(said: argparse.Namespace) -> DisableRequest:
    """Return the request."""
    return DisableRequest(said.until, said.why, said.config)


def run(request: DisableRequest) -> int:
    """Write the disabled file and say what follows."""
    path, until = find_disabled_path(request.config), request.until
    if until and parse_instant(until) <= time.time():
        print(f"xha-check: --until {until} is in the past", file=sys.stderr)
        return NagiosCode.UNKNOWN
    try:
        write_disabled(path, Disabled(by=_who(), why=clean(request.why or "") or None, until=until))
    except OSError as error:
        return complain("writing", path, error)
    end = f"until {until}" if until else "until xha-check enable"
    print(f"disabled {end}: HAProxy takes this node out of service as soon as it has probed it `fall` times")
    return NagiosCode.OK


def _who() -> str:
    # sudo keeps who asked; a log line "root" names nobody.
    return clean(os.environ.get("SUDO_USER") or own_account())


def _parse_until(text: str) -> str:
    """Return the RFC 3339 time in UTC of a duration from now, or of an ISO 8601 time with a zone."""
    try:
        seconds = time.time() + parse_duration(text)
    except ValueError:
        try:
            seconds = parse_instant(text)
        except ValueError:
            raise ValueError(f"{text!r} is neither a duration, as 2h, nor an ISO 8601 time with a zone") from None
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text!r} is beyond the year 9999") from None
