"""xha-check service, services, list: one process and one deadline for each check, exit codes, tables, wrong usage."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import psutil
import pytest

from loopback import Daemon, Net, find_program, wait_until
from loopback.doors import CHECKOUT, door
from loopback.memcached import PORT, Memcached
from services.host import ENVIRONMENT, NO_TIME, Services
from shell.terminal import CONTROL_C, Terminal

VALIDATOR = jsonschema.Draft202012Validator(json.loads((CHECKOUT / "docs/schema-1.json").read_text()))
NAMES = [f"cache-{number}" for number in range(1, 9)]


@pytest.fixture
def silent(net: Net) -> Iterator[tuple[str, int]]:
    """A port that accepts and never answers, like that of a frozen process."""
    with socket.create_server((net.next_address(), 0), backlog=64) as listener:
        yield listener.getsockname()


@pytest.fixture(scope="module")
def memcached(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memcached]:
    with Memcached(net, tmp_path_factory.mktemp("memcached")) as running:
        yield running


def section(name: str, address: tuple[str, int], more: str = "") -> str:
    host, port = address
    return f"[service {name}]\nkind = memcached\nhost = {host}\nport = {port}\nprocess = ^no-such-process\n{more}"


def test_a_check_that_hangs_costs_its_deadline_and_nothing_else(
    services: Services, memcached: Memcached, silent: tuple[str, int]
) -> None:
    well = "".join(section(name, (memcached.address, PORT)) for name in NAMES[6:])
    services.write(well + "".join(section(name, silent, "deadline = 3s\n") for name in NAMES[:6]))
    said = services.run("service", *NAMES, "--json")
    document = json.loads(said.out)
    VALIDATOR.validate(document)
    results = {one["name"]: one for one in document["services"]}
    assert list(results) == NAMES
    assert [one["status"] for one in results.values()] == ["critical"] * 6 + ["ok"] * 2
    assert said.code == 2
    # One after the other they would take 18 s: the rest is what a busy machine may add.
    assert 3 <= said.seconds < 15
    assert all(3000 <= results[name]["duration_ms"] < 15000 for name in NAMES[:6])


STUBBORN = """
import signal, sys, time
sys.path.insert(0, {lib!r})
import xha.app.checks.memcached as memcached
from xha.app.checks.fork_runner import Job, run_jobs
from xha.core.services.model.result import Level
from xha.core.services.settings import default_service

def check(settings, level):
    {body}

memcached.check = check
service = default_service("memcached")
service = service._replace(settings=service.settings._replace(deadline={seconds}))
began = time.monotonic()
[(_, result)] = run_jobs([Job(service, Level.DEEP)])
print(result.status.value, result.blame, result.duration_ms, result.message, sep="|")
"""


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("time.sleep(60)", "critical", "no end after 0.5 s"),
        # No timer of its own ends these: the parent does.
        ("signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM}); time.sleep(60)", "critical", "was killed"),
        ("signal.signal(signal.SIGALRM, signal.SIG_IGN); time.sleep(60)", "critical", "was killed"),
        ("import os; os.kill(os.getpid(), signal.SIGSTOP)", "critical", "was killed"),
        # A check that is ready to run and gets no CPU says nothing about the service.
        ("signal.signal(signal.SIGALRM, signal.SIG_IGN); any(iter(int, 1))", "unknown", "has no time to run the check"),
        ("raise RuntimeError('a secret')", "unknown", "the check itself failed (RuntimeError)"),
        ("import os; os.abort()", "unknown", "the check itself died (SIGABRT)"),
        ("import os; os._exit(0)", "unknown", "the check itself died (exit status 0)"),
        ("sys.exit(7)", "unknown", "the check itself died (exit status 70)"),
        (
            "import os; os.kill(os.getpid(), 9)",
            "unknown",
            "the check itself died (SIGKILL): somebody killed it",
        ),
        ("import os; os.kill(os.getpid(), 40)", "unknown", "the check itself died (signal 40)"),
        ("import os; os.closerange(3, 99); time.sleep(60)", "unknown", "died (it closed its pipe and did not end)"),
        ("print('x' * 100000); time.sleep(60)", "critical", "no end after 0.5 s"),
        ("return None", "unknown", "the check itself failed"),
    ],
)
def test_whatever_a_check_does_its_parent_lives(tmp_path: Path, body: str, status: str, words: str) -> None:
    script = tmp_path / "stubborn.py"
    # Who does not wait for its end is given time for all that it does before, on a busy machine, too.
    seconds = 0.5 if status == "critical" or words in NO_TIME else 10.0
    script.write_text(STUBBORN.format(lib=str(CHECKOUT / "lib"), body=body, seconds=seconds))
    for _ in range(5):
        done = subprocess.run(
            [str(CHECKOUT / ".venv/bin/python"), str(script)], capture_output=True, text=True, timeout=30, check=True
        )
        found, blame, duration, message = done.stdout.strip().split("|")
        if NO_TIME not in message or words in NO_TIME:  # that is the machine's load, and no conduct of the check's
            break
    assert found == status, message
    assert words in message
    assert "secret" not in done.stdout + done.stderr
    assert (blame == "self") == (status == "critical")
    assert int(duration) < 15000  # and not the minute for which it sleeps


def test_what_a_check_has_started_ends_with_it(tmp_path: Path) -> None:
    script = tmp_path / "children.py"
    body = "import subprocess; subprocess.Popen(['sleep', '4711.5']).wait()"
    script.write_text(STUBBORN.format(lib=str(CHECKOUT / "lib"), body=body, seconds=0.5))
    subprocess.run([str(CHECKOUT / ".venv/bin/python"), str(script)], timeout=30, check=True, capture_output=True)

    def sleeping() -> list[psutil.Process]:
        return [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", "4711.5"]]

    wait_until(lambda: not sleeping(), 20, "the check's own child is gone")


INTERRUPTED = """
import os, signal, sys, time
sys.path.insert(0, {lib!r})
import xha.app.checks.memcached as memcached
from xha.core.services.model.result import Level
from xha.core.services.settings import default_service
from xha.app.checks import fork_runner as forks

