"""The environment of a server and of its listings: nothing of the action or the service that starts them."""

from __future__ import annotations

import contextlib
import os
import pwd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..files.as_account import Account

# The environment of a cluster's action contains passwords; a server and its scripts must not get them.
_NOT_INHERITED = ("OCF_", "PCMK_", "HA_", "NOTIFY_", "LISTEN_", "WATCHDOG_", "INVOCATION_ID", "JOURNAL_STREAM")


def clean_environment(account: Account) -> dict[str, str]:
    """Return this process's environment without what belongs to the cluster's action or to a service.

    HOME is the account's, as systemd sets it: a server reads ~/.my.cnf, and the one who calls the agent has another.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    kept.pop("HOME", None)
    with contextlib.suppress(KeyError):
        kept["HOME"] = pwd.getpwuid(account.uid).pw_dir
    # The server runs wsrep_sst_METHOD by name.
    path = kept.get("PATH", "")
    missing = [one for one in ("/usr/sbin", "/usr/bin", "/sbin", "/bin") if one not in path.split(os.pathsep)]
    return {**kept, "PATH": os.pathsep.join([*([path] if path else []), *missing])}
