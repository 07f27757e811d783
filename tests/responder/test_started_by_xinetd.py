"""Started by a real xinetd: the stanza of xinetd/xha.xinetd (wait = yes) and the seed document's own (wait = no)."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pymysql
import pytest

from loopback import Daemon, Net, Node, Xinetd, find_program, wait_until
from loopback.doors import CHECKOUT
from loopback.files import put
from loopback.responder import PORT, Address
from responder.client import PROBE, ask, connect, exchange, read_to_end
from responder.process import BUSY_MACHINE, PATIENT
from responder.test_http import SYNCED
from seed import XINETD_STANZA

USER = "nobody"  # the seed's


# The devices are links to the real ones, because a copy does not open on a file system mounted with nodev.
OWN_SYSLOG = """
log=$1
shift
mount --rbind /dev "$0"
mount -t tmpfs -o mode=755 xha-test /dev
for entry in "$0"/*; do ln -s "$entry" /dev/; done
rm -f /dev/log
ln -s "$log" /dev/log
exec "$@"
"""


@pytest.fixture(scope="module")
def launcher(net: Net) -> Path:
    """The responder as `make install` lays it out; every account may read it, because the user nobody starts it."""
    python = net.directory / "python"
    shutil.copytree(CHECKOUT / "lib" / "xha", python / "xha", ignore=shutil.ignore_patterns("__pycache__"))
    for package in (pymysql, psutil):
        shutil.copytree(Path(package.__file__).parent, python / package.__name__)
    path = net.directory / "xha-responder"
    program = "/usr/bin/python3" if os.geteuid() == 0 else sys.executable
    # As installed: the user nobody may not write what it has compiled, and would do it at each start.
    subprocess.run([program, "-IS", "-m", "compileall", "-q", str(python)], check=True)
    filled = subprocess.run(
        [CHECKOUT / "tools/install/launcher", CHECKOUT / "xinetd/xha-responder", f"{program} -IS", python],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    path.write_text(filled.stdout)
    path.chmod(0o755)
    return path


@pytest.fixture
def settings(net: Net, database: Node, tmp_path: Path) -> Path:
    """xha.conf for a responder that xinetd will start, and its database account."""
    directory = Path(net.directory / f"xinetd-{tmp_path.name}")
    directory.mkdir()
    (directory / "run").mkdir()
    (directory / "run").chmod(0o777)  # as tmpfiles.d makes it for the account
    database.create_account(f"{USER}@localhost", "IDENTIFIED VIA unix_socket")
    (directory / "client.cnf").write_text(f"[client]\nuser = {USER}\n")
    config = directory / "xha.conf"
    config.write_text(
        f"[database]\ndefaults_file = {directory}/client.cnf\nsocket = {database.socket}\n"
        f"[responder]\ndisabled_file = {directory}/disabled\ncommit_file = {directory}/run/commit.json\n"
        f"history_file = {directory}/run/history\n{PATIENT}\n"
    )
    return config


def account_lines(text: str) -> str:
    """Return the stanza without its account lines if the test is not root: xinetd cannot change the account then."""
    return text if os.geteuid() == 0 else re.sub(r"(?m)^ *(user|group|groups) .*\n", "", text)


def wait_yes(launcher: Path, settings: Path, address: Address) -> str:
    """The stanza of this repository, with an address and a configuration of the test."""
    stanza = (CHECKOUT / "xinetd/xha.xinetd").read_text()
    stanza = stanza.replace("@libexecdir@/xha/xha-responder", str(launcher)).replace("disable         = yes", "")
    stanza = stanza.replace("= xha\n", f"= {USER}\n")
    more = f"        bind = {address[0]}\n        server_args = --config {settings}\n}}"
    return account_lines(stanza.rstrip().removesuffix("}") + more)


def wait_no(launcher: Path, settings: Path, address: Address) -> str:
    """The seed's stanza with the changes of interfaces.md (server, group and type), and the test's address."""
    stanza = XINETD_STANZA.replace("= /usr/bin/galeracheck", f"= {launcher}\n        server_args = --config {settings}")
    stanza = stanza.replace("= nobody\n        groups", "= nogroup\n        groups")
    stanza = stanza.replace("= 0.0.0.0\n        only", f"= {address[0]}\n        only")
    return account_lines(stanza.removesuffix("}\n") + "        type = UNLISTED\n}\n")


@pytest.fixture
def resident(net: Net, launcher: Path, settings: Path, tmp_path: Path) -> Iterator[tuple[Xinetd, Address]]:
    """xinetd with wait = yes."""
    address = (net.next_address(), PORT)
    with Xinetd(net, tmp_path, wait_yes(launcher, settings, address)) as xinetd:
        xinetd.wait_listening(*address)
        yield xinetd, address


@pytest.fixture
def forked(net: Net, launcher: Path, settings: Path, tmp_path: Path) -> Iterator[tuple[Xinetd, Address]]:
    """xinetd with wait = no."""
    address = (net.next_address(), PORT)
    with Xinetd(net, tmp_path, wait_no(launcher, settings, address)) as xinetd:
        xinetd.wait_listening(*address)
        yield xinetd, address


def servers(xinetd: Daemon) -> list[psutil.Process]:
    return psutil.Process(xinetd.pid).children(recursive=True)


def test_wait_yes_starts_one_responder_for_all_probes(resident: tuple[Xinetd, Address]) -> None:
    xinetd, address = resident
    assert {exchange(address, PROBE).raw.decode() for _ in range(100)} == {SYNCED}
    [server] = servers(xinetd)
    if os.geteuid() == 0:
        assert server.username() == USER


def test_wait_yes_survives_more_connections_than_xinetds_own_limits(resident: tuple[Xinetd, Address]) -> None:
    xinetd, address = resident
    exchange(address, PROBE)
    clients = [connect(address) for _ in range(300)]  # xinetd's default is 50 a second, its backlog 64
    for sock in clients:
        sock.sendall(PROBE)
    for sock in clients:
        with sock:
            assert read_to_end(sock).startswith(b"HTTP/1.1 200")
    assert len(servers(xinetd)) == 1


def test_wait_yes_not_one_line_of_its_log_reaches_a_client(
    resident: tuple[Xinetd, Address], settings: Path, database: Node
) -> None:
    _, address = resident
    put(settings, settings.read_text() + "mistake = 1\n")
    answers = [exchange(address, b"\x00rubbish"), exchange(address, PROBE), ask(address, "/ready")]
    assert [answer.status for answer in answers] == [400, 503, 503]
    assert answers[2].code == "config-error"
    assert all(answer.raw.startswith(b"HTTP/1.1 ") for answer in answers)


@pytest.mark.skipif(os.geteuid() != 0, reason="a mount namespace of one's own needs root")
def test_wait_yes_its_log_goes_to_syslog(net: Net, launcher: Path, settings: Path, tmp_path: Path) -> None:
    """/dev/log is the test's own, in a separate mount namespace: only xinetd sees it."""
    address = (net.next_address(), PORT)
    xinetd = Xinetd(net, tmp_path, wait_yes(launcher, settings, address))
    devices, log = net.directory / "dev", net.directory / "syslog"  # every user may enter it
    devices.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind(str(log))
        log.chmod(0o666)
        syslog.settimeout(30)
        own = [find_program("unshare", "util-linux"), "--mount", "sh", "-e", "-c", OWN_SYSLOG, str(devices), str(log)]
        xinetd.argv = [*own, *xinetd.argv]
        with xinetd:
            xinetd.wait_listening(*address)
            assert exchange(address, PROBE).status == 200
            received = (syslog.recv(4096).decode() for _ in range(10))  # xinetd logs there too
            lines = list(itertools.islice((line for line in received if "xha-responder[" in line), 2))
    assert re.match(r"<30>.*xha-responder\[\d+\]: listening on ", lines[0])
    assert "in service: synced" in lines[1]


def test_wait_yes_its_descriptors_0_1_and_2_are_not_the_socket(resident: tuple[Xinetd, Address]) -> None:
    xinetd, address = resident
    exchange(address, PROBE)
    [server] = servers(xinetd)
    assert {os.readlink(f"/proc/{server.pid}/fd/{fd}") for fd in (0, 1, 2)} == {"/dev/null"}


def test_wait_yes_a_responder_that_died_is_started_again_by_the_next_probe(
    resident: tuple[Xinetd, Address],
) -> None:
    xinetd, address = resident
    exchange(address, PROBE)
    [server] = servers(xinetd)
    server.kill()
    wait_until(lambda: server not in servers(xinetd), 30, "it is dead, and xinetd knows")
    assert exchange(address, PROBE).status == 200


def test_wait_yes_access_is_allow_from(resident: tuple[Xinetd, Address], settings: Path) -> None:
    xinetd, address = resident
    put(settings, settings.read_text() + "allow_from = 192.0.2.0/24\n")
    assert [exchange(address, PROBE).status for _ in range(3)] == [403] * 3
    assert len(servers(xinetd)) == 1  # only_from would have made xinetd fork in a loop here


def test_wait_yes_it_ends_when_xinetd_is_killed(net: Net, launcher: Path, settings: Path, tmp_path: Path) -> None:
    address = (net.next_address(), PORT)
    config = tmp_path / "xinetd.conf"
    config.write_text(wait_yes(launcher, settings, address))
    xinetd = [find_program("xinetd", "xinetd"), "-dontfork", "-f", str(config), "-pidfile", str(tmp_path / "pid")]
    # A shell in between: otherwise the tests' keeper would kill whatever xinetd leaves behind.
    with Daemon(net, ["/bin/sh", "-c", '"$@"; sleep 1000', "sh", *xinetd], tmp_path / "log") as shell:
        parent = wait_until(lambda: next(iter(servers(shell)), None), 30, "xinetd runs")
        wait_until(lambda: _answers(address), 30, "it answers")
        [server] = parent.children()
        os.kill(parent.pid, signal.SIGKILL)
        wait_until(lambda: not psutil.pid_exists(server.pid), 20, "the responder has left")
        assert shell.is_running()


def _answers(address: Address) -> bool:
    with contextlib.suppress(ConnectionRefusedError):
        return exchange(address, PROBE).status == 200
    return False


def test_wait_no_answers_with_clusterchecks_bytes_from_the_seeds_own_stanza(forked: tuple[Xinetd, Address]) -> None:
    _, address = forked
    assert exchange(address, PROBE).raw.decode() == SYNCED


def test_wait_no_follows_the_database_and_the_disabled_file(
    forked: tuple[Xinetd, Address], settings: Path, database: Node
) -> None:
    _, address = forked
    disabled = settings.with_name("disabled")
    put(disabled, "{}")
    assert ask(address, "/ready").code == "disabled"
    disabled.unlink()
    database.sql("SET GLOBAL wsrep_reject_queries = 'ALL'")
    assert ask(address, "/ready").code == "rejecting-queries"
    database.sql("SET GLOBAL wsrep_reject_queries = 'NONE'")
    assert ask(address, "/ready").code == "synced"
    database.kill()
    assert ask(address, "/ready").code == "server-down"


def test_wait_no_a_frozen_server_is_hung_after_the_configured_deadline(
    forked: tuple[Xinetd, Address], settings: Path, database: Node
) -> None:
    _, address = forked
    put(settings, settings.read_text().replace("deadline = 5s", "deadline = 2500ms"))
    database.freeze()
    try:
        answer = ask(address, "/ready")
    finally:
        database.thaw()
    assert (answer.status, answer.code) == (503, "hung")
    assert 2.3 < answer.seconds < 2.5 + BUSY_MACHINE  # and not after one second, the default


def test_wait_no_bad_clients_get_what_the_resident_gives_them_and_leave_no_process(
    forked: tuple[Xinetd, Address],
) -> None:
    xinetd, address = forked
    with connect(address) as silent:
        assert exchange(address, b"\x00rubbish").status == 400
        assert exchange(address, b"GET /" + b"a" * 9000).status == 431
        assert exchange(address, b"POST / HTTP/1.0\r\n\r\n").status == 405
        assert exchange(address, PROBE + b"x" * 30000).status == 200
        assert read_to_end(silent).startswith(b"HTTP/1.1 408 ")
    wait_until(lambda: not servers(xinetd), 20, "no process is left")


def test_wait_no_a_mistake_in_the_file_is_config_error_and_no_line_of_it_reaches_the_client(
    forked: tuple[Xinetd, Address], settings: Path
) -> None:
    _, address = forked
    put(settings, settings.read_text() + "mistake = 1\n")
    assert ask(address, "/ready").code == "config-error"
    settings.chmod(0)
    assert exchange(address, PROBE).raw.startswith(b"HTTP/1.1 503 ")


def test_wait_no_a_mistake_in_a_service_s_section_is_no_fault_of_the_node_s(
    forked: tuple[Xinetd, Address], settings: Path
) -> None:
    _, address = forked
    put(settings, settings.read_text() + "[service memcached]\nprot = 1\n")
    assert exchange(address, PROBE).raw.decode() == SYNCED
    assert ask(address, "/live").code == "synced"
    assert (ask(address, "/service/memcached").status, ask(address, "/ready").status) == (503, 200)


def test_wait_no_allow_from_holds(forked: tuple[Xinetd, Address], settings: Path) -> None:
    _, address = forked
    put(settings, settings.read_text() + "allow_from = 192.0.2.0/24\n")
    assert exchange(address, PROBE).status == 403


def test_wait_no_20_probes_in_a_row_meet_not_one_reset(forked: tuple[Xinetd, Address]) -> None:
    _, address = forked
    assert {exchange(address, PROBE).raw.decode() for _ in range(20)} == {SYNCED}
