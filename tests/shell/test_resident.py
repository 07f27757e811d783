"""clustercheck and a responder with `wait = no` ask the responder of their host first: the answers are the same."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from loopback import Cluster, Net, Node, find_program, wait_until
from loopback.doors import CHECKOUT
from responder.test_cluster_states import transfer_held_up
from shell.conftest import PASSWORD, SQL_PASSWORD, USER
from shell.host import Host, option_file
from shell.probes import DISABLED, NOT_SYNCED, READ_ONLY, SYNCED
from shell.resident import DIRECTORY, REQUEST, Answer, Resident, ask_forked, modules_of, settings
from xha.doors.clustercheck import DEFAULTS
from xha.doors.resident_first import VARIABLES

ACCOUNT = (USER, PASSWORD)
MAX_AGE = 0.1  # the default of xha.conf
NOT_READ_ONLY = (*ACCOUNT, "0", "/dev/null", "0")


@pytest.fixture
def resident(net: Net, percona: Node, host: Host) -> Iterator[Resident]:
    address = net.next_address()
    host.write("/etc/xha/xha.conf", settings(address, "deadline = 5s"))
    with Resident(host, address) as running:
        wait_until(lambda: host.run("clustercheck", *ACCOUNT)[1] == SYNCED, 30, "the node is read")
        yield running


def both(resident: Resident, ask: Callable[[], object], *, answered: bool = True) -> object:
    """The answer with and without the resident, which are the same; and the resident has given the first one.

    Who hears nothing within 250 ms looks itself, as on a busy machine; and who looks itself at a dead server may meet
    another test's state transfer on this machine, which a resident knows not to be its own: then both are asked again.
    """
    wanted, told = ((1, 0) if answered else (0, 1)), []
    for _ in range(5):
        time.sleep(2 * MAX_AGE)  # within max_age a reading of before is the right answer
        before = resident.counts()
        first = ask()
        after = resident.counts()
        with resident.out_of_reach():
            alone = ask()
        counts = (after.answered - before.answered, after.referred - before.referred)
        if counts == wanted and alone == first:
            return first
        told.append((counts, first, alone))
    pytest.fail(f"five times another answer without the resident, or not one of its own: {told}")


def without_age(answer: Answer) -> Answer:
    """The answer without how old its reading is, which is another one each time."""
    return answer._replace(data=re.sub(rb"Content-Length: \d+\r\n|\d+ ms", b"", answer.data))


def ask_clustercheck(host: Host, *arguments: str) -> Callable[[], tuple[int, str, str]]:
    return lambda: host.run("clustercheck", *(arguments or ACCOUNT))[:3]


@contextmanager
def as_it_is(node: Node) -> Iterator[None]:
    yield


@contextmanager
def desynced(node: Node) -> Iterator[None]:
    node.sql("SET GLOBAL wsrep_desync = ON")
    wait_until(lambda: node.status("wsrep_local_state") == {"wsrep_local_state": "2"}, 10, "it is desynced")
    try:
        yield
    finally:
        node.sql("SET GLOBAL wsrep_desync = OFF")
        node.wait_synced()


@contextmanager
def read_only(node: Node) -> Iterator[None]:
    node.sql("SET GLOBAL read_only = ON")
    try:
        yield
    finally:
        node.sql("SET GLOBAL read_only = OFF")


@contextmanager
def rejecting(node: Node) -> Iterator[None]:
    node.sql("SET GLOBAL wsrep_reject_queries = ALL")
    try:
        yield
    finally:
        node.sql("SET GLOBAL wsrep_reject_queries = NONE")


@contextmanager
def dead(node: Node) -> Iterator[None]:
    node.kill()
    yield


NOBODY = 65534
STATES = [as_it_is, desynced, read_only, rejecting, dead]
PATHS = (b"/", b"/nowhere", b"/live", b"/service/none")


@pytest.mark.parametrize("state", STATES)
def test_the_answer_is_the_same_with_and_without_a_resident(
    host: Host, percona: Node, resident: Resident, state: Callable[[Node], object]
) -> None:
    with state(percona):  # type: ignore[attr-defined]
        for arguments in (ACCOUNT, (*ACCOUNT, "1"), NOT_READ_ONLY):
            both(resident, ask_clustercheck(host, *arguments))
        for path in PATHS:
            both(resident, lambda path=path: without_age(ask_forked(host, request=b"GET %b HTTP/1.0\r\n\r\n" % path)))  # type: ignore[misc]
        both(resident, lambda: ask_forked(host, "clustercheck", REQUEST, *ACCOUNT))


def test_a_frozen_server_is_told_by_the_deadline(host: Host, percona: Node, resident: Resident) -> None:
    host.write("/etc/xha/xha.conf", settings(resident.address))  # clustercheck's own deadline: 1 s
    before = resident.counts().answered
    wait_until(lambda: ask_forked(host) and resident.counts().answered > before, 30, "it reads by the new settings")
    with percona.frozen():
        assert both(resident, ask_clustercheck(host)) == (1, NOT_SYNCED, "")
        assert both(resident, lambda: ask_forked(host)) == Answer(0, NOT_SYNCED.encode())


def test_the_bytes_are_the_original_s(host: Host, percona: Node, resident: Resident) -> None:
    assert both(resident, ask_clustercheck(host)) == (0, SYNCED, "")
    with read_only(percona):
        assert both(resident, ask_clustercheck(host, *NOT_READ_ONLY)) == (1, READ_ONLY, "")
    assert both(resident, lambda: ask_forked(host)) == Answer(0, SYNCED.encode())


def test_who_is_disabled_or_drained_is_so(host: Host, percona: Node, resident: Resident) -> None:
    assert host.run("xha-check", "disable", "--until", "1h").code == 0
    assert both(resident, ask_clustercheck(host)) == (1, DISABLED, "")
    assert b"503" in both(resident, lambda: ask_forked(host)).data[:12]  # type: ignore[attr-defined]
    assert host.run("xha-check", "enable").code == 0
    assert both(resident, ask_clustercheck(host)) == (0, SYNCED, "")
    assert host.run("xha-check", "drain").code in (0, 1)
    assert b"404" in both(resident, lambda: ask_forked(host)).data[:12]  # type: ignore[attr-defined]
    assert both(resident, ask_clustercheck(host))[0] == 1  # type: ignore[index]


def test_the_original_s_own_file_is_seen_without_asking(host: Host, resident: Resident) -> None:
    before = resident.counts()
    host.write("/var/tmp/clustercheck.disabled", "")
    assert host.run("clustercheck", *ACCOUNT)[:3] == (1, DISABLED, "")
    assert resident.counts() == before


class TestAnotherConfiguration:
    """Where the two would not read the same node as the same account, who asks looks itself."""

    def test_a_wrong_password(self, host: Host, percona: Node, resident: Resident) -> None:
        assert both(resident, ask_clustercheck(host, USER, "wrong"), answered=False) == (1, NOT_SYNCED, "")

    def test_another_server(self, host: Host, percona: Node, resident: Resident) -> None:
        host.write("/run/extra.cnf", "[client]\nsocket=/run/nobody\n")
        ask = ask_clustercheck(host, *ACCOUNT, "0", "/dev/null", "1", "/run/extra.cnf")
        assert both(resident, ask, answered=False) == (1, NOT_SYNCED, "")

    def test_a_changed_option_file(self, host: Host, percona: Node, resident: Resident) -> None:
        assert both(resident, lambda: ask_forked(host)).data == SYNCED.encode()  # type: ignore[attr-defined]
        host.write("/etc/xha/client.cnf", option_file(user=USER, password="wrong"), 0o640)
        answer = both(resident, lambda: ask_forked(host), answered=False)
        assert answer.data == NOT_SYNCED.encode()  # type: ignore[attr-defined]

    def test_a_changed_xha_conf(self, host: Host, percona: Node, resident: Resident) -> None:
        host.write("/etc/xha/xha.conf", settings(resident.address, "body = redhat"))
        answers = [ask_forked(host).data for _ in range(3)]
        assert all(answer.endswith(b"Galera cluster node is synced.\r\n") for answer in answers), answers

    def test_a_broken_xha_conf(self, host: Host, percona: Node, resident: Resident) -> None:
        host.write("/etc/xha/xha.conf", settings(resident.address, "max_age = never"))
        answer = both(resident, lambda: ask_forked(host), answered=False)
        assert answer.data == NOT_SYNCED.encode()  # type: ignore[attr-defined]

    def test_a_file_for_the_reason(self, host: Host, percona: Node, resident: Resident) -> None:
        host.write("/run/reason", "of yesterday")
        both(resident, ask_clustercheck(host, *ACCOUNT, "0", "/run/reason"), answered=False)
        assert host.path("/run/reason").read_text() == ""

    def test_what_tells_of_the_process_that_answers(self, host: Host, percona: Node, resident: Resident) -> None:
        before = resident.counts()
        answer = ask_forked(host, request=b"GET /history HTTP/1.0\r\n\r\n")
        assert b"503" in answer.data[:12]
        assert b'"kind": "node"' in ask_forked(host, request=b"GET /node HTTP/1.0\r\n\r\n").data
        assert resident.counts() == (before.answered, before.referred + 2)

    def test_a_password_that_is_changed_meanwhile(self, host: Host, percona: Node, resident: Resident) -> None:
        """The open connection goes on. Within hang_reset, 10 s, the resident knows that a new one would not."""
        percona.sql(f"ALTER USER {USER}@localhost IDENTIFIED BY 'another'")
        try:
            before = resident.counts().referred
            wait_until(
                lambda: host.run("clustercheck", *ACCOUNT).code and resident.counts().referred > before,
                60,
                "the resident knows that a new login fails",
            )
            both(resident, ask_clustercheck(host), answered=False)
        finally:
            percona.sql(f"ALTER USER {USER}@localhost IDENTIFIED BY '{SQL_PASSWORD}'")


def test_a_request_that_comes_late_or_in_pieces_is_answered(host: Host, percona: Node, resident: Resident) -> None:
    for request in (b"", b"GET / HT"):
        assert both_unasked(resident, lambda request=request: ask_forked(host, request=request + b"X" * 9000))  # type: ignore[misc]


def both_unasked(resident: Resident, ask: Callable[[], Answer]) -> bool:
    """Whether the program itself answered what is no request."""
    before = resident.counts()
    answer = ask()
    return resident.counts() == before and answer.data.startswith(b"HTTP/1.1 4")


def test_forty_at_once(host: Host, percona: Node, resident: Resident) -> None:
    """By the deadline of 5 s: clustercheck's own, 1 s, is short for forty that look themselves on a busy machine."""
    before = resident.counts()
    with ThreadPoolExecutor(40) as threads:
        probes = list(threads.map(lambda _: ask_forked(host), range(80)))
    assert set(probes) == {Answer(0, SYNCED.encode())}
    assert resident.counts().answered > before.answered
    assert host.run("clustercheck", *ACCOUNT)[:3] == (0, SYNCED, "")


