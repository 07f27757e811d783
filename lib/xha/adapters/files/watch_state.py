"""/run/xha/service/RESOURCE.json: what ocf:xha:service remembers between its calls. It exists while it is started."""

from __future__ import annotations

import os

from ...core.ocf.service_rule import Watch, parse_watch, render_watch
from .atomic_write import remove_unfinished, replace_text
from .whole_file import read_text

BASE = "/run/xha/service"
_MOST_BYTES = 1 << 20


class WatchFile:
    """The file of one resource. name: its OCF_RESOURCE_INSTANCE without a clone's :N."""

    def __init__(self, name: str, base: str = "") -> None:
        self.path = os.path.join(base or BASE, f"{name}.json")

    def read(self) -> Watch | None:
        """Return what is remembered; None if the file is absent, torn or unreadable."""
        try:
            return parse_watch(read_text(self.path, _MOST_BYTES))
        except OSError:
            return None

    def write(self, watch: Watch) -> None:
        """Replace the file in one step. :raises OSError: as open does."""
        os.makedirs(os.path.dirname(self.path), mode=0o755, exist_ok=True)
        replace_text(self.path, render_watch(watch) + "\n", 0o600)

    def remove(self) -> None:
        """Remove the file; a missing file is no error. :raises OSError: as os.unlink does."""
        remove_unfinished(os.path.dirname(self.path))
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            return
