"""xha-check enable: puts this host's node back into service."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from ....adapters.files.config_files import LEGACY_DISABLED_FILE, remove_withdrawal
from ....core.node.verdict import NagiosCode
from ..options import add_config_option
from .withdrawing import complain, find_disabled_file, find_drain_file, read_who_disabled

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """\
Puts this host's node back into service, disabled or drained before, and names
what else keeps it out.
"""
EXIT_CODES = {
    0: "nothing of xha's keeps the node out of service",
    1: "clustercheck's own file still does: clustercheck answers 503",
    3: "it is as it was: the file could not be removed, or xha.conf is wrong",
}
EXAMPLES = {"xha-check enable": "ends what xha-check disable or drain has begun"}


class EnableRequest(NamedTuple):
    """config is the path of another xha.conf."""

    config: str | None = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add where the configuration is."""
    add_config_option(parser)


def read(said: argparse.Namespace) -> EnableRequest:
    """Return the request."""
    return EnableRequest(said.config)


def run(request: EnableRequest) -> int:
    """Remove the disabled and the drain file; name what else keeps the node disabled."""
    removed = []
    for path in (find_disabled_file(request.config), find_drain_file(request.config)):
        try:
            removed.append(remove_withdrawal(path))
        except OSError as error:
            return complain("removing", path, error)
    print("enabled" if any(removed) else "enabled already: there was no disabled and no drain file")
    if read_who_disabled(request.config):
        print(f"xha-check: {LEGACY_DISABLED_FILE} exists: clustercheck still answers 503; remove it", file=sys.stderr)
        return NagiosCode.WARNING
    return NagiosCode.OK
