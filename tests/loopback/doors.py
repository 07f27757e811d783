"""xha's own programs, as `make venv` installs them in .venv/bin: the checkout's code with its own interpreter.

With XHA_INSTALLED=/usr/local they are those that `make install` has put there.
"""

from __future__ import annotations

import os
from pathlib import Path

from loopback.daemon import MissingProgram

CHECKOUT = Path(__file__).resolve().parents[2]
SOURCES = {
    "xha-check": CHECKOUT / "checks/xha-check",
    "xha-services": CHECKOUT / "checks/xha-services",
    "clustercheck": CHECKOUT / "checks/clustercheck",
    "xha-responder": CHECKOUT / "xinetd/xha-responder",
}


def door(name: str) -> str:
    """The path of xha-check, clustercheck, xha-services or xha-responder."""
    installed = Path(os.environ.get("XHA_INSTALLED", "/nonexistent"))
    for path in (installed / "bin" / name, installed / "libexec/xha" / name):
        if path.exists():
            return str(path)
    path = CHECKOUT / ".venv/bin" / name
    if not path.exists():
        raise MissingProgram(f"{path} is not there: make venv")
    return str(path)
