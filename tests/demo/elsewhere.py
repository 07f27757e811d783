"""The same demo on another system: its MariaDB, HAProxy and Python, and xha as it is installed there."""

from __future__ import annotations

import os
from typing import NoReturn

from lab import systems
from lab.place import REPOSITORY
from lab.stage import staged
from lab.systems import System


def perform_on(system: System) -> NoReturn:
    """Become the demo in a container of that system, on this machine's loopback. Raises `CommandFailed`."""
    systems.build(system)
    with staged(system) as tree:
        # What was installed is copied, not bound: another state of the checkout may be staged meanwhile.
        # The scripts of a state transfer need a working directory that the server's account may enter.
        installed = f"cp -a '{tree}/.' / && cd '{REPOSITORY}' && exec /usr/bin/python3 -B -m demo"
        binds = [str(REPOSITORY), "/tmp"]
        setting = {"PYTHONPATH": f"{REPOSITORY}/tests:{REPOSITORY}/lib", "XHA_INSTALLED": "/usr/local"}
        setting |= {name: os.environ[name] for name in ("DEMO", "TERM") if name in os.environ}
        words = system.container(*(f"--setenv={name}={value}" for name, value in setting.items()), binds=binds)
        os.execvp(words[0], [*words, "sh", "-c", installed])
