"""A host of its own for xha's commands: /etc, /dev, /run and /var/tmp that no other process sees."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from loopback import Daemon, Net, find_program
from loopback.doors import CHECKOUT, door
from loopback.files import put

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
CLUSTERCHECK_SECONDS = 1.0  # clustercheck's deadline, which nothing changes
ENVIRONMENT = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/nonexistent"}

# Directories become links to the real ones' entries, so that what the test adds stays in the namespace and goes
# with it. No file of the real machine is changed, and none of its xha or MySQL settings is seen.
SETUP = """
set -e
for name in etc dev; do
    mkdir "$1/$name"
    mount --rbind /$name "$1/$name"
    mount -t tmpfs -o mode=755 xha-test /$name
    for entry in "$1/$name"/*; do ln -s "$entry" /$name/; done
done
rm -f /etc/xha /etc/sysconfig /etc/default /etc/my.cnf /etc/mysql /dev/log
mkdir /etc/xha /etc/sysconfig /etc/default
mount -t tmpfs -o mode=755 xha-test /run
mkdir /run/mysqld
mount -t tmpfs -o mode=1777 xha-test /var/tmp
# Root's own home lets nobody in: what of it these tests run, Python or the checkout, has to be reached by every user.
kept=0
for path in "$PYTHON" "$CHECKOUT"; do
    kept=$((kept + 1))
    mkdir "$1/kept-$kept"
    mount --rbind "$path" "$1/kept-$kept"
done
mount -t tmpfs -o mode=755 xha-test /root
kept=0
for path in "$PYTHON" "$CHECKOUT"; do
    kept=$((kept + 1))
    case $path in /root/*) mkdir -p "$path" && mount --rbind "$1/kept-$kept" "$path" ;; esac
done
touch "$1/ready"
exec sleep infinity
"""


class Result(NamedTuple):
    """What one command came to. seconds is its wall time."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def said(self) -> str:
        return self.out + self.err


class Host(Daemon):
    """A mount namespace with an empty /etc/xha, /etc/sysconfig, /etc/default, /run and /var/tmp."""

    def __init__(self, net: Net, directory: Path) -> None:
        directory.mkdir(parents=True)
        self.directory = directory
        argv = [find_program("unshare", "util-linux"), "--mount", "--propagation=private", "/bin/sh", "-c", SETUP]
        env = {**ENVIRONMENT, "PYTHON": sys.base_prefix, "CHECKOUT": str(CHECKOUT)}
        super().__init__(net, [*argv, "host", str(directory)], directory / "log", env=env)

    def start(self) -> None:
        super().start()
        self.wait_ready((self.directory / "ready").exists, 60, "the mount namespace is set up")

    def path(self, path: str) -> Path:
        """Where this process finds what the host's processes call `path`."""
        return Path(f"/proc/{self.pid}/root{path}")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file of the host."""
        put(self.path(path), text, mode)

    def door(self, name: str) -> str:
        """The path of one of xha's commands; that of another program stays what it is."""
        return name if "/" in name else door(name)

    def clean(self) -> None:
        """Remove what tests have left on the host."""
        for directory in ("/etc/xha", "/etc/sysconfig", "/etc/default", "/run", "/var/tmp"):
            for entry in self.path(directory).iterdir():
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()
        self.path("/run/mysqld").mkdir()
        self.path("/etc/xha").chmod(0o755)
        for path in ("/etc/my.cnf", "/dev/log", "/etc/hosts"):
            self.path(path).unlink(missing_ok=True)
        shutil.rmtree(self.path("/etc/mysql"), ignore_errors=True)
        self.path("/etc/hosts").symlink_to(self.directory / "etc/hosts")

    def enter(self, *command: str, user: int | None = None) -> list[str]:
        """The command line that runs a command on this host, as this numeric user where one is given."""
        argv = [find_program("nsenter", "util-linux"), f"--mount=/proc/{self.pid}/ns/mnt", "--"]
        if user is not None:
            argv += [
                find_program("setpriv", "util-linux"),
                f"--reuid={user}",
                f"--regid={user}",
                "--clear-groups",
                "--",
            ]
        return [*argv, *command]

    def popen(self, *command: Any, env: Mapping[str, str] | None = None, **more: Any) -> subprocess.Popen[bytes]:
        """Start one of xha's commands, or a program with its path.

        `more` are Popen's own options; `user`, a numeric one; `wrapper`, a program that becomes the command.
        """
        user, wrapper = more.pop("user", None), more.pop("wrapper", ())
        argv = self.enter(*wrapper, self.door(command[0]), *command[1:], user=user)
        streams: dict[str, Any] = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
        streams.update({"stdin": subprocess.DEVNULL, **more})
        return subprocess.Popen(argv, env={**ENVIRONMENT, **(env or {})}, **streams)

    def run(self, *command: str, timeout: float = 60, **more: Any) -> Result:
        """Run a command to its end."""
        began = time.monotonic()
        with self.popen(*command, **more) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            except BaseException:
                process.kill()
                raise
        seconds = time.monotonic() - began
        return Result(process.returncode, (out or b"").decode(), (err or b"").decode(), seconds)

    def clustercheck(self, *arguments: str, **more: Any) -> Result:
        """Run clustercheck in its time."""
        return self.run_in_time("clustercheck", *arguments, **more)

    def run_in_time(self, *command: str, **more: Any) -> Result:
        """Run clustercheck, and again where a second has passed: that is its deadline, and a busy machine is late."""
        for _ in range(5):
            result = self.run(*command, **more)
            if result.code == 0 or result.seconds < CLUSTERCHECK_SECONDS:
                break
        return result

    @contextmanager
    def syslog(self) -> Iterator[socket.socket]:
        """Be the host's syslog daemon."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.bind(str(self.path("/dev/log")))
            log.setblocking(False)
            yield log


def syslog_lines(log: socket.socket) -> list[str]:
    """What has been logged since the last call."""
    lines = []
    while True:
        try:
            lines.append(log.recv(65536).decode())
        except BlockingIOError:
            return lines


def option_file(**options: str) -> str:
    """The text of a MySQL option file."""
    return "[client]\n" + "".join(f'{name.replace("_", "-")} = "{value}"\n' for name, value in options.items())


def closed(*descriptors: int) -> Sequence[str]:
    """A shell that closes its own standard streams and becomes the command after it."""
    return ("/bin/sh", "-c", f'exec "$@" {" ".join(f"{number}>&-" for number in descriptors)}', "sh")
