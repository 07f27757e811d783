"""The options that a server would use, as its own `--help --verbose` lists them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..text.numbers import parse_int
from .position import Position, parse_position

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TITLE = re.compile(r"^Variables \(--variable-name=value\)", re.MULTILINE)
# What every server prints after all variables: "To see what variables a running server is using, type" in MariaDB 10.11
# (seen), "To see what values a running MySQL server is using, type" in MySQL, PXC and older MariaDB (sources).
_END = re.compile(r"^To see what \w+ a running ", re.MULTILINE)
_FILES = re.compile(r"^Default options are read from the following files in the given order:\n(.+)$", re.MULTILINE)
_ALWAYS = ("datadir", "pid_file", "port", "socket")
# What distributions call the systemd units of a server.


class EnabledUnit(NamedTuple):
    """A unit that starts at boot, as mariadb@two.service, and the link that says so."""

    name: str
    link: str


SERVER_UNITS = ("mariadb", "mysql", "mysqld")
_NO_VALUE = "(No default value)"
_TRUE = ("TRUE", "ON", "1")
_DATADIR = re.compile(r"--datadir=(\S+)")


class Ports(NamedTuple):
    """The TCP ports of a server: Galera's group, and SQL."""

    group: int = 4567
    sql: int = 3306


class ServerOptions(NamedTuple):
    """The options that xha needs, under the server's own names. "" is no value; paths are absolute.

    wsrep_status_file: None if the server does not know this option (before MariaDB 10.9).
    log_error: "" if the server would write to its standard error, which MySQL lists as stderr.
    wsrep_cluster_address: as it stands in the configuration. So are the paths of InnoDB and Aria: they may be relative
    to datadir.
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
    innodb_data_home_dir: str = ""
    innodb_data_file_path: str = ""
    innodb_log_group_home_dir: str = ""
    innodb_undo_directory: str = ""
    aria_log_dir_path: str = ""
    tmpdir: str = ""
    innodb_tmpdir: str = ""
    slave_load_tmpdir: str = ""
    log_bin: str = ""
    relay_log: str = ""
    general_log_file: str = ""
    slow_query_log_file: str = ""

    @property
    def ports(self) -> Ports:
        """The ports that the server listens on; where it names no port for the group, Galera's default.

        The address that is listened on goes before base_port, which wsrep_node_address may set (gcomm/src/gmcast.cpp,
        galera/src/replicator_smm_params.cpp).
        """
        provider = parse_provider_options(self.wsrep_provider_options)
        named = (
            _port_of(provider.get("gmcast.listen_addr", "")),
            provider.get("base_port", ""),
            _port_of(self.wsrep_node_address),
        )
        group = _port(next(filter(None, named), ""), 0)
        return Ports(group or Ports().group, self.port or Ports().sql)  # 0 is none


def parse_server_options(listing: str) -> ServerOptions | None:
    """Return the options of a listing, or None for a text that is no complete listing.

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
            "log_error": "" if texts["log_error"] == "stderr" else texts["log_error"],
            "port": _port(texts["port"], 3306),
            "extra_port": _port(texts["extra_port"], 0),
            # PXC has no wsrep_on. There a provider is enough.
            "wsrep_on": values.get("wsrep_on", "ON" if provider not in ("", "none") else "").upper() in _TRUE,
            "wsrep_provider": "" if provider == "none" else provider,
            "wsrep_status_file": values.get("wsrep_status_file"),
        }  # type: ignore[arg-type]
    )


def parse_default_files(listing: str) -> tuple[str, ...]:
    """Return the option files that a server reads by itself, in its order, as its listing names them.

    MariaDB of Debian 12: /etc/my.cnf, /etc/mysql/my.cnf. The one in a home directory (~) is left out.
    """
    found = _FILES.search(listing)
    return tuple(path for path in found[1].split() if path.startswith("/")) if found else ()


def parse_provider_options(text: str) -> dict[str, str]:
    """Return the options in a wsrep_provider_options `a = 1; b=2` (galerautils/src/gu_config.cpp)."""
    pairs = (one.partition("=") for one in re.split(r"(?<!\\);", text))
    return {name.strip(): value.strip() for name, equals, value in pairs if equals}


def parse_weight(variables: Mapping[str, str]) -> int | None:
    """Return pc.weight, a member's votes, from `wsrep_provider_pc_weight` or `wsrep_provider_options`; None if unknown.

    The first is there where MariaDB makes each option a variable of its own, as by default in 11.8.
    """
    text = variables.get("wsrep_provider_pc_weight")
    if text is None:
        text = parse_provider_options(variables.get("wsrep_provider_options", "")).get("pc.weight", "")
    return parse_int(text)


def without_gcache(provider_options: str) -> str:
    """Return Galera's options for a server that gets a full copy, so that it does not read its old cache of write sets.

    The cache of an earlier run may hold seqnos that the cluster has used again since. Measured (Galera 26.4.23): the
    joiner took an entry of its own cache for the one that it was sent, failed ("Unsupported CC action version"), and
    skipped what was in its queue.
    """
    return ";".join([*(one for one in (provider_options.rstrip("; "),) if one), "gcache.recover=no"])


def find_bootstrap(argv: Sequence[str]) -> Position | None:
    """Return the position from which a server's command line forms a new Primary, or None if the server is to join.

    A server forms a new Primary if it has --wsrep-new-cluster, or a cluster address that names no host, which is the
    older way. galera_new_cluster and galera_recovery of MariaDB pass the former, and the position. The result is
    Position() if the command line names no position.
    """
    said = {}
    for word in argv[1:]:
        name, _, value = word.partition("=")
        said[name.replace("_", "-").replace("--loose-", "--", 1)] = value
    alone = said.get("--wsrep-cluster-address", "?").partition("?")[0] == "gcomm://"
    if not alone and said.get("--wsrep-new-cluster", "0").upper() not in ("", "1", "ON", "TRUE"):
        return None
    return parse_position(said.get("--wsrep-start-position", "")) or Position()


def _port_of(address: str) -> str:
    """Return the port in `tcp://0.0.0.0:4567`, `[::]:4567` or `db1:4567`, "" where there is none."""
    found = re.fullmatch(r"(?:\w+://)?(?:\[[^\]]*\]|[^:/\[\]]*):(\d+)/?", address.strip())
    return found[1] if found else ""


def _port(text: str, default: int) -> int:
    number = parse_int(text)
    return number if number is not None and 0 <= number < 65536 else default


def find_datadir(words: str) -> str:
    """Return the data directory that the last --datadir= in a line of options names, "" if there is none."""
    found = _DATADIR.findall(words)
    return found[-1] if found else ""