class Interrupted(forks.Child):
    def __init__(self, job):
        super().__init__(job)
        print(self.pid, flush=True)
        os.kill(os.getpid(), signal.SIGINT)

memcached.check = lambda settings, level: time.sleep(60)
forks.Child = Interrupted
try:
    list(forks.run_jobs([forks.Job(default_service("memcached"), Level.DEEP)]))
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_ctrl_c_in_the_moment_in_which_a_check_begins_leaves_none_behind(tmp_path: Path) -> None:
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED.format(lib=str(CHECKOUT / "lib")))
    argv = [str(CHECKOUT / ".venv/bin/python"), str(script)]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=30, check=False)
    assert done.returncode == 130
    # Killed before the exit; the kernel may need a moment to end it, and then init collects it.
    wait_until(lambda: not psutil.pid_exists(int(done.stdout)), 20, "the check is gone")


def test_ctrl_c_leaves_no_check_behind(services: Services, silent: tuple[str, int]) -> None:
    services.write(section("cache-1", silent, "deadline = 30s\n"))
    argv = [door("xha-check"), "--service", "cache-1", "--config", str(services.config)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        children = wait_until(lambda: psutil.Process(process.pid).children(), 20, "the check has begun")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, b"")
    wait_until(lambda: not any(child.is_running() for child in children), 20, "the check is gone")


def test_all_is_what_is_configured_and_what_is_found(services: Services, memcached: Memcached) -> None:
    services.write(section("cache-1", (memcached.address, PORT)))
    said = services.run("services", "--json")
    results = {one["name"]: one for one in json.loads(said.out)["services"]}
    assert results["cache-1"]["status"] == "ok"
    assert "memcached" not in results  # a service of its kind is configured
    services.write("")
    assert "memcached" in services.run("--all").out  # it runs here


def test_a_table_says_what_was_proved_and_whose_fault_it_is(
    services: Services, memcached: Memcached, silent: tuple[str, int]
) -> None:
    services.write(section("cache-1", (memcached.address, PORT)) + section("cache-2", silent, "deadline = 3s\n"))
    said = services.run("service", "cache-1", "cache-2")
    assert said.code == 2
    head, first, second = said.out.splitlines()
    assert head.split() == ["SERVICE", "LEVEL", "STATUS", "BLAME", "TIME", "MESSAGE", "PROVED"]
    assert first.startswith("cache-1  deep   ok        -      ")
    assert "set, read back and deleted" in first
    assert second.startswith("cache-2  deep   critical  self   ")
    assert second.endswith("no end after 3 s, waiting for the answer to version")


def test_grace_since_the_process_s_start(services: Services, net: Net, tmp_path: Path) -> None:
    seconds = 100_000 + int(net.prefix.rpartition(".")[2])  # in the process's command line, which is this test's alone
    text = section("cache-1", (net.next_address(), 1)).replace("^no-such-process", f"^\\S*sleep {seconds}$")
    services.write(text)
    with Daemon(net, [find_program("sleep", "coreutils"), str(seconds)], tmp_path / "log"):
        assert services.run("--service", "cache-1").code == 2  # its process listens nowhere
        said = services.run("service", "cache-1", "--grace", "1h")
        assert said.code == 1
        assert "3600 s of grace" in said.out
        services.write(f"{text}grace = 1h\n")
        assert services.run("--service", "cache-1").code == 1
        assert services.run("service", "cache-1", "--grace", "0s").code == 2
    assert services.run("service", "cache-1", "--grace", "1h").code == 2  # without a process nothing is starting


