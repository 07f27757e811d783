"""xha-services continues and reports it, whatever a check's process writes, or cannot be started or written."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from loopback import wait_until
from security.resident import Site, cpu_seconds, faults
from xha.adapters.files.result_files import read_record
from xha.core.services.last_result import Record

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root: no account to run as")

# Nobody is there, nor elsewhere: the memcached of another test would be named.
FAST = (
    "kind = memcached\nhost = 127.0.0.1\nport = 1\nprocess = ^no-such-memcached\n"
    "interval = 300ms\ndeadline = 250ms\nfall = 2\n"
)


def sections(*names: str) -> str:
    return "".join(f"[service {name}]\n{FAST}" for name in names)


def message(site: Site, name: str) -> str:
    record = read_record(str(site.records), name)
    return f"{record.result.status.value}: {record.result.message}" if isinstance(record, Record) else ""


def wait_message(site: Site, name: str, text: str) -> None:
    log = site.started[-1]
    wait_until(lambda: text in message(site, name), 40, lambda: f"{name}: {message(site, name)!r}\n{log.tail()}")


# What a check's process may do, by the name of its service: the pipe and the process are real.
ODD_CHILDREN = """
import os, signal, time
from xha.app.checks import fork_runner as forks
be_child = forks._be_child
def be_odd(job, write_end, others):
    name = job.service.name
    texts = {
        "garbage": b"\\xff\\x00garbage\\n", "deep": b"[" * 60000 + b"\\n", "number": b'{"duration_ms": NaN}\\n',
        "digits": b"9" * 60000 + b"\\n", "other": b"null\\n", "half": b'{"name": "half"',
    }
    if name in texts:
        os.write(write_end, texts[name])
    elif name == "flood":
        while True:
            os.write(write_end, b"x" * 65536)
    elif name == "silent":
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
        time.sleep(60)
    elif name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        be_child(job, write_end, others)
    os._exit(0)
forks._be_child = be_odd
"""
ODD = {
    "garbage": "unknown: the check wrote 10 bytes that are no result",
    "deep": "unknown: the check wrote 60001 bytes that are no result",
    "number": "unknown: the check wrote 21 bytes that are no result",
    "digits": "unknown: the check wrote 60001 bytes that are no result",
    "other": "unknown: the check wrote 5 bytes that are no result",
    "half": "unknown: the check wrote 15 bytes that are no result",
    "flood": "that are no result",
    "silent": "critical: no end after",
    "killed": "unknown: the check itself died (SIGKILL)",
}


def test_whatever_a_check_s_process_writes_is_that_service_s_result_alone(site: Site) -> None:
    site.write(sections(*ODD, "well"))
    daemon = site.runner(ODD_CHILDREN)
    for name, text in ODD.items():
        wait_message(site, name, text)
    wait_message(site, "well", "critical: ")  # nothing listens on port 1: it was checked
    assert daemon.is_running()
    assert faults(daemon) == []
    assert len(os.listdir(f"/proc/{daemon.pid}/fd")) < 20


WITHOUT_PIKA = """
sys.modules["pika"] = None
"""


def test_a_check_that_cannot_be_imported_is_that_service_s_unknown(site: Site) -> None:
    site.write(sections("well") + "[service rabbitmq]\ninterval = 300ms\ndeadline = 250ms\n")
    daemon = site.runner(WITHOUT_PIKA)
    wait_message(site, "rabbitmq", "unknown: ")
    wait_message(site, "well", "critical: ")
    assert daemon.is_running()


# It becomes the user nobody, whose number of processes can be limited, once it has imported what it needs: nobody may
# be unable to read the interpreter's directory.
AS_NOBODY = """
import os, resource, shutil, signal
from xha.doors.services_daemon import Runner
soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
signal.signal(signal.SIGUSR1, lambda *_: resource.setrlimit(resource.RLIMIT_NPROC, (0, hard)))
signal.signal(signal.SIGUSR2, lambda *_: resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard)))
refresh = Runner.refresh
def refresh_and_leave(self):
    refresh(self)
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
Runner.refresh = refresh_and_leave
"""


def test_where_no_process_can_be_made_it_waits_and_says_so_now_and_then(site: Site) -> None:
    site.write(sections("one", "two"))
    daemon = site.runner(AS_NOBODY)
    wait_message(site, "one", ": ")  # the result does not matter here
    path = site.records / "one.json"
    daemon.signal(signal.SIGUSR1)
    wait_until(lambda: "the check cannot be started" in daemon.log.read_text(), 20, "it says so")
    before, began, last = cpu_seconds(daemon.pid), time.monotonic(), path.stat().st_mtime_ns
    time.sleep(5)
    assert cpu_seconds(daemon.pid) - before < (time.monotonic() - began) / 2
    assert path.stat().st_mtime_ns - last < 3e9  # a check in progress may have ended
    said = daemon.log.read_text()
    assert said.count("the check cannot be started: resource temporarily unavailable") <= 10, said
    daemon.signal(signal.SIGUSR2)
    last = path.stat().st_mtime_ns
    wait_until(lambda: path.stat().st_mtime_ns > last, 20, lambda: f"it goes on\n{daemon.tail()}")
    assert daemon.is_running()
    assert faults(daemon) == []
    assert len(os.listdir(f"/proc/{daemon.pid}/fd")) < 15  # the pipes of what could not be started are closed


BROKEN_RUNNER = """
from itertools import count
from xha.doors import services_daemon as runner
def breaking(original, times):
    numbers = count()
    def function(*arguments, **named):
        if next(numbers) < times:
            raise {error}
        return original(*arguments, **named)
    return function
