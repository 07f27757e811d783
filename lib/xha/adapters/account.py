"""The account that this process runs under."""

from __future__ import annotations

import os
import pwd


def own_account() -> str:
    """Return the effective user's login name; its number where the system has no name for it, as in a container."""
    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
