"""The options that a server would use, as its own `--help --verbose` lists them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..text.numbers import parse_int
from .position import Position, parse_position

if TYPE_CHECKING:
    from collections.abc import Sequence

_TITLE = re.compile(r"^Variables \(--variable-name=value\)", re.MULTILINE)
# What every server prints last, after all variables: "To see what variables a running server is using, type" of MariaDB
# 10.11 (seen), "To see what values a running MySQL server is using, type" of MySQL, PXC and older MariaDB (sources).
_END = re.compile(r"^To see what \w+ a running ", re.MULTILINE)
_ALWAYS = ("datadir", "pid_file", "port", "socket")
_NO_VALUE = "(No default value)"
_TRUE = ("TRUE", "ON", "1")
_DATADIR = re.compile(r"--datadir=(\S+)")


class ServerOptions(NamedTuple):
    """The options that matter here, under the server's own names. "" is no value; paths are absolute.

    wsrep_status_file is None where the server does not know that option (before MariaDB 10.9). log_error is "" where
    the server would write to its standard error. wsrep_cluster_address is as it stands in the configuration.
    """

    datadir: str = ""
    socket: str = ""
    pid_file: str = ""
    log_error: str = ""
    bind_address: str = ""
    port: int = 3306
    extra_port: int = 0
    wsrep_on: bool = False
    wsrep_provider: str = ""
    wsrep_provider_options: str = ""
    wsrep_cluster_address: str = ""
    wsrep_cluster_name: str = ""
    wsrep_node_address: str = ""
    wsrep_node_name: str = ""
    wsrep_sst_method: str = ""
    wsrep_data_home_dir: str = ""
    wsrep_status_file: str | None = None


def parse_server_options(listing: str) -> ServerOptions | None:
    """Return the options of a listing, None for a text that is none, or not the whole of one.

    Paths are as the server printed them.
    """
    title = _TITLE.search(listing)
    end = _END.search(listing, title.end()) if title else None
    if title is None or end is None:
        return None
    values = {}
    for line in listing[title.end() : end.start()].split("\n"):
        name, _, value = line.partition(" ")
        values[name.replace("-", "_")] = "" if value.strip() == _NO_VALUE else value.strip()
    if any(name not in values for name in _ALWAYS):
        return None
    texts = {name: values.get(name, "") for name in ServerOptions._fields}
    provider = texts["wsrep_provider"]
    return ServerOptions(
        **{
            **texts,
            "port": _port(texts["port"], 3306),
            "extra_port": _port(texts["extra_port"], 0),
            # PXC has no such option: there a provider is enough.
            "wsrep_on": values.get("wsrep_on", "ON" if provider not in ("", "none") else "").upper() in _TRUE,
            "wsrep_provider": "" if provider == "none" else provider,
            "wsrep_status_file": values.get("wsrep_status_file"),
        }  # type: ignore[arg-type]
    )


def without_gcache(provider_options: str) -> str:
    """Return Galera's options for a server that gets a full copy: what its cache of write sets kept stays unread.

    A cache of an earlier life may hold seqnos that the cluster has used anew since. The joiner took its own one for the
    one that it was sent, failed ("Unsupported CC action version"), and skipped what was in its queue (measured, Galera
    26.4.23).
    """
    return ";".join([*(one for one in (provider_options.rstrip("; "),) if one), "gcache.recover=no"])


def find_bootstrap(argv: Sequence[str]) -> Position | None:
    """Return where a server that was told to form a new Primary began, Position() where it was not told that.

    None for one that is to join: without --wsrep-new-cluster, and without an address that names nobody, which is the
    old way to say the same (galera_new_cluster and galera_recovery of MariaDB pass the former, and the position).
    """
    said = {}
    for word in argv[1:]:
        name, _, value = word.partition("=")
        said[name.replace("_", "-").replace("--loose-", "--", 1)] = value
    alone = said.get("--wsrep-cluster-address", "?").partition("?")[0] == "gcomm://"
    if not alone and said.get("--wsrep-new-cluster", "0").upper() not in ("", "1", "ON", "TRUE"):
        return None
    return parse_position(said.get("--wsrep-start-position", "")) or Position()


def _port(text: str, default: int) -> int:
    number = parse_int(text)
    return number if number is not None and 0 <= number < 65536 else default


def find_datadir(words: str) -> str:
    """Return the data directory that the last --datadir= in a line of options names, "" without one."""
    found = _DATADIR.findall(words)
    return found[-1] if found else ""
