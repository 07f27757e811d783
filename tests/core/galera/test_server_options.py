"""The options that a server lists, under the server's own names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import UUID
from xha.core.galera.position import Position
from xha.core.galera.server_options import (
    Ports,
    ServerOptions,
    find_bootstrap,
    find_datadir,
    parse_default_files,
    parse_server_options,
    without_gcache,
)

HEAD = """mariadbd  Ver 10.11.19-MariaDB
  --datadir=name      Path to the database root directory
Variables (--variable-name=value)
and boolean options {FALSE|TRUE}                             Value (after reading options)
------------------------------------------------------------ -------------
datadir                                                      /srv/db/
extra-port                                                   3307
log-error
pid-file                                                     /srv/db/h1.pid
port                                                         3306
socket                                                       /run/mysqld/mysqld.sock
wsrep-cluster-address                                        gcomm://a,b,c?pc.wait_prim=no
wsrep-on                                                     TRUE
wsrep-provider                                               none
wsrep-sst-auth                                               (No default value)
wsrep-sst-method                                             mariabackup
"""
END = """
To see what variables a running server is using, type
'SELECT * FROM INFORMATION_SCHEMA.GLOBAL_VARIABLES' instead of 'mysqld --verbose --help' or 'mariadbd --verbose --help'.
"""
LISTING = HEAD + END


def test_a_listing_is_read() -> None:
    assert parse_server_options(LISTING) == ServerOptions(
        datadir="/srv/db/",
        socket="/run/mysqld/mysqld.sock",
        pid_file="/srv/db/h1.pid",
        extra_port=3307,
        wsrep_on=True,
        wsrep_cluster_address="gcomm://a,b,c?pc.wait_prim=no",
        wsrep_sst_method="mariabackup",
    )


def test_a_server_that_knows_the_status_file_lists_it() -> None:
    options = parse_server_options(f"{HEAD}wsrep-status-file            \n{END}")
    assert options is not None
    assert options.wsrep_status_file == ""


@given(st.text())
def test_what_is_no_listing_is_none(text: str) -> None:
    assert parse_server_options(text) is None


@pytest.mark.parametrize("length", range(0, len(HEAD) + 2, 7))
def test_a_listing_that_is_torn_anywhere_is_none(length: int) -> None:
    """An option that is missing in a torn listing is unknown. It is not unset."""
    assert parse_server_options(LISTING[:length]) is None


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(
            "\nTo see what values a running MySQL server is using, type\n'mysqladmin variables' ", id="MySQL, PXC"
        ),
        pytest.param("\nTo see what values a running MariaDB server is using, type\n", id="MariaDB before 10.5"),
    ],
)
def test_each_server_s_own_end_is_known(end: str) -> None:
    options = parse_server_options(HEAD + end)
    assert options is not None
    assert options == parse_server_options(LISTING)


@pytest.mark.parametrize("name", ["datadir", "pid-file", "port", "socket"])
def test_a_listing_without_what_every_server_lists_is_none(name: str) -> None:
    lines = [line for line in LISTING.split("\n") if not line.startswith(f"{name} ")]
    assert parse_server_options("\n".join(lines)) is None


@pytest.mark.parametrize(
    ("words", "datadir"),
    [("", ""), ("--datadir=/a --socket=/s", "/a"), ("--datadir=/a --datadir=/b", "/b"), ("--datadir", "")],
)
def test_the_last_data_directory_counts(words: str, datadir: str) -> None:
    assert find_datadir(words) == datadir


@pytest.mark.parametrize(("provider", "replicates"), [("none", False), ("/usr/lib/libgalera_smm.so", True)])
def test_a_server_without_the_switch_replicates_if_it_has_a_provider(provider: str, replicates: bool) -> None:
    lines = [line for line in HEAD.split("\n") if not line.startswith(("wsrep-on", "wsrep-provider"))]
    options = parse_server_options("\n".join([*lines, f"wsrep-provider       {provider}", END]))
    assert options is not None
    assert options.wsrep_on is replicates


@pytest.mark.parametrize(
    ("options", "ports"),
    [
        pytest.param({}, Ports(4567, 3306), id="the defaults"),
        pytest.param({"port": 3316}, Ports(4567, 3316), id="SQL elsewhere, behind a proxy"),
        pytest.param({"wsrep_provider_options": "pc.weight=2; base_port = 4667;"}, Ports(4667, 3306), id="base_port"),
        pytest.param({"wsrep_node_address": "10.0.0.1:4767"}, Ports(4767, 3306), id="the port of wsrep_node_address"),
        pytest.param({"wsrep_node_address": "[fd00::1]"}, Ports(4567, 3306), id="an address of IPv6 has no port"),
        pytest.param({"wsrep_node_address": "fd00::1"}, Ports(4567, 3306), id="nor without brackets"),
        pytest.param(
            {"wsrep_provider_options": "base_port=1;gmcast.listen_addr=tcp://[::]:4867", "wsrep_node_address": "a:2"},
            Ports(4867, 3306),
            id="where it listens goes before all others",
        ),
        pytest.param({"wsrep_provider_options": "base_port=70000"}, Ports(4567, 3306), id="no port"),
        pytest.param({"wsrep_provider_options": "base_port=0", "port": 0}, Ports(4567, 3306), id="0, which is none"),
        pytest.param({"wsrep_provider_options": "gmcast.listen_addr=0.0.0.0"}, Ports(4567, 3306), id="no port either"),
    ],
)
def test_the_ports_of_a_server_are_those_of_its_options(options: dict[str, Any], ports: Ports) -> None:
    assert ServerOptions(**options).ports == ports


@pytest.mark.parametrize(
    ("options", "without"),
    [
        ("", "gcache.recover=no"),
        ("gcache.size=1G; pc.weight=2;", "gcache.size=1G; pc.weight=2;gcache.recover=no"),
        ("gcache.recover=yes", "gcache.recover=yes;gcache.recover=no"),
    ],
)
def test_the_last_word_on_the_cache_of_write_sets_is_no(options: str, without: str) -> None:
    assert without_gcache(options) == without


@pytest.mark.parametrize(
    ("words", "origin"),
    [
        pytest.param(["--wsrep-new-cluster", f"--wsrep_start_position={UUID}:12"], Position(UUID, 12), id="of systemd"),
        pytest.param(["--wsrep_new_cluster=ON", "--datadir=/d"], Position(), id="by hand, without a position"),
        pytest.param(["--loose-wsrep-new-cluster"], Position(), id="where the option may be unknown"),
        pytest.param(["--wsrep-cluster-address=gcomm://"], Position(), id="the old way: nobody to join"),
        pytest.param(["--wsrep_cluster_address=gcomm://?pc.wait_prim=no"], Position(), id="the same, with options"),
        pytest.param(["--wsrep-new-cluster", "--wsrep_start_position=soon"], Position(), id="a position that is none"),
        pytest.param([f"--wsrep_start_position={UUID}:12"], None, id="one that joins"),
        pytest.param(["--wsrep-new-cluster=OFF"], None, id="told not to"),
        pytest.param(["--wsrep-cluster-address=gcomm://a,b"], None, id="one with others to join"),
        pytest.param([], None, id="without a word"),
    ],
)
def test_where_a_server_was_told_to_begin_a_cluster(words: list[str], origin: Position | None) -> None:
    assert find_bootstrap(["/usr/sbin/mariadbd", *words]) == origin


@given(st.lists(st.text()))
def test_whatever_a_server_was_told_is_read(argv: list[str]) -> None:
    assert find_bootstrap(argv) in (None, Position())


@pytest.mark.parametrize(
    ("listing", "files"),
    [
        pytest.param(
            "Usage: mariadbd [OPTIONS]\n\nDefault options are read from the following files in the given order:\n"
            "/etc/my.cnf /etc/mysql/my.cnf ~/.my.cnf \nThe following groups are read: mysqld server\n",
            ("/etc/my.cnf", "/etc/mysql/my.cnf"),
            id="MariaDB of Debian 12",
        ),
        pytest.param("Variables (--variable-name=value)\n", (), id="none"),
    ],
)
def test_the_option_files_that_a_server_reads_by_itself(listing: str, files: tuple[str, ...]) -> None:
    assert parse_default_files(listing) == files
