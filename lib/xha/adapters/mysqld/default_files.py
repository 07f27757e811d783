"""The option files that a server reads by itself. Root names them as the server lists them; its account opens them."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ..files.as_account import act_as

if TYPE_CHECKING:
    from ..files.as_account import Account


def find_unreadable(account: Account, files: tuple[str, ...]) -> str:
    """Return the first option file that exists and that the account may not open, "" if there is none.

    The server passes over such a file without a word, and starts with other options (measured, MariaDB 10.11).
    """

    def open_them() -> bytes:
        for path in files:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC))
        return b""

    try:
        act_as(account, open_them)
    except PermissionError as error:
        return str(error.filename)
    return ""
