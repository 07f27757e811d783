"""Which programs the tests run: this machine's, or those of another root (SERVER_ROOT, set by tools/in-root).

A program of another root runs with its own libraries, on this machine's network and in this machine's /tmp. So every
test that starts a `Node`, a `Broker`, an `HAProxy` or a `Memcached` can be repeated with it.
"""

from __future__ import annotations

import os
import pwd

from loopback.daemon import MissingProgram, find_program

SERVER_USER = "mysql"  # for tests that run as root: mysqld refuses to run as root
# RabbitMQ's own programs come first: those in sbin change user and directory.
PROGRAMS = ("/usr/lib/rabbitmq/bin", "/usr/sbin", "/usr/bin")
ROOT = os.environ.get("SERVER_ROOT", "")


def server_user() -> str | None:
    """The account that owns the server's files, None if the tests do not run as root."""
    return SERVER_USER if os.geteuid() == 0 else None


def server_command(name: str, package: str) -> list[str]:
    """The beginning of the command line that runs a program of the server's package."""
    if not ROOT:
        return [find_program(name, package)]
    for path in (f"/usr/sbin/{name}", f"/usr/bin/{name}"):
        if os.path.exists(ROOT + path):
            # The other root may have another number for the account: this machine's is that of the files.
            account = pwd.getpwnam(SERVER_USER)
            return ["chroot", f"--userspec={account.pw_uid}:{account.pw_gid}", ROOT, path]
    raise MissingProgram(f"{name} is not in {ROOT}, which package {package} should bring: remove it, and make roots")


def service_command(name: str, package: str) -> list[str]:
    """The beginning of the command line that runs a program of a service: the other root's, where that has it."""
    for directory in PROGRAMS:
        path = f"{directory}/{name}"
        if ROOT and os.path.exists(ROOT + path):
            return [find_program("chroot", "coreutils"), ROOT, path]
        if not ROOT and os.path.exists(path):
            return [path]
    return [find_program(name, package)]


def launching_user() -> str | None:
    """The account under which `server_command` is started: chroot itself changes to the server's."""
    return None if ROOT else server_user()
