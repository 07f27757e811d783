"""The accounts of this host: that of this process, and those that the server may have."""

from __future__ import annotations

import os

ROOT = 0
_ACCOUNTS = "/etc/passwd"


def account_name(uid: int | None) -> str:
    """Return the name of a uid in /etc/passwd, else `uid N`. A directory service is not asked, because it may hang."""
    try:
        with open(_ACCOUNTS, encoding="utf-8", errors="replace") as file:
            fields = (line.split(":") for line in file)
            return next((one[0] for one in fields if len(one) > 2 and one[2] == str(uid)), f"uid {uid}")
    except OSError:
        return f"uid {uid}"


def own_account() -> str:
    """Return the effective user's login name; the uid as text if the system has no name for it, as in a container."""
    import pwd

    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def server_uids(account: str) -> frozenset[int]:
    """Return the uids whose processes may be the server: its account's, root's and this process's own.

    account: a login name, or a uid in digits, as for a server in a container. A name that this host does not have adds
    none.
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
