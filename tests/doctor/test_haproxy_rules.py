"""The doctor's rules about HAProxy: red on a file with that fault, silent on good ones. HAProxy itself takes each."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from doctor.looking import of_rule
from loopback import find_program
from loopback.doors import CHECKOUT
from seed import listen_mysql_for
from xha.app.doctor.haproxy import read_haproxy_files
from xha.core.config.haproxy_cfg import parse_haproxy_cfg
from xha.core.config.xha_conf import Config
from xha.core.doctor import haproxy_asking, haproxy_timing
from xha.core.doctor.facts import DoctorFacts, ServerFacts
from xha.core.doctor.findings import Weight
from xha.core.doctor.table import Examination, examine
from xha.core.doctor.unseen import Unseen

NAMES = [rule.name for rule in (*haproxy_asking.RULES, *haproxy_timing.RULES)]
GOOD = """\
global
  maxconn 2000
defaults
  mode tcp
  timeout connect 5s
  timeout client 48h
  timeout server 48h
  timeout check 5s
listen mysql
  bind 127.0.0.1:13306
  option httpchk GET /ready
  http-check disable-on-404
  http-check expect status 200
  default-server check port 49000 inter 2s fastinter 500ms rise 2 fall 2 on-marked-down shutdown-sessions
  server db1 192.0.2.11:3306
  server db2 192.0.2.12:3306 backup
  server db3 192.0.2.13:3306 backup
