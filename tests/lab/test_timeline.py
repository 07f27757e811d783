"""Where the seconds go, from journals as the hosts write them."""

from __future__ import annotations

from lab.measure import Attempt
from lab.timeline import CLIENTS, Run, Step, find_steps, longest_steps, render_page

H1 = """\
[  990.000001] h1 xha-galera(p_mysql)[401]: running: h1 is in the Primary component
[ 1000.400000] h1 xha-galera(p_mysql)[401]: the server has ended, pid 814; it is started (said 2 times since 13:11)
[ 1001.000000] h1 xha-responder[2057]: out of service: server-down: no server answers at the database's address: x
[ 1001.500000] h1 haproxy[2049]: Server mysql/controller-1 is DOWN, reason: Layer7 wrong status, code: 503
[ 1001.600000] h1 haproxy[2049]: 192.168.0.100:50092 [27/Nov/2026:13:14:59.921] mysql mysql/controller-2 1/0/118
[ 1007.000000] h1 pacemaker-controld[163]:  notice: Result of monitor operation for p_mysql on h1: not running
[ 1007.100000] h1 pacemaker-controld[163]:  notice: Requesting local execution of start operation for p_mysql on h1
[ 1007.200000] h1 pacemaker-controld[163]:  notice: Result of monitor operation for p_mysql on h1: ok
a line of another form
[ 1030.000000] h1 xha-galera(p_mysql)[401]: running: long after
"""
RUN = Run(
    "kill-active",
    "mysqld of the active node gets SIGKILL",
    struck=1000.0,
    ends=20.0,
    load=3.0,
    journals={"h1": H1},
    attempts=[
        Attempt(999.9, (0, 1), "fresh", None),
        Attempt(1000.1, (0, 2), "fresh", None),
        Attempt(1001.0, (0, 3), "fresh", "2013 Lost connection"),
        *(Attempt(1003 + number / 5, (0, number + 4), "fresh", None) for number in range(100)),
    ],
)


def test_the_steps_are_what_was_said_of_the_outage_in_order_and_in_short() -> None:
    assert [(round(step.at, 1), step.host, step.what) for step in find_steps(RUN)] == [
        (0.1, CLIENTS, "no write from here on for 2.9 s"),
        (0.4, "h1", "keeper: the server has ended"),
        (1.0, "h1", "responder: out of service: server-down"),
        (1.5, "h1", "HAProxy: mysql/controller-1 is DOWN"),
        (3.0, CLIENTS, "writes go on"),
        (7.0, "h1", "Pacemaker: monitor operation: not running"),
        (7.1, "h1", "Pacemaker orders: start"),
    ]


def test_the_longest_steps_are_named_first() -> None:
    steps = [Step(0, "h1", "a"), Step(1, "h1", "b"), Step(5, "h2", "c"), Step(7, "h1", "d")]
    assert [(seconds, before.what, after.what) for seconds, before, after in longest_steps(steps)] == [
        (4, "b", "c"),
        (2, "c", "d"),
        (1, "a", "b"),
    ]


def test_the_page_has_a_table_for_each_fault_in_which_no_text_breaks_a_column() -> None:
    page = render_page([RUN], "mariadb-server 10.11")
    assert "| 7.10 | 0.10 | h1 | Pacemaker orders: start |" in page
    assert "- 4.0 s: from clients: *writes go on* to h1: *Pacemaker: monitor operation: not running*" in page
    assert "load 3.0" in page
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert {row.count("|") for row in rows} == {5}
