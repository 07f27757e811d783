"""HAProxy's configuration file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...adapters.files.config_files import as_text, reason_of
from ...adapters.files.whole_file import read_whole
from ...core.config.haproxy_cfg import parse_haproxy_cfg
from ...core.doctor.facts import HaproxyFile
from ...core.doctor.unseen import Unseen

if TYPE_CHECKING:
    from ...core.doctor.unseen import Look

_PATH = "/etc/haproxy/haproxy.cfg"
_MOST_BYTES = 4 << 20


def read_haproxy_file(path: str | None) -> Look[HaproxyFile]:
    """Return the sections of HAProxy's file; path: another one than Debian's."""
    path = path or _PATH
    try:
        text = as_text(read_whole(path, _MOST_BYTES).data, "replace")
    except OSError as error:
        needs = "--haproxy FILE: a copy of the file from the host where HAProxy runs"
        return Unseen(f"HAProxy's file {path}: {reason_of(error)}", needs)
    return HaproxyFile(path, parse_haproxy_cfg(text))