runner.Runner.refresh = breaking(runner.Runner.refresh, 2)
runner.Runner._finish = breaking(runner.Runner._finish, 2)
runner.job_of = breaking(runner.job_of, 2)
runner.collect_lost = breaking(runner.collect_lost, 2)
runner.wait_children = breaking(runner.wait_children, 2)
"""


@pytest.mark.parametrize("error", ["KeyError('x')", "MemoryError", "RecursionError"])
def test_an_exception_that_nobody_thought_of_costs_one_turn(site: Site, error: str) -> None:
    site.write(sections("one", "two"))
    daemon = site.runner(BROKEN_RUNNER.format(error=error))
    for name in ("one", "two"):
        wait_message(site, name, "critical: ")
    told = faults(daemon)
    assert 1 <= len(told) <= 5
    assert all("in function" in line for line in told), told
    daemon.signal(signal.SIGTERM)
    wait_until(lambda: not daemon.is_running(), 20, "SIGTERM ends it all the same")
    assert daemon.exit_code == 0


@pytest.mark.parametrize("closed", ["2>&-", "0<&- 1>&- 2>&-"])
def test_closed_standard_streams_cost_it_no_result(site: Site, closed: str) -> None:
    """Its children put /dev/null on 0 to 2: a pipe for a result must not have such a number."""
    site.write(sections("one"))
    daemon = site.runner(wrapper=["/bin/sh", "-c", f'exec "$@" {closed}', "sh"])
    wait_message(site, "one", "critical: ")
    assert os.readlink(f"/proc/{daemon.pid}/fd/2") == "/dev/null"


def test_a_directory_of_records_that_takes_none_is_said_a_few_times_a_minute(site: Site) -> None:
    site.write(sections(*(f"s{number}" for number in range(8))))
    site.records.rmdir()
    site.records.symlink_to("/proc/self")
    daemon = site.runner()
    wait_until(lambda: f"{site.records}: " in daemon.log.read_text(), 30, "it says so")
    time.sleep(6)
    assert daemon.log.read_text().count(f"{site.records}: ") <= 10
    assert daemon.is_running()
    assert faults(daemon) == []
    assert Path(f"/proc/{daemon.pid}").exists()
