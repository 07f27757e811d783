"""Where the options place the files of the engines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.adapters.mysqld.engine_places import (
    EnginePlaces,
    find_engine_places,
    find_own_directories,
    find_state_directory,
)
from xha.core.galera.server_options import ServerOptions

DATADIR = "/srv/db"
INSIDE = EnginePlaces((f"{DATADIR}/ibdata1",))


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, INSIDE),
        ({"innodb_data_home_dir": "./", "aria_log_dir_path": f"{DATADIR}/"}, INSIDE),
        ({"innodb_data_home_dir": "/ssd"}, EnginePlaces(("/ssd/ibdata1",), ("/ssd",))),
        ({"innodb_log_group_home_dir": "redo"}, EnginePlaces(INSIDE.files, (f"{DATADIR}/redo",))),
        ({"innodb_undo_directory": "../undo"}, EnginePlaces(INSIDE.files, ("/srv/undo",))),
        ({"aria_log_dir_path": "/aria"}, EnginePlaces(INSIDE.files, ("/aria",))),
        (
            {"innodb_data_file_path": "one:12M;/ssd/two:50M:autoextend:max:1G"},
            EnginePlaces((f"{DATADIR}/one", "/ssd/two"), ("/ssd",)),
        ),
        ({"innodb_data_file_path": ""}, EnginePlaces()),
    ],
    ids=str,
)
def test_where_the_files_of_the_engines_are(options: dict[str, str], found: EnginePlaces) -> None:
    given_options = {"datadir": f"{DATADIR}/", "innodb_data_file_path": "ibdata1:12M:autoextend", **options}
    assert find_engine_places(ServerOptions(**given_options)) == found  # type: ignore[arg-type]


@given(st.text(), st.text(), st.text())
def test_whatever_is_listed_is_read(home: str, files: str, logs: str) -> None:
    options = ServerOptions(
        datadir=DATADIR, innodb_data_home_dir=home, innodb_data_file_path=files, aria_log_dir_path=logs
    )
    found = find_engine_places(options)
    assert DATADIR not in found.elsewhere
    assert all(place.startswith("/") for place in (*found.files, *found.elsewhere))


@pytest.mark.parametrize(
    ("options", "names"),
    [
        pytest.param({}, (), id="nothing but the data directory"),
        pytest.param({"tmpdir": f"{DATADIR}/tmp:/ssd/tmp:{DATADIR}/more/tmp"}, ("more", "tmp"), id="tmpdir, several"),
        pytest.param({"log_error": "log/error.log", "log_bin": "binlog/mysql-bin"}, ("binlog", "log"), id="logs"),
        pytest.param({"innodb_undo_directory": "undo", "aria_log_dir_path": "/aria"}, ("undo",), id="the engines'"),
        pytest.param({"wsrep_provider_options": "base_dir=galera"}, ("galera",), id="Galera's saved state"),
        pytest.param({"tmpdir": "/srv", "log_bin": "/srv/db-logs/bin"}, (), id="elsewhere"),
    ],
)
def test_the_server_s_own_directories_in_the_data_directory(options: dict[str, str], names: tuple[str, ...]) -> None:
    assert find_own_directories(ServerOptions(datadir=f"{DATADIR}/", **options)) == names  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("home", "provider", "directory"),
    [
        pytest.param("", "", "/srv/db", id="the data directory"),
        pytest.param("/srv/db/", "gcache.size=1G", "/srv/db", id="as the server lists it by default"),
        pytest.param("/srv/state/", "", "/srv/state", id="wsrep_data_home_dir"),
        pytest.param("/srv/state", "gcache.size=1G; base_dir = /srv/base;", "/srv/base", id="base_dir goes before it"),
        pytest.param("", "base_dir=galera", "/srv/db/galera", id="a relative one is in the data directory"),
        pytest.param("", "base_dir=.", "/srv/db", id="Galera's default"),
    ],
)
def test_where_galera_keeps_its_saved_state(home: str, provider: str, directory: str) -> None:
    options = ServerOptions("/srv/db/", wsrep_data_home_dir=home, wsrep_provider_options=provider)
    assert find_state_directory(options) == directory
