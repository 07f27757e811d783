"""The file that keeps this host's node out of service, and what is said where it cannot be changed."""

from __future__ import annotations

import sys

from ....adapters.files.config_files import read_config
from ....core.config.xha_conf import DEFAULT_DISABLED_FILE
from ....core.node.verdict import NagiosCode


def find_disabled_path(config: str | None) -> str:
    """Return the path of the file. config is the path of another xha.conf. :raises ConfigError: where that is wrong."""
    return read_config(config).responder.disabled_file or DEFAULT_DISABLED_FILE


def complain(doing: str, path: str, error: OSError) -> int:
    """Say what could not be done, and return the exit code."""
    hint = "; run it as root" if isinstance(error, PermissionError) else ""
    print(f"xha-check: {doing} {path}: {(error.strerror or str(error)).lower()}{hint}", file=sys.stderr)
    return NagiosCode.UNKNOWN
