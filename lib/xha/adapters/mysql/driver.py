"""PyMySQL without OpenSSL: TLS is the channel's (network/channel.py), which imports ssl where it is asked for.

It would import ssl, and hashlib with OpenSSL's hashes: 4.5 MB of a process that stays, and milliseconds of one that is
forked for a single check. Python has all hashes of hashlib itself, unless it was built without, as on RHEL.
"""

from __future__ import annotations

import sys
from importlib import import_module

_SHA2 = ("_sha2",) if sys.version_info >= (3, 12) else ("_sha256", "_sha512")
_HASHES = ("_md5", "_sha1", "_sha3", "_blake2", *_SHA2)


def _has_hashes() -> bool:
    try:
        for name in _HASHES:
            import_module(name)
    except ImportError:
        return False
    return True


def _find_unneeded() -> list[str]:
    """Return the modules to go without, both of which their importers expect to be missing; none that is loaded."""
    names = ("ssl", "_hashlib") if "hashlib" not in sys.modules and _has_hashes() else ("ssl",)
    return [name for name in names if name not in sys.modules]


_absent = _find_unneeded()
for _name in _absent:
    sys.modules[_name] = None  # type: ignore[assignment]
try:
    import_module("pymysql")
finally:
    for _name in _absent:
        del sys.modules[_name]

import pymysql  # noqa: E402 - it is loaded
from pymysql import _auth  # noqa: E402
from pymysql.charset import charset_by_name  # noqa: E402
from pymysql.constants import CLIENT, CR, ER  # noqa: E402

__all__ = ["CLIENT", "CR", "ER", "_auth", "charset_by_name", "pymysql"]
