"""What a child that runs as the server's account keeps of root's rights: nothing, as the kernel says."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import wait_until
from xha.adapters.process.privileges import Confinement, limit_memory

NONE = "0000000000000000"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="not root: there is nothing to give up")


@pytest.fixture
def nobody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def core_limits(pid: int) -> list[str]:
    """The soft and the hard limit of core files."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line for line in lines if line.startswith("Max core file size")).split()[4:6]


@contextlib.contextmanager
def sleeping(confinement: Confinement) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"], preexec_fn=confinement) as child:  # noqa: PLW1509 - one thread
        try:
            yield child
        finally:
            child.kill()


@as_root
def test_a_child_has_the_account_and_no_capability_of_any_kind(nobody: pwd.struct_passwd) -> None:
    with sleeping(Confinement(nobody.pw_uid, nobody.pw_gid, [nobody.pw_gid])) as child:
        said = status_of(child.pid)
    assert said["Uid"].split() == [str(nobody.pw_uid)] * 4
    assert said["Gid"].split() == [str(nobody.pw_gid)] * 4
    assert said["Groups"].split() == [str(nobody.pw_gid)]
    assert {said[f"Cap{name}"] for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {NONE}
    assert said["NoNewPrivs"] == "1"


@as_root
def test_what_root_had_made_inheritable_is_gone_too(nobody: pwd.struct_passwd) -> None:
    """setuid leaves the inheritable set: with file capabilities it would become permitted again."""
    setpriv = shutil.which("setpriv")
    assert setpriv, "setpriv is not there: apt-get install util-linux"
    code = (
        "import subprocess; from xha.adapters.process.privileges import Confinement; "
        f"c = Confinement({nobody.pw_uid}, {nobody.pw_gid}, []); "
        "print(open('/proc/self/status').read()); "
        "print(subprocess.run(['cat', '/proc/self/status'], preexec_fn=c, capture_output=True, text=True).stdout)"
    )
    caps = [setpriv, "--inh-caps=+net_raw,+sys_ptrace", "--ambient-caps=+net_raw"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "lib")}
    done = subprocess.run(
        [*caps, sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    before, after = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("CapInh:")]
    assert (before != NONE, after) == (True, NONE)
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("CapAmb:")][1] == NONE


@as_root
def test_a_set_user_id_program_gives_nothing_back(nobody: pwd.struct_passwd, tmp_path: Path) -> None:
    shutil.copy(shutil.which("id") or "/usr/bin/id", tmp_path / "id")
    (tmp_path / "id").chmod(0o4755)
    for path in (tmp_path, *tmp_path.parents):
        if "pytest" in str(path):
            path.chmod(0o755)
    words = [str(tmp_path / "id"), "-u"]
    free = subprocess.run(words, user=nobody.pw_uid, group=nobody.pw_gid, capture_output=True, check=True, text=True)
    if free.stdout != "0\n":
        pytest.skip("this file system knows no set-user-ID programs")
    confined = Confinement(nobody.pw_uid, nobody.pw_gid, [])
    held = subprocess.run(words, preexec_fn=confined, capture_output=True, check=True, text=True)
    assert held.stdout == f"{nobody.pw_uid}\n"


@as_root
def test_one_that_holds_secrets_leaves_no_core(nobody: pwd.struct_passwd) -> None:
    account = nobody.pw_uid, nobody.pw_gid, [nobody.pw_gid]
    with sleeping(Confinement(*account, without_core=True)) as child:
        assert core_limits(child.pid) == ["0", "0"]
    with sleeping(Confinement(*account)) as child:
        assert core_limits(child.pid) == core_limits(os.getpid())


PARENT = """
import subprocess, sys, time
from xha.adapters.process.privileges import Confinement
child = subprocess.Popen(["sleep", "60"], preexec_fn=Confinement({account}, ends_with_parent={ends}))
print(child.pid, flush=True)
time.sleep(60)
"""


def has_ended(pid: int) -> bool:
    try:
        return status_of(pid)["State"][0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@as_root
@pytest.mark.parametrize("ends", [True, False])
def test_one_whose_answer_nobody_would_read_ends_with_its_parent(nobody: pwd.struct_passwd, ends: bool) -> None:
    code = PARENT.format(account=f"{nobody.pw_uid}, {nobody.pw_gid}, []", ends=ends)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "lib")}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    try:
        if ends:
            wait_until(lambda: has_ended(child), 20, "it ends")
        else:
            time.sleep(0.5)
            assert status_of(child)["State"][0] != "Z"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def test_who_is_not_root_keeps_its_account_and_may_gain_nothing() -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
            Confinement(os.getuid(), os.getgid(), [])()
            os.write(writing, Path("/proc/self/status").read_bytes())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        assert "NoNewPrivs:\t1\n" in pipe.read()
    os.waitpid(pid, 0)


def test_more_memory_than_a_process_may_have_is_an_error_of_its_own() -> None:
    pid = os.fork()
    if not pid:
        limit_memory(16 << 20)
        try:
            kept = [bytes(1 << 20) for _ in range(8)]
            try:
                kept += [bytes(1 << 20) for _ in range(64)]
            except MemoryError:
                os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