def test_who_is_answered_imports_nothing_but_what_is_built_in(
    host: Host, percona: Node, resident: Resident, tmp_path: Path
) -> None:
    for _ in range(5):  # who hears nothing within 250 ms, as on a busy machine, looks itself
        before = resident.counts().answered
        imported = modules_of(host, tmp_path / "log", "clustercheck", *ACCOUNT)
        if "xha.doors.clustercheck" not in imported and resident.counts().answered > before:
            break
    ours = {name for name in imported if name.startswith("xha.")}
    assert ours == {
        "xha.doors",
        "xha.doors.resident_first",
        "xha.adapters",
        "xha.adapters.network",
        "xha.adapters.network.resident_client",
    }
    assert imported.isdisjoint({"socket", "re", "enum", "typing", "collections", "struct", "json"})


def test_one_that_is_stopped_is_waited_for_a_moment(host: Host, percona: Node, resident: Resident) -> None:
    resident.process.send_signal(signal.SIGSTOP)
    try:
        assert host.run("clustercheck", *ACCOUNT)[:3] == (0, SYNCED, "")
        percona.kill()
        assert host.run("clustercheck", *ACCOUNT)[:3] == (1, NOT_SYNCED, "")
        assert ask_forked(host) == Answer(0, NOT_SYNCED.encode())
    finally:
        resident.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("changed", [None, 0, 1, 2, 3])
