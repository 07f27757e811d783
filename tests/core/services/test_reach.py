"""Why a service cannot be reached: by its own fault, or because its section does not say where it listens."""

from __future__ import annotations

from typing import Any

import pytest

from xha.core.services.model.reach import Attempt, Whereabouts, judge_unreached
from xha.core.services.model.result import Level

ASKED = Attempt(("127.0.0.1", 5000), "/v3: connection refused", "url")
SOCKET = Attempt("/run/x.sock", "/run/x.sock: no such file or directory", "socket")
ASIDE = SOCKET._replace(is_aside=True)
HERE, ELSEWHERE, OTHER_PORT = ("127.0.0.1", 5000), ("10.0.0.6", 5000), ("10.0.0.6", 35357)
DOWN, BLIND = "critical", "unknown"


def seen(*places: Any, pid: int | None = 7, is_seen: bool = True) -> Whereabouts:
    return Whereabouts(pid, is_seen, places)


@pytest.mark.parametrize(
    ("attempt", "where", "status"),
    [
        pytest.param(ASKED, seen(pid=None), DOWN, id="no process"),
        pytest.param(ASKED, seen(ELSEWHERE, pid=None), DOWN, id="another program on its port does not count for it"),
        pytest.param(ASKED, seen(), DOWN, id="a process that listens nowhere"),
        pytest.param(ASKED, seen(HERE), DOWN, id="a process that listens there, and is not reached"),
        pytest.param(ASKED, seen(("0.0.0.0", 5000), ELSEWHERE), DOWN, id="everywhere is there"),
        pytest.param(ASKED, seen(("::", 5000)), DOWN, id="everywhere by IPv6"),
        pytest.param(ASKED, seen(ELSEWHERE), BLIND, id="another address"),
        pytest.param(ASKED, seen(OTHER_PORT), BLIND, id="another port"),
        pytest.param(ASKED, seen("/run/x.sock"), BLIND, id="a socket"),
        pytest.param(ASKED._replace(ports=(5000,)), seen(OTHER_PORT), DOWN, id="a port for another purpose"),
        pytest.param(ASKED._replace(ports=(5000,)), seen(ELSEWHERE, OTHER_PORT), BLIND, id="its port, elsewhere"),
        pytest.param(ASKED, seen(ELSEWHERE, is_seen=False), BLIND, id="hidden: its port, somebody's"),
        pytest.param(ASKED, seen(OTHER_PORT, is_seen=False), DOWN, id="hidden: another port is nobody's"),
        pytest.param(ASKED, seen(HERE, is_seen=False), DOWN, id="hidden, and there"),
        pytest.param(SOCKET, seen(), DOWN, id="no socket"),
        pytest.param(SOCKET, seen(ELSEWHERE), BLIND, id="TCP in place of a socket"),
        pytest.param(SOCKET, seen("/var/x/x.sock", is_seen=False), BLIND, id="hidden: the same name elsewhere"),
        pytest.param(ASIDE, seen(ELSEWHERE), BLIND, id="no socket to administer it"),
        pytest.param(ASIDE, seen(is_seen=False), BLIND, id="no socket to administer it, the others hidden"),
        pytest.param(ASIDE, seen(), DOWN, id="no socket at all: an old process that ends, without a successor"),
        pytest.param(ASIDE, seen(pid=None), DOWN, id="no socket to administer it, and no process"),
    ],
)
def test_whose_fault_it_is(attempt: Attempt, where: Whereabouts, status: str) -> None:
    result = judge_unreached("x", Level.PROTOCOL, attempt, where)
    assert (result.status.value, result.blame) == (status, "self" if status == DOWN else None)
    assert attempt.said in result.message
    if status == BLIND:
        assert result.message.startswith(f"needs {attempt.key}: ")


def test_it_says_where_it_listens() -> None:
    said = judge_unreached("x", Level.PROTOCOL, ASKED, seen(ELSEWHERE, "/run/x.sock")).message
    assert said == ("needs url: /v3: connection refused; its process 7 listens on 10.0.0.6 port 5000, /run/x.sock")
    hidden = judge_unreached("x", Level.PROTOCOL, ASKED, seen(ELSEWHERE, is_seen=False)).message
    assert "CAP_SYS_PTRACE shows whether it is process 7's" in hidden
