"""Runs the doctor against real programs, and says what one rule came to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from loopback import Node
from xha.app.doctor.gather import Wish, gather
from xha.app.node.reader import ConfigFile
from xha.core.config.xha_conf import Config, Database
from xha.core.doctor.findings import DoctorFinding
from xha.core.doctor.table import Examination, examine


def look(node: Node, wish: Wish | None = None, **settings: Any) -> Examination:
    """All that the doctor says of a host with this server."""
    return look_at(node.socket, wish, **settings)


def look_at(socket: Path, wish: Wish | None = None, **settings: Any) -> Examination:
    """All that the doctor says of a host whose server listens there. settings: keys of [database] in xha.conf."""
    config = Config(Database(**{"defaults_file": "/dev/null", "socket": str(socket), **settings}))
    wish = wish or Wish(host_only=True, sample=0.1)
    return examine(gather(ConfigFile("/dev/null", lambda _: config), wish), host_only=wish.host_only)


def of_rule(examination: Examination, name: str) -> list[DoctorFinding]:
    """The findings of one rule."""
    return [one for one in examination.findings if name in one.rules]


def without_root(node: Node, option_file: Path) -> Examination:
    """All that the doctor says to an account that is not root, and logs in as the option file says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: 65534)
        return look(node, defaults_file=str(option_file))
