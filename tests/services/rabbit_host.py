"""Brokers for the tests of services: sections that check them, and the library of real workers."""

from __future__ import annotations

import fcntl
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from loopback import Daemon, Net
from loopback.doors import CHECKOUT
from loopback.files import put
from loopback.rabbitmq import PACKAGE, PASSWORD, USER, Broker, Rabbits
from loopback.server_root import service_command

# Outside the checkout's own environment: nothing of xha may need the library.
OSLO_PYTHON = CHECKOUT / "build/oslo/bin/python"
LOCK = str(CHECKOUT / "tools/lock/oslo.lock")
INSTALL = ("install", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:", "-r", LOCK)
SECRETS = {"XHA_PASSWORD": PASSWORD}


def section(broker: Broker, *lines: str, account: bool = True, deadline: str = "10s") -> str:
    """A [service rabbitmq] that checks this broker."""
    login = [f"username = {USER}", "password_env = XHA_PASSWORD"] if account else []
    process = f"process = ^\\S*beam\\.smp .*\\{{{broker.address.replace('.', ',')}\\}}"
    head = ["[service rabbitmq]", f"host = {broker.address}", f"deadline = {deadline}", process]
    return "\n".join([*head, *login, *lines, ""])


def rabbitmqctl(rabbits: Rabbits) -> Path:
    """The program of the brokers' version, as one file: that of another root is behind chroot."""
    program = rabbits.directory / "rabbitmqctl"
    put(program, f'#!/bin/sh\nexec {shlex.join(service_command("rabbitmqctl", PACKAGE))} "$@"\n', 0o755)
    return program


def names(rabbits: Rabbits) -> str:
    return "nodes = " + " ".join(broker.name for broker in rabbits.brokers)


def need_oslo() -> None:
    """Install oslo.messaging below build/ once; skip the test if that fails.

    Two workers may need it at once: the second waits for the first. The interpreter is there long before its packages.
    """
    home = OSLO_PYTHON.parents[1]
    made = home / ".made"
    home.parent.mkdir(exist_ok=True)
    with (home.parent / "oslo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _install_oslo(home)
            made.touch()


def _install_oslo(home: Path) -> None:
    for command in ([sys.executable, "-m", "venv", str(home)], [str(OSLO_PYTHON), "-m", "pip", "-q", *INSTALL]):
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=300)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(home, ignore_errors=True)
            pytest.skip(f"needs oslo.messaging, which pip cannot install here: {type(error).__name__}")


class Worker(Daemon):
    """A real oslo.messaging server (oslo_server.py): `name` is in its command line."""

    def __init__(self, net: Net, directory: Path, name: str, url: str, *target: str) -> None:
        need_oslo()
        directory.mkdir(parents=True, exist_ok=True)
        url_file = directory / "url"
        url_file.write_text(url)
        script = str(Path(__file__).with_name("oslo_server.py"))
        self.process = f"process = ^\\S*python {script} {directory.name}-{name} "
        argv = [str(OSLO_PYTHON), script, f"{directory.name}-{name}", str(url_file), *target]
        super().__init__(net, argv, directory / "log", env={})

    def wait_listening(self) -> None:
        self.wait_ready(lambda: "listening" in self.log.read_text(), 60, "the server listens")


def url_of(*brokers: Broker) -> str:
    return "rabbit://" + ",".join(f"{USER}:{PASSWORD}@{one.address}:5672" for one in brokers) + "/"
