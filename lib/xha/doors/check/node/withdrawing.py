"""What xha-check disable, drain and enable have in common: the files, who asks for it, and until when."""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

from ....adapters.files.config_files import LEGACY_DISABLED_FILE, read_config, read_withdrawal, write_withdrawal
from ....adapters.host.login_name import own_account
from ....core.config.xha_conf import DEFAULT_DISABLED_FILE, DEFAULT_DRAIN_FILE, Responder
from ....core.node.verdict import NagiosCode
from ....core.node.withdrawal import Withdrawal, parse_instant
from ....core.text.durations import parse_duration
from ....core.text.escape import clean
from ..options import add_config_option, argument

if TYPE_CHECKING:
    import argparse


class WithdrawalRequest(NamedTuple):
    """Until when and why. until is RFC 3339 in UTC; config is the path of another xha.conf."""

    until: str | None = None
    why: str | None = None
    config: str | None = None


def add_withdrawal_options(parser: argparse.ArgumentParser) -> None:
    """Add until when, why, and where the configuration is."""
    parser.add_argument(
        "--until", metavar="TIME", type=argument(_parse_until), help="2h, or 2026-01-31T22:00:00+01:00; then it is over"
    )
    parser.add_argument("--why", metavar="TEXT", help="what the next person on duty should know")
    add_config_option(parser)


def read_withdrawal_request(said: argparse.Namespace) -> WithdrawalRequest:
    """Return the request."""
    return WithdrawalRequest(said.until, said.why, said.config)


def find_disabled_file(config: str | None) -> str:
    """Return the path of the file. config is the path of another xha.conf. :raises ConfigError: where that is wrong."""
    return read_config(config).responder.disabled_file or DEFAULT_DISABLED_FILE


def find_drain_file(config: str | None) -> str:
    """Return the path of the file, as `find_disabled_file` does."""
    return read_config(config).responder.drain_file or DEFAULT_DRAIN_FILE


def read_who_disabled(config: str | None) -> Withdrawal | None:
    """Return who disabled this host's node, for the responder or for clustercheck; None if nobody did."""
    return read_withdrawal(
        Responder(disabled_file=find_disabled_file(config), legacy_disabled_file=LEGACY_DISABLED_FILE, drain_file=None)
    )


def withdraw(path: str, request: WithdrawalRequest) -> NagiosCode:
    """Write one of the files. Return OK, or UNKNOWN once it has said on standard error why nothing has changed."""
    until = request.until
    if until and parse_instant(until) <= time.time():
        print(f"xha-check: --until {until} is in the past", file=sys.stderr)
        return NagiosCode.UNKNOWN
    try:
        write_withdrawal(path, Withdrawal(by=_who(), why=clean(request.why or "") or None, until=until))
    except OSError as error:
        return complain("writing", path, error)
    return NagiosCode.OK


def complain(doing: str, path: str, error: OSError) -> NagiosCode:
    """Say what could not be done, and return the exit code."""
    hint = "; run it as root" if isinstance(error, PermissionError) else ""
    print(f"xha-check: {doing} {path}: {(error.strerror or str(error)).lower()}{hint}", file=sys.stderr)
    return NagiosCode.UNKNOWN


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
