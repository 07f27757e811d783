"""HAProxy's view of the server that it checks: X-Haproxy-Server-State."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.http.haproxy_state import parse_last_server


@pytest.mark.parametrize(
    ("state", "last"),
    [
        pytest.param("UP 2/3; name=bck/srv2; node=lb1; weight=1/2; scur=13/22; qcur=0", False, id="one of two"),
        pytest.param("UP 2/3; name=bck/srv2; node=lb1; weight=1/1; scur=13/22; qcur=0", True, id="the only one"),
        pytest.param("UP; name=bck/srv2; node=lb1; weight=100/100; scur=0/0; qcur=0", True, id="other weights"),
        pytest.param("UP 1/3; name=bck/srv2; node=lb1; weight=1/1; scur=0/0; qcur=0", True, id="about to go down"),
        pytest.param("DOWN 1/2; name=bck/srv2; node=lb1; weight=1/1; scur=0/0; qcur=0", False, id="not even up"),
        pytest.param("NOLB; name=bck/srv2; node=lb1; weight=1/1; scur=0/0; qcur=0", False, id="draining"),
        pytest.param("UP; name=bck/srv2; node=lb1; weight=0/0; scur=0/0; qcur=0", False, id="no weight at all"),
        pytest.param("UP; name=bck/srv2; node=lb1; weight=0/1; scur=0/0; qcur=0", False, id="drained by weight"),
        pytest.param("UP; name=weight=1/1; node=lb1; weight=1/2", False, id="a server of that name"),
        pytest.param("UP; xweight=1/1", False, id="another field that ends so"),
        pytest.param("UPPER; weight=1/1", False, id="another word that begins so"),
        pytest.param("UP; weight=1/1x", False, id="not a number"),
        pytest.param("UP; weight=1/-1", False, id="a negative number"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_only_a_usable_server_with_all_the_weight_is_the_last(state: str, last: bool) -> None:
    assert parse_last_server(state) is last


@given(st.text() | st.text("UPDOWN weight=/0123456789;", max_size=60))
def test_no_header_makes_it_fail(state: str) -> None:
    assert parse_last_server(state) in (True, False)


@given(st.integers(1, 256), st.integers(0, 2560))
def test_all_the_weight_means_nobody_else_has_any(mine: int, others: int) -> None:
    state = f"UP 2/3; name=bck/srv2; node=lb1; weight={mine}/{mine + others}; scur=13/22; qcur=0"
    assert parse_last_server(state) is (others == 0)
