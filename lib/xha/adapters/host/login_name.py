"""The accounts of this host: that of this process, and those that the server may have."""

from __future__ import annotations

import os
import time

ROOT = 0
_ACCOUNTS = "/etc/passwd"
_KNOWN_SECONDS = 60.0


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
    uids = {ROOT, os.geteuid()}
    if account.isascii() and account.isdigit():
        uids.add(int(account))
    else:
        uid = _find_uid(account)
        if uid is not None:
            uids.add(uid)
    return frozenset(uids)


# What the last lookups came to: the account's uid, the state of /etc/passwd then, and until when it is not asked again.
_found: dict[str, tuple[int, tuple[int, ...], float]] = {}


def _find_uid(account: str) -> int | None:
    """Return an account's uid. One that was found is not looked up again for a while: it may take a directory service.

    A change of /etc/passwd counts at once.
    """
    import pwd

    try:
        seen = os.stat(_ACCOUNTS)
        state: tuple[int, ...] = (seen.st_ino, seen.st_mtime_ns, seen.st_size)
    except OSError:
        state = ()
    uid, before, until = _found.get(account, (0, (), 0.0))
    if state and state == before and time.monotonic() < until:
        return uid
    try:
        uid = pwd.getpwnam(account).pw_uid
    except (KeyError, ValueError):
        return None
    _found[account] = (uid, state, time.monotonic() + _KNOWN_SECONDS)
    return uid
