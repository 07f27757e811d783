"""Which units of a database server would be started at boot: by systemd's links, and by those of System V's init.

Sources: systemd.unit(5), "Unit file load path" and .wants, .requires, .upholds; systemd-sysv-generator(8): a script in
/etc/rcN.d is a unit of its name, unless there is a unit file of that name. What a program wrote into a generator's
directory is looked at too.
"""

from __future__ import annotations

import os

from ...core.galera.server_options import EnabledUnit

_DIRECTORIES = (
    *(f"{directory}/systemd/system" for directory in ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")),
    *(f"/run/systemd/{directory}" for directory in ("system.control", "transient", "generator.early", "generator")),
    *("/run/systemd/generator.late", "/etc/systemd/system.control"),
)
_PULLING = (".wants", ".requires", ".upholds")
_SCRIPTS = tuple(f"/etc/rc{level}.d" for level in "2345S")


def find_enabled_units(units: tuple[str, ...], root: str = "") -> tuple[EnabledUnit, ...]:
    """Return the enabled units, each once, with their instances as mariadb@two.service. root: another root.

    :raises OSError: where a directory may not be looked at: what it holds is not known.
    """
    found: dict[str, EnabledUnit] = {}
    present = set()
    for directory in _DIRECTORIES:
        for entry in _list(root + directory):
            present.add(entry)
            names = _list(f"{root}{directory}/{entry}") if entry.endswith(_PULLING) else ()
            for name in names:
                if _is_of(name, units):
                    found.setdefault(name, EnabledUnit(name, f"{directory}/{entry}/{name}"))
    for directory in _SCRIPTS:
        for entry in _list(root + directory):
            name = f"{entry[3:]}.service"
            started = entry[:1] == "S" and entry[1:3].isdigit() and entry[3:] in units
            if started and name not in present:
                found.setdefault(name, EnabledUnit(name, f"{directory}/{entry}"))
    return tuple(found.values())


def _is_of(name: str, units: tuple[str, ...]) -> bool:
    base, dot, kind = name.rpartition(".")
    unit, at, instance = base.partition("@")
    return bool(dot) and kind == "service" and unit in units and (not at or bool(instance))


def _list(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return []
