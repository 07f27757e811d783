"""HAProxy's configuration files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...adapters.files.config_files import as_text, reason_of
from ...adapters.files.whole_file import read_whole
from ...core.config.haproxy_cfg import parse_haproxy_cfg
from ...core.doctor.facts import HaproxyFile
from ...core.doctor.unseen import Unseen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.doctor.unseen import Look

_PATH = "/etc/haproxy/haproxy.cfg"
_NEEDS = "--haproxy FILE: a copy of the file from the host where HAProxy runs"
_MOST_BYTES = 4 << 20


def read_haproxy_files(paths: Sequence[str]) -> Look[HaproxyFile]:
    """Return the sections of HAProxy's files; paths: as `haproxy -f` has them, () for Debian's.

    Of a directory, HAProxy reads what ends in .cfg and does not begin with a dot, in the order of the C locale.
    """
    path, files, texts = _PATH, [], []
    try:
        for path in paths or (_PATH,):
            inside = _list(path)
            if inside == []:
                return Unseen(f"HAProxy's directory {path}: it has no .cfg", _NEEDS)
            files += [path] if inside is None else inside
        for path in files:
            texts.append(as_text(read_whole(path, _MOST_BYTES).data, "replace"))
    except OSError as error:
        return Unseen(f"HAProxy's file {path}: {reason_of(error)}", _NEEDS)
    return HaproxyFile(tuple(files), parse_haproxy_cfg(*texts))


def _list(path: str) -> list[str] | None:
    """Return the files of a directory, None where the path is another one."""
    try:
        names = os.listdir(path)
    except NotADirectoryError:
        return None
    return [os.path.join(path, name) for name in sorted(names) if name.endswith(".cfg") and name[:1] != "."]