def test_the_list_is_of_the_schema_and_for_people(services: Services) -> None:
    said = services.run("--list")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert len(lines) < 24
    assert max(map(len, lines)) <= 80
    for name in ("keystone", "nova-novncproxy", "haproxy", "memcached", "pacemaker", "mysql"):
        assert any(line.startswith(f"{name} ") for line in lines)
    told = services.run("--list", "rabbitmq", "haproxy")
    assert (told.code, told.err) == (0, "")
    assert "rabbitmq: message broker\n" in told.out
    assert "proves: it greets in AMQP 0-9-1" in told.out
    assert "keystone" not in told.out
    assert "did you mean rabbitmq?" in services.run("--list", "rabitmq").err
    document = json.loads(services.run("--list", "--json").out)
    VALIDATOR.validate(document)
    assert document["kind"] == "catalogue"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--service", "expected at least one argument"),
        ("--service a --all", "not allowed with"),
        ("--service a --node", "not allowed with"),
        ("--service memcached --level full", "'full' is none of process, protocol, deep"),
        ("--service memcached --grace 3", "'3' is not a duration"),
        ("--level deep", "--level goes with service or services"),
        ("--list --level deep", "--level goes with service or services"),
        ("--cluster --grace 3s", "--grace goes with service or services"),
        ("--list --nagios", "--nagios goes with node, cluster, doctor, fleet, history, service or services"),
        (
            "--service memcached --host 127.0.0.1",
            "--host goes with node, cluster or doctor; see xha-check service --help",
        ),
        ("--all --why disk", "--why goes with disable, drain or grant"),
        ("service", "the following arguments are required: NAME"),
        ("service memcached --level full", "'full' is none of process, protocol, deep"),
        ("service memcached --all", "--all is a subcommand: xha-check services"),
        ("services memcached", "unrecognized arguments: memcached"),
        ("list --level deep", "--level goes with service or services"),
    ],
)
def test_a_wrong_command_line_is_3_and_one_sentence(services: Services, line: str, words: str) -> None:
    said = services.run(*line.split())
    assert (said.code, said.out) == (3, "")
    assert words in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        ("", ["--service", "nothing"], "no service is called 'nothing': there are keystone, "),
        ("", ["service", "keystome"], "no service is called 'keystome': did you mean keystone?; see xha-check list"),
        ("", ["service", "nothing"], "'nothing': there are keystone, "),
        ("", ["--service", "\x1b[2J"], "there are keystone"),
        ("[services x]\n", ["services"], "unknown section 'services x'"),
        ("[services x]\n", ["--all"], "unknown section 'services x'"),
        ("[service memcached]\n[database]\nport = x\n", ["--service", "memcached"], "[database] port: 'x'"),
    ],
)
def test_a_wrong_name_or_file_is_3(services: Services, text: str, arguments: list[str], words: str) -> None:
    services.write(text)
    said = services.run(*arguments)
    assert (said.code, said.out) == (3, "")
    assert words in said.err
    assert "\x1b" not in said.err
    said = services.run(*arguments, "--nagios")
    assert (said.code, said.err) == (3, "")
    assert said.out.startswith("SERVICE UNKNOWN: ")


WRONG = [
    ("[service cache-2]\nkind = memcached\nprot = 1\n", "unknown key 'prot' in [service cache-2]"),
    ("[service cache-2]\nkind = memcachd\n", "[service cache-2] kind: did you mean memcached?"),
    ("[service cache-2]\nkind = memcached\n[service cache-2]\nkind = mysql\n", "[service cache-2]: begun twice"),
    ("[service cache-2]\nkind memcached\n", "[service cache-2]: line "),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG)
def test_a_wrong_section_is_unknown_and_the_others_are_checked(
    services: Services, memcached: Memcached, wrong: str, words: str
) -> None:
    services.write(section("cache-1", (memcached.address, PORT)) + wrong)
    for arguments in (["--all"], ["services"], ["--service", "cache-2", "cache-1"], ["service", "cache-2", "cache-1"]):
        said = services.run(*arguments, "--json")
        document = json.loads(said.out)
        VALIDATOR.validate(document)
        results = {one["name"]: one for one in document["services"]}
        assert results["cache-1"]["status"] == "ok"
        assert (results["cache-2"]["status"], results["cache-2"]["blame"]) == ("unknown", None)
        assert f"{services.config}: {words}" in results["cache-2"]["message"]
    assert list(results) == ["cache-2", "cache-1"]
    assert (said.code, said.err) == (3, "")
    said = services.run("--service", "cache-2", "--nagios")
    assert (said.code, said.err) == (3, "")
    assert said.out.startswith(f"SERVICE UNKNOWN: cache-2 unknown: {services.config}: {words}")
    said = services.run("--service", "cache-2", "cache-1")
    assert words in said.out.splitlines()[1]
    assert services.run("--service", "cache-1").code == 0


