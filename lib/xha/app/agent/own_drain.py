"""The drain of a planned stop (drain.py) is a file with the resource's name in it: a start removes that one."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ...adapters.files.config_files import read_config, read_withdrawal, remove_withdrawal
from ...core.ocf.api import AGENT
from ...core.text.values import ConfigError

if TYPE_CHECKING:
    from ...core.ocf.api import Instance


def end_own_drain(instance: Instance) -> None:
    """Remove the drain that a stop of this resource has begun; a person's stays."""
    with contextlib.suppress(OSError, ConfigError):
        files = read_config().responder
        found = read_withdrawal(files._replace(disabled_file=None, legacy_disabled_file=None))
        if files.drain_file and found is not None and found.by == name_of(instance):
            remove_withdrawal(files.drain_file)


def name_of(instance: Instance) -> str:
    """Return by whom a drain is that a stop of this resource has begun."""
    return f"{AGENT} {instance.name}"
