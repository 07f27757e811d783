"""A responder that programs of its own host ask, and one connection for a program that xinetd would start."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from loopback import wait_until
from loopback.sockets import is_listening
from shell.host import ENVIRONMENT, Host

DIRECTORY, NAME = "/run/xha/responder", "ask"
PORT = 49000
REQUEST = b"OPTIONS / HTTP/1.0\r\n\r\n"


class Counts(NamedTuple):
    """How many programs were answered, and how many were left to look themselves."""

    answered: int
    referred: int


class Resident:
    """The responder of a host, by its default configuration."""

    def __init__(
        self,
        host: Host,
        address: str,
        program: str = "xha-responder",
        user: int | None = None,
        wrapper: Sequence[str] = (),
    ) -> None:
        self.host, self.address = host, address
        directory = host.path(DIRECTORY)
        directory.mkdir(parents=True, exist_ok=True)
        for path in (directory, directory.parent):
            path.chmod(0o755)
        if user is not None:  # as tmpfiles.d makes it for the account
            os.chown(directory, user, user)
        self.process = host.popen(
            program, user=user, wrapper=wrapper, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.path = directory / NAME

    def __enter__(self) -> Resident:
        wait_until(lambda: is_listening(self.address, PORT) and self.path.is_socket(), 60, "the responder listens")
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    def counts(self) -> Counts:
        """What it says of the programs that asked it."""
        with urllib.request.urlopen(f"http://{self.address}:{PORT}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        found = {name: int(value) for name, value in re.findall(r"(?m)^xha_programs_(\w+)_total (\d+)", text)}
        return Counts(found["answered"], found["referred"])

    @contextmanager
    def out_of_reach(self) -> Iterator[None]:
        """Its socket has another name for a while: who asks finds nobody."""
        aside = self.path.with_name("aside")
        self.path.rename(aside)
        try:
            yield
        finally:
            aside.rename(self.path)


def settings(address: str, more: str = "") -> str:
    """The text of xha.conf for it."""
    return f"[responder]\nlisten = {address}:{PORT}\nhistory_file = /run/xha/history\n{more}\n"


class Answer(NamedTuple):
    """What a program answered its one client, and its exit code."""

    code: int
    data: bytes


def ask_forked(host: Host, name: str = "xha-responder", request: bytes = REQUEST, *arguments: str) -> Answer:
    """Start a program as xinetd does with `wait = no`: an accepted connection is its standard streams."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
    with client:
        with accepted:
            client.sendall(request)
            process = host.popen(name, *arguments, stdin=accepted, stdout=accepted, stderr=accepted)
        client.settimeout(60)
        data = b"".join(iter(lambda: client.recv(4096), b""))
        client.close()
        return Answer(process.wait(60), data)


def modules_of(host: Host, log: Path, door: str, *arguments: str) -> set[str]:
    """The modules that a program imports."""
    interpreter = Path(host.door(door)).read_text().split("\n", 1)[0][2:].split()
    argv = [*interpreter, "-X", "importtime", host.door(door), *arguments]
    with log.open("w") as stderr:
        subprocess.run(host.enter(*argv), env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=stderr, check=False)  # fmt: skip
    return {line.rpartition("|")[2].strip() for line in log.read_text().splitlines() if line.startswith("import time:")}
