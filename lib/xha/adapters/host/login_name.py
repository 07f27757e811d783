"""The accounts of this host: this process's own, and those that the server may run under."""

from __future__ import annotations

import os

ROOT = 0
_ACCOUNTS = "/etc/passwd"


def account_name(uid: int | None) -> str:
    """Return what a uid is called in /etc/passwd, else `uid N`: a directory service would be asked, and may hang."""
    try:
        with open(_ACCOUNTS, encoding="utf-8", errors="replace") as file:
            fields = (line.split(":") for line in file)
            return next((one[0] for one in fields if len(one) > 2 and one[2] == str(uid)), f"uid {uid}")
    except OSError:
        return f"uid {uid}"


def own_account() -> str:
    """Return the effective user's login name; its number where the system has no name for it, as in a container."""
    import pwd

    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def server_uids(account: str) -> frozenset[int]:
    """Return whose processes are believed to be the server: its account's, root's and this process's own.

    account: a login name, or a uid in digits, as of a server in a container. One that the host does not have adds none.
    """
    import pwd

    uids = {ROOT, os.geteuid()}
    if account.isascii() and account.isdigit():
        uids.add(int(account))
    else:
        try:
            uids.add(pwd.getpwnam(account).pw_uid)
        except (KeyError, ValueError):
            return frozenset(uids)
    return frozenset(uids)
