"""The options that a server lists, under its own names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.serveroptions import ServerOptions, find_datadir, parse_server_options, without_gcache

LISTING = """mariadbd  Ver 10.11.19-MariaDB
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
    options = parse_server_options(f"{LISTING}wsrep-status-file            \n")
    assert options is not None
    assert options.wsrep_status_file == ""


@given(st.text())
def test_what_is_no_listing_is_none(text: str) -> None:
    assert parse_server_options(text) is None


@pytest.mark.parametrize(
    ("words", "datadir"),
    [("", ""), ("--datadir=/a --socket=/s", "/a"), ("--datadir=/a --datadir=/b", "/b"), ("--datadir", "")],
)
def test_the_last_data_directory_counts(words: str, datadir: str) -> None:
    assert find_datadir(words) == datadir


@pytest.mark.parametrize(("provider", "replicates"), [("none", False), ("/usr/lib/libgalera_smm.so", True)])
def test_a_server_without_the_switch_replicates_if_it_has_a_provider(provider: str, replicates: bool) -> None:
    lines = [line for line in LISTING.split("\n") if not line.startswith(("wsrep-on", "wsrep-provider"))]
    options = parse_server_options("\n".join([*lines, f"wsrep-provider       {provider}"]))
    assert options is not None
    assert options.wsrep_on is replicates


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
