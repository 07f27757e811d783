"""xha-check --disable and --enable: taking this host's node out of service, and putting it back."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from ...adapters.files.config_files import (
    LEGACY_DISABLED_FILE,
    read_config,
    read_disabled,
    remove_disabled,
    write_disabled,
)
from ...adapters.host.login_name import own_account
from ...core.config.xha_conf import DEFAULT_DISABLED_FILE
from ...core.node.disabled import Disabled, parse_instant
from ...core.node.verdict import NagiosCode
from ...core.text.escape import clean

if TYPE_CHECKING:
    from .command import Command


def disable(command: Command) -> int:
    """Write the disabled file and say what follows."""
    path = read_config(command.options.config).responder.disabled_file or DEFAULT_DISABLED_FILE
    until = command.until
    if until and parse_instant(until) <= time.time():
        print(f"xha-check: --until {until} is in the past", file=sys.stderr)
        return NagiosCode.UNKNOWN
    try:
        write_disabled(path, Disabled(by=_who(), why=clean(command.why or "") or None, until=until))
    except OSError as error:
        return _failed("writing", path, error)
    end = f"until {until}" if until else "until xha-check --enable"
    print(f"disabled {end}: HAProxy takes this node out of service as soon as it has probed it `fall` times")
    return NagiosCode.OK


def enable(command: Command) -> int:
    """Remove the disabled file; name what else keeps the node disabled."""
    path = read_config(command.options.config).responder.disabled_file or DEFAULT_DISABLED_FILE
    try:
        removed = remove_disabled(path)
    except OSError as error:
        return _failed("removing", path, error)
    print("enabled" if removed else "enabled already: there was no disabled file")
    if read_disabled(path, LEGACY_DISABLED_FILE):
        print(f"xha-check: {LEGACY_DISABLED_FILE} exists: clustercheck still answers 503; remove it", file=sys.stderr)
        return NagiosCode.WARNING
    return NagiosCode.OK


def _failed(doing: str, path: str, error: OSError) -> int:
    hint = "; run it as root" if isinstance(error, PermissionError) else ""
    print(f"xha-check: {doing} {path}: {(error.strerror or str(error)).lower()}{hint}", file=sys.stderr)
    return NagiosCode.UNKNOWN


def _who() -> str:
    # sudo keeps who asked; a log line "root" names nobody.
    return clean(os.environ.get("SUDO_USER") or own_account())