"""


def look(directory: Path, text: str) -> Examination:
    """What the doctor says of a file that HAProxy takes."""
    path = directory / "haproxy.cfg"
    path.write_text(text)
    haproxy = find_program("haproxy", "haproxy")
    done = subprocess.run([haproxy, "-c", "-f", str(path)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    server = ServerFacts("a test", {"max_connections": "100", "port": "3306"}, {})
    return examine(DoctorFacts(Config(), server=server, haproxy=read_haproxy_files([str(path)])))


def found_in(examination: Examination) -> set[str]:
    return {name for one in examination.findings for name in one.rules} & set(NAMES)


GOOD_FILES = {
    "all of it": GOOD,
    "the check's rules are inherited": GOOD.replace("  http-check disable-on-404\n", "").replace(
        "  timeout check 5s\n", "  timeout check 5s\n  http-check disable-on-404\n"
    ),
    "the question is inherited": GOOD.replace("  option httpchk GET /ready\n", "").replace(
        "  mode tcp\n", "  mode tcp\n  option httpchk\n"
    ),
    "options at each server": GOOD.replace("  default-server check", "  default-server").replace(
        ":3306", ":3306 check"
    ),
    "a named defaults": GOOD.replace("defaults\n", "defaults db\n").replace("listen mysql\n", "listen mysql from db\n"),
    "a frontend and a backend": GOOD.replace(
        "listen mysql\n  bind 127.0.0.1:13306\n", "frontend f\n  bind 127.0.0.1:13306\n  use_backend b\nbackend b\n"
    ),
    "quotes and comments": GOOD.replace("GET /ready", "'GET' \"/ready\" # asks"),
    "no expectation": GOOD.replace("  http-check expect status 200\n", ""),
    "IPv6": GOOD.replace("192.0.2.11:3306", "[2001:db8::1]:3306"),
    "the writer alone is up, and all servers are equal": GOOD.replace("GET /ready", "GET /writer").replace(
        " backup", ""
    ),
    "the same with allbackups": GOOD.replace("GET /ready", "GET /writer\n  option allbackups"),
    "one writer": GOOD.replace("GET /ready", "GET /writer"),
    "no path, which is /": GOOD.replace("GET /ready", ""),
    "the path in a rule": GOOD.replace("GET /ready", "GET /live").replace(
        "  http-check disable", "  http-check send uri /ready?by=haproxy\n  http-check disable"
    ),
    "what a rule does not say is the option's": GOOD.replace(
        "  http-check disable", "  http-check send meth HEAD\n  http-check disable"
    ),
    "a template of one writer": GOOD.replace(
        "server db2 192.0.2.12:3306 backup", "server-template db 2-2 192.0.2.12:3306 backup"
    ),
    "a web site beside it, of whose servers the port is not told": GOOD
    + 'listen web\n  bind 127.0.0.1:18080\n  mode http\n  server w 192.0.2.9:"${WEBPORT}"\n',
    "a socket beside it": GOOD + "listen local\n  bind 127.0.0.1:18080\n  server w /run/local.sock\n",
    "a condition beside it": GOOD + ".if defined(NO)\nlisten web\n  bind 127.0.0.1:18080\n.endif\n",
    "the check's port in a rule": GOOD.replace(" port 49000", "").replace(
        "  http-check disable",
        "  http-check connect port 49000\n  http-check send meth GET uri /ready\n  http-check disable",
    ),
}


DOCS = CHECKOUT / "docs"
# As the files themselves say that they are used: the database alone, and with the other services behind it.
DOCUMENTED = {
    "haproxy.cfg": ("haproxy.cfg",),
    "haproxy.cfg and haproxy-openstack.cfg": ("haproxy.cfg", "haproxy-openstack.cfg"),
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_documented_files_are_silent(tmp_path: Path, name: str) -> None:
    text = "".join((DOCS / one).read_text(encoding="utf-8") for one in DOCUMENTED[name])
    came_to = look(tmp_path, text)
    assert [one for one in came_to.findings if found_in(came_to) & set(one.rules)] == []
    assert set(NAMES) <= set(came_to.fine)


@pytest.mark.parametrize("name", GOOD_FILES)
def test_a_good_file_is_silent(tmp_path: Path, name: str) -> None:
    came_to = look(tmp_path, GOOD_FILES[name])
    assert found_in(came_to) == set()
    assert set(NAMES) <= set(came_to.fine)


# The rule, what is replaced in the good file, by what, and what the finding names.
FAULTS = [
    ("haproxy-unchecked", "default-server check port", "default-server port", "server db1 (line 15)"),
    ("haproxy-unchecked", "db2 192.0.2.12:3306", "db2 192.0.2.12:3306 no-check", "server db2 (line 16)"),
    ("haproxy-check-port", " port 49000", "", "the database's own port, 3306"),
    ("haproxy-connect-only", "  option httpchk GET /ready\n", "", "connect to port 49000, and ask nothing"),
    ("haproxy-connect-only", "  option httpchk GET /ready\n", "  option tcp-check\n", "ask nothing"),
    ("haproxy-path", "GET /ready", "GET /live", "asks for /live, and not for one of /, /ready, /writer"),
    ("haproxy-path", "GET /ready", "/health?full=1", "asks for /health"),
    (
        "haproxy-path",
        "  http-check disable",
        "  http-check send meth GET uri /health hdr uri /ready\n  http-check disable",
        "asks for /health",
    ),
    ("haproxy-takes-503", "expect status 200", "expect rstatus .", "takes 503 for a server that is up"),
    ("haproxy-takes-503", "expect status 200", "expect ! status 500", "takes 503"),
    ("haproxy-refuses-200", "expect status 200", "expect status 204", "takes 200 for a server that is down"),
    ("haproxy-cuts-drained", "  http-check disable-on-404\n", "", "takes 404"),
    ("haproxy-timeout", "timeout check 5s", "timeout check 800ms", "gets 0.8 s for a check (timeout check)"),
    ("haproxy-late", "inter 2s fastinter 500ms", "inter 10s", "inter 10 s, fall 2, timeout check 5 s"),
    ("haproxy-fall", "fall 2", "fall 1", "has fall 1"),
    ("haproxy-sessions", " on-marked-down shutdown-sessions", "", "db1, db2, db3 without"),
    ("haproxy-writers", " backup", "", "db1, db2, db3"),
    ("haproxy-writers", "server db1 192", "server-template node 3 192", "node1, node2, node3"),
    ("haproxy-writers", "  default-server", "  option allbackups\n  default-server", "db2, db3 once db1 is down"),
    ("haproxy-maxconn", "192.0.2.11:3306", "192.0.2.11:3306 maxconn 500", "maxconn 500"),
]


@pytest.mark.parametrize(("rule", "before", "after", "seen"), FAULTS)
def test_a_fault_is_told_by_its_rule(tmp_path: Path, rule: str, before: str, after: str, seen: str) -> None:
    assert before in GOOD
    text = GOOD.replace(before, after)
    came_to = look(tmp_path, text)
    found = of_rule(came_to, rule)
    assert found, came_to.findings
    assert seen in found[0].seen
    assert str(tmp_path / "haproxy.cfg") in found[0].seen
    assert found[0].write


# The rules, what is replaced in the good file, by what, and what the finding names. HAProxy gets each variable.
EVERY = set(NAMES)
ENVIRONMENT = {"T": "5s", "N": "3", "P": "49000", "DBPORT": "3306", "URI": "/ready", "WORD": "check"}
OPEN = [
    ({"haproxy-timeout", "haproxy-late"}, "timeout check 5s", 'timeout check "${T}"', "line 8, timeout check ${T}"),
    ({"haproxy-late"}, " inter 2s", ' inter "${T}"', "server db1 (line 15) has inter ${T}"),
    ({"haproxy-late"}, " fastinter 500ms", ' fastinter "$T"', "has fastinter $T"),
    ({"haproxy-late", "haproxy-fall"}, " fall 2", ' fall "${N}"', "has fall ${N}"),
    ({"haproxy-maxconn"}, "192.0.2.11:3306", '192.0.2.11:3306 maxconn "${N}"', "server db1 (line 15) has maxconn ${N}"),
    ({"haproxy-maxconn"}, "192.0.2.11:3306", '192.0.2.11:3306 maxconn "9${N}"', "has maxconn 9${N}"),
    ({"haproxy-check-port"}, "port 49000", 'port "${P}"', "has port ${P}"),
    ({"haproxy-sessions"}, "marked-down shutdown-sessions", 'marked-down "${M}"', "has on-marked-down ${M}"),
    ({"haproxy-path"}, "GET /ready", 'GET "${URI}"', "line 11, option httpchk GET ${URI}"),
    (
        {"haproxy-takes-503", "haproxy-refuses-200"},
        "expect status 200",
        'expect status "${S}"',
        "whether it takes 503 for good depends",
    ),
    (EVERY, "server db2 192.0.2.12:3306", 'server db2 192.0.2.12:3306 "${WORD}"', "line 16, server db2"),
    (EVERY, "  option httpchk", '  option "${CHECK}"\n  option httpchk', "line 11, option ${CHECK}"),
    (EVERY, "  default-server", ".if defined(X)\n  option httpchk /live\n.endif\n  default-server", "line 14, .if"),
    (EVERY, "listen mysql", ".if defined(T)\nlisten mysql", "listen mysql of"),
    (EVERY, "defaults\n", ".if defined(T)\ndefaults\n", "it depends on a condition (line 3, .if defined(T))"),
]


@pytest.mark.parametrize("fault", OPEN, ids=lambda fault: fault[2])
def test_what_is_written_and_cannot_be_evaluated_is_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: tuple[set[str], str, str, str]
) -> None:
    rules, before, after, seen = fault
    values = {**ENVIRONMENT, "M": "shutdown-sessions", "S": "200", "CHECK": "tcplog"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    assert before in GOOD
    text = GOOD.replace(before, after)
    came_to = look(tmp_path, text + ".endif\n" * (text.count(".if") - text.count(".endif")))
    unseen = [one for one in came_to.findings if one.weight is Weight.UNSEEN and set(one.rules) & set(NAMES)]
    assert {name for one in unseen for name in one.rules} == rules
    assert any(seen in one.seen for one in unseen), unseen
    assert EVERY - rules <= set(came_to.fine)


def test_a_section_that_cannot_be_told_from_the_database_s_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBPORT", "3306")
    other = 'listen other\n  bind 127.0.0.1:13307\n  server x 192.0.2.9:"${DBPORT}"\n'
    came_to = look(tmp_path, GOOD.replace("fall 2", "fall 1") + other)
    assert not set(came_to.fine) & set(NAMES)
    named = [one for one in came_to.findings if "listen other" in one.seen]
    assert [(one.weight, set(one.rules)) for one in named] == [(Weight.UNSEEN, EVERY)]
    assert "the port of server x (line 20) is not told" in named[0].seen
    assert [one.weight for one in of_rule(came_to, "haproxy-fall")] == [Weight.ADVICE, Weight.UNSEEN]


def test_without_a_timeout_the_interval_is_one(tmp_path: Path) -> None:
    came_to = look(tmp_path, GOOD.replace("  timeout check 5s\n", "").replace("inter 2s", "inter 1s"))
    (found,) = of_rule(came_to, "haproxy-timeout")
    assert "gets 1 s for a check (inter, where there is no timeout check)" in found.seen


def test_a_drained_node_that_stays_up_is_told(tmp_path: Path) -> None:
    """The form that many guides have: `! rstatus ^5` takes 404 for good."""
    text = GOOD.replace("  http-check disable-on-404\n", "").replace("expect status 200", "expect ! rstatus ^5")
    came_to = look(tmp_path, text)
    assert found_in(came_to) == {"haproxy-keeps-drained"}
    (found,) = came_to.findings[:1]
    assert found.weight is Weight.HARM
    assert found.write == "http-check disable-on-404   in listen mysql"


def test_what_a_text_decides_is_not_looked_at(tmp_path: Path) -> None:
    came_to = look(tmp_path, GOOD.replace("expect status 200", "expect string OK"))
    (found,) = of_rule(came_to, "haproxy-takes-503")
    assert found.weight is Weight.UNSEEN


def test_the_guide_s_own_section_is_read(tmp_path: Path) -> None:
    nodes = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    came_to = look(tmp_path, "defaults\n  timeout connect 5s\n" + listen_mysql_for("127.0.0.1:13306", nodes))
    assert found_in(came_to) == {"haproxy-cuts-drained", "haproxy-sessions"}


def test_another_file_than_the_database_s_is_not_green(tmp_path: Path) -> None:
    came_to = look(tmp_path, "defaults\n  timeout connect 5s\nlisten web\n  bind 127.0.0.1:18080\n  mode http\n")
    assert not set(came_to.fine) & set(NAMES)
    (found,) = of_rule(came_to, "haproxy-unchecked")
    assert found.weight is Weight.UNSEEN
    assert "--haproxy FILE" in found.write


def test_a_file_that_is_not_there_is_not_green(tmp_path: Path) -> None:
    came_to = examine(DoctorFacts(haproxy=read_haproxy_files([str(tmp_path / "no.cfg")])))
    (found,) = of_rule(came_to, "haproxy-unchecked")
    assert (found.weight, set(found.rules)) == (Weight.UNSEEN, set(NAMES))
    assert "no such file" in found.seen


def test_several_files_are_read_as_one(tmp_path: Path) -> None:
    """A directory's files in their order; `defaults` are in the first one."""
    head, _, rest = GOOD.partition("listen mysql")
    parts = {
        "1-head.cfg": head,
        "2-db.cfg": "listen mysql" + rest.replace("fall 2", "fall 1"),
        "3.bak": "no",
        ".4.cfg": "no",
    }
    for name, text in parts.items():
        (tmp_path / name).write_text(text)
    haproxy = find_program("haproxy", "haproxy")
    subprocess.run([haproxy, "-c", "-f", str(tmp_path)], check=True, capture_output=True, timeout=60)
    first, second = str(tmp_path / "1-head.cfg"), str(tmp_path / "2-db.cfg")
    for paths in ([str(tmp_path)], [first, second]):
        read = read_haproxy_files(paths)
        assert not isinstance(read, Unseen)
        assert read.paths == (first, second)
        came_to = examine(DoctorFacts(haproxy=read))
        assert found_in(came_to) == {"haproxy-fall", "haproxy-maxconn"}
        (found,) = of_rule(came_to, "haproxy-fall")
        assert f"listen mysql of {second}: server db1 (line 7)" in found.seen


def test_a_directory_without_a_file_is_not_green(tmp_path: Path) -> None:
    (tmp_path / "haproxy.conf").write_text(GOOD)
    read = read_haproxy_files([str(tmp_path)])
    assert isinstance(read, Unseen)
    assert "has no .cfg" in read.what


LONG = {"plain": "a" * 800_000, "quoted": '"' + "a" * 800_000, "words": "a " * 400_000, "escapes": "\\a" * 400_000}


@pytest.mark.parametrize("name", LONG)
def test_a_long_line_is_read_in_time(name: str) -> None:
    """A loop that joins character by character needs 6 s for a word (measured); this one less than 1 s."""
    began = time.process_time()
    parse_haproxy_cfg(f"listen l\n  server s 192.0.2.1:3306 {LONG[name]}\n")
    assert time.process_time() - began < 4
