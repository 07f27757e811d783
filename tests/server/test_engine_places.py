"""Where the options place the files of the engines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.adapters.mysqld.engine_places import EnginePlaces, find_engine_places
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
