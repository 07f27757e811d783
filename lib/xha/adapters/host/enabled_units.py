"""Which units of a database server systemd would start at boot, by the links in /etc."""

from __future__ import annotations

import glob
import os


def find_enabled_units(units: tuple[str, ...], root: str = "") -> tuple[str, ...]:
    """Return the names of the enabled units, with their instances as mariadb@two.service. root: another root's /etc."""
    names = (f"{unit}{instance}.service" for unit in units for instance in ("", "@*"))
    paths = (path for name in names for path in glob.glob(f"{root}/etc/systemd/system/*.wants/{name}"))
    return tuple(dict.fromkeys(map(os.path.basename, paths)))
