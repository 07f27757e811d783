"""The accounts of this host: this process's own, and those that the server may run under."""

from __future__ import annotations

import contextlib
import os
import pwd

ROOT = 0


def account_name(uid: int) -> str:
    """Return the login name of a uid; its number where the system has no name for it, as in a container."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def own_account() -> str:
    """Return the effective user's login name, or its number."""
    return account_name(os.geteuid())


def server_uids(account: str) -> frozenset[int]:
    """Return whose processes are believed to be the server: its account's, root's and this process's own.

    account: a login name, or a uid in digits, as of a server in a container. One that the host does not have adds none.
    """
    uids = {ROOT, os.geteuid()}
    if account.isascii() and account.isdigit():
        uids.add(int(account))
    else:
        with contextlib.suppress(KeyError, ValueError):
            uids.add(pwd.getpwnam(account).pw_uid)
    return frozenset(uids)