def test_one_of_other_code_or_another_network_answers_nothing(
    host: Host, percona: Node, resident: Resident, changed: int | None
) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import xha\n"
        "from xha.adapters.network.resident_client import ask, describe, RESPONDERS\n"
        "own = describe(xha.__version__, xha.__file__)\n"
        f"if {changed} is not None: own[{changed or 0}] += b'x'\n"
        "print(ask(RESPONDERS, own, [b'http', b'127.0.0.1', b'GET / HTTP/1.0\\r\\n\\r\\n']))"
    )
    for _ in range(5 if changed is None else 1):  # that nothing came within 250 ms says nothing on a busy machine
        done = host.run("/usr/bin/python3", "-IBS", "-c", code, str(CHECKOUT / "lib"))
        assert done.code == 0, done.err
        if "None" not in done.out:
            break
    assert ("None" in done.out) == (changed is not None), done.out


def hide(directory: str) -> tuple[str, ...]:
    """A wrapper that leaves a program no file of this directory, as PrivateTmp and ProtectHome do."""
    script = f'mount -t tmpfs -o mode=755 xha-test {directory} && exec "$@"'
    return (find_program("unshare", "util-linux"), "--mount", "--propagation=private", "/bin/sh", "-c", script, "sh")


class TestASandbox:
    """Who asks, or the resident, does not see what the other one does: who asks looks itself."""

    def test_a_socket_that_who_asks_does_not_see(self, host: Host, percona: Node, resident: Resident) -> None:
        assert both(resident, ask_clustercheck(host)) == (0, SYNCED, "")
        for _ in range(5):
            before = resident.counts()
            result = host.run("clustercheck", *ACCOUNT, wrapper=hide("/run/mysqld"))
            assert result[:3] == (1, NOT_SYNCED, "")
            if resident.counts().answered > before.answered:
                return
        pytest.fail("the resident has answered none of five")

    @pytest.mark.parametrize(
        "named",
        ["by Percona's form", "by the environment", "in /etc/sysconfig/clustercheck", "!include", "!includedir"],
    )
    @pytest.mark.parametrize("hidden", [False, True])
    def test_an_option_file_that_the_resident_does_not_see(
        self, net: Net, percona: Node, host: Host, named: str, hidden: bool
    ) -> None:
        """The file has a wrong password. A resident without it would log in with that of the other option files."""
        address = net.next_address()
        host.write("/etc/xha/xha.conf", settings(address, "deadline = 5s"))
        host.write("/etc/my.cnf", option_file(user=USER, password=PASSWORD))
        host.path("/run/secret").mkdir()
        host.write("/run/secret/extra.cnf", option_file(password="wrong" if hidden else PASSWORD))
        arguments, environment = ("", "", "0", "/dev/null", "1"), {}
        if named == "by Percona's form":
            arguments = ("-", "0", "/dev/null", "1", "/run/secret/extra.cnf")
        elif named.startswith("!"):
            arguments = ("", "", "0", "/dev/null", "1")
            path = "/run/secret" if named == "!includedir" else "/run/secret/extra.cnf"
            host.write("/etc/my.cnf", option_file(user=USER, password=PASSWORD) + f"{named} {path}\n")
        elif named == "by the environment":
            environment = {"DEFAULTS_EXTRA_FILE": "/run/secret/extra.cnf"}
        else:
            host.write("/etc/sysconfig/clustercheck", "DEFAULTS_EXTRA_FILE=/run/secret/extra.cnf\n")
        with Resident(host, address, wrapper=hide("/run/secret") if hidden else ()) as resident:

            def ask() -> tuple[int, str, str]:
                return host.run("clustercheck", *arguments, env=environment)[:3]

            wait_until(lambda: ask() and resident.counts().answered, 60, "the resident answers")
            expected = (1, NOT_SYNCED, "") if hidden else (0, SYNCED, "")
            assert both(resident, ask) == expected