def test_a_wrong_section_is_never_checked_as_its_kind_s_defaults(services: Services, memcached: Memcached) -> None:
    services.write("[service memcached]\nprot = 1\n")
    for arguments in (["--all"], ["services"], ["--service", "memcached"], ["service", "memcached"]):
        said = services.run(*arguments, "--json")
        [result] = [one for one in json.loads(said.out)["services"] if one["name"] == "memcached"]
        assert result["status"] == "unknown"
    services.write("[service memcached]\nkind = memcachd\n")
    said = services.run("services", "--json")
    [result] = [one for one in json.loads(said.out)["services"] if one["name"] == "memcached"]
    assert result["status"] == "unknown"


def test_a_name_that_is_not_allowed_moves_no_cursor_and_ends_no_label(services: Services) -> None:
    services.write("[service A'=\x1b[2J]\nkind = mysql\n[service x]\n")
    for output in ([], ["--json"], ["--nagios"]):
        said = services.run("--all", *output)
        assert "a name is of a-z" in said.out
        assert "\x1b" not in said.out
    assert said.out.rpartition("|")[2].count("'") % 2 == 0


def read_change(process: subprocess.Popen[bytes], words: bytes, *, before: bytes = b"") -> None:
    """The next line has these words. A machine without time is a line of its own, and so is what was before it."""
    assert process.stdout is not None
    line = process.stdout.readline()
    while NO_TIME.encode() in line or (before and before in line):
        line = process.stdout.readline()
    assert words in line


def test_a_change_is_a_line_in_a_pipe(services: Services, net: Net, tmp_path: Path) -> None:
    with Memcached(net, tmp_path / "own") as memcached:
        services.write(section("cache-1", (memcached.address, PORT), "deadline = 4s\n"))
        argv = [door("xha-check"), "service", "cache-1", "--watch", "--config", str(services.config)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, env={**ENVIRONMENT, "PYTHONUNBUFFERED": "1"}) as process:
            assert process.stdout is not None
            well, down = b"  cache-1  deep  ok  ", b"  cache-1  deep  critical  self  "
            read_change(process, well)
            memcached.freeze()
            read_change(process, down, before=well)
            memcached.thaw()
            read_change(process, well, before=down)
            process.send_signal(signal.SIGINT)
            assert process.stdout.read() == b""
        assert process.returncode == 0


def test_on_a_terminal_the_table_follows_until_ctrl_c(services: Services, memcached: Memcached) -> None:
    services.write(section("cache-1", (memcached.address, PORT)))
    argv = [door("xha-check"), "service", "cache-1", "--watch", "--config", str(services.config)]
    with Terminal(argv) as terminal:
        terminal.wait_for("Ctrl-C ends")
        assert "cache-1" in terminal.text
        terminal.press(CONTROL_C)
        assert terminal.wait_end() == 0
    assert "Traceback" not in terminal.text


def test_a_watch_notices_a_changed_file_and_keeps_the_last_right_one(services: Services, memcached: Memcached) -> None:
    right = section("cache-1", (memcached.address, PORT))
    services.write(right)
    argv = [door("xha-check"), "service", "cache-1", "--watch", "--config", str(services.config)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env={**ENVIRONMENT, "PYTHONUNBUFFERED": "1"}) as process:
        assert process.stdout is not None
        read_change(process, b"  cache-1  deep  ok  ")
        services.write(right + "prot = 1\n")
        read_change(process, b"  cache-1  protocol  unknown  -  ", before=b"  cache-1  deep  ok  ")
        services.write("[databas]\n")
        assert b"  xha.conf as it was before: " in process.stdout.readline()
        services.write(f"{right}level = protocol\n")
        read_change(process, b"  cache-1  protocol  ok  ")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_no_descriptor_of_one_check_is_another_s(services: Services, silent: tuple[str, int]) -> None:
    services.write("".join(section(name, silent, "deadline = 10s\n") for name in NAMES))
    argv = [door("xha-check"), "--service", *NAMES, "--config", str(services.config)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, env=ENVIRONMENT) as process:
        try:
            parent = psutil.Process(process.pid)
            wait_until(lambda: len(parent.children()) == len(NAMES), 20, "every check has begun")
            assert parent.num_threads() == 1
            last = max(child.pid for child in parent.children())
            wait_until(lambda: len(pipes_of(last)) == 1, 20, lambda: f"its own is all that it has: {pipes_of(last)}")
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def pipes_of(pid: int) -> list[str]:
    links = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # it closes those of others at this very moment
            links.append(os.readlink(f"/proc/{pid}/fd/{number}"))
    return [link for link in links if "pipe:" in link]