def test_who_says_nothing_is_left_at_its_time(resident: Resident) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent:
        silent.settimeout(30)
        silent.connect(str(resident.path))
        began = time.monotonic()
        assert silent.recv(1) == b""
        assert time.monotonic() - began < 10  # the loop's own heartbeat comes earlier than a timeout


def test_without_a_free_descriptor_the_responder_rests(host: Host, percona: Node, resident: Resident) -> None:
    pid = resident.process.pid
    _, hard = limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asker:
            asker.connect(str(resident.path))
            before = spent(pid)
            time.sleep(1)  # the time over which it may spend next to nothing
            assert spent(pid) - before < 0.3
            assert host.run("clustercheck", *ACCOUNT)[:3] == (0, SYNCED, "")
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    both(resident, ask_clustercheck(host))


def spent(pid: int) -> float:
    """The seconds of CPU that a process has spent."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def test_a_joiner_and_its_donor_are_told_alike(net: Net, members: Cluster, host: Host) -> None:
    *others, joiner = members.nodes
    address = net.next_address()

    def look_at(node: Node) -> None:
        host.write("/etc/xha/xha.conf", settings(address, f"deadline = 5s\n[database]\nsocket = {node.socket}"))
        host.write("/run/extra.cnf", f"[client]\nsocket={node.socket}\n")

    def compare(path: bytes) -> Answer:
        answer = both(resident, lambda: without_age(ask_forked(host, request=b"GET %b HTTP/1.0\r\n\r\n" % path)))
        assert isinstance(answer, Answer)
        return answer

    ask = ask_clustercheck(host, *ACCOUNT, "0", "/dev/null", "1", "/run/extra.cnf")
    look_at(joiner)
    with Resident(host, address) as resident:
        wait_until(lambda: ask()[0] == 0 and resident.counts().answered, 30, "the resident answers")
        with transfer_held_up(joiner, list(others)):
            assert b"joining" in compare(b"/live").data
            assert both(resident, ask) == (1, NOT_SYNCED, "")
            before = resident.counts().answered
            look_at(next(one for one in others if one.status("wsrep_local_state") == {"wsrep_local_state": "2"}))
            wait_until(lambda: ask() and resident.counts().answered > before, 30, "it reads the other node")
            assert b"donor-sst" in compare(b"/live").data
            assert both(resident, ask) == (1, NOT_SYNCED, "")


def test_the_account_that_root_gave_the_directory_to_is_answered_by_its_own(
    net: Net, percona: Node, host: Host
) -> None:
    """As the packages have it, with the account xha. root would log in as another account, and looks itself."""
    host.write("/etc/xha/client.cnf", option_file(user=USER, password=PASSWORD))
    address = net.next_address()
    host.write(
        "/etc/xha/xha.conf", settings(address, "deadline = 5s").replace("/run/xha/history", f"{DIRECTORY}/history")
    )
    with Resident(host, address, user=NOBODY) as resident:
        wait_until(
            lambda: host.run("clustercheck", *ACCOUNT, user=NOBODY).code == 0 and resident.counts().answered,
            30,
            "it answers",
        )
        for _ in range(5):  # who hears nothing within 250 ms, as on a busy machine, looks itself
            before = resident.counts().answered
            assert host.run("clustercheck", *ACCOUNT, user=NOBODY)[:3] == (0, SYNCED, "")
            answered = resident.counts().answered
            if answered > before:
                break
        assert answered == before + 1
        assert host.run("clustercheck", *ACCOUNT)[:3] == (0, SYNCED, "")
        assert resident.counts().answered == answered


def test_every_variable_that_clustercheck_reads_is_sent() -> None:
    assert [name for name in DEFAULTS if not name.encode().startswith(VARIABLES)] == []
