"""xha-check on the services of a test: its xha.conf, its command lines, its answers."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from loopback.doors import door
from loopback.files import put

NO_TIME = "this host has no time to run the check"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"}


class Outcome(NamedTuple):
    """The result of one command. seconds is its wall time."""

    code: int
    out: str
    err: str
    seconds: float


class Services:
    """A directory with an xha.conf, and xha-check run with it."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.config = directory / "xha.conf"
        self.write("")

    def write(self, text: str) -> None:
        put(self.config, text)

    def run(
        self, *arguments: str, env: Mapping[str, str] | None = None, wrapper: Sequence[str] = (), timeout: float = 90
    ) -> Outcome:
        began = time.monotonic()
        done = subprocess.run(
            [*wrapper, door("xha-check"), *arguments, "--config", str(self.config)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**ENVIRONMENT, **(env or {})},
            timeout=timeout,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def check(self, name: str, level: str | None = None, **options: Any) -> dict[str, Any]:
        """The one result of a service, with the command's exit code as `code`, and its time as `seconds`."""
        for _ in range(10):
            said = self.run("--service", name, "--json", *(["--level", level] if level else []), **options)
            assert said.err == "", said.err
            [result] = json.loads(said.out)["services"]
            if NO_TIME not in result["message"]:  # that is the machine's load, and says nothing about the service
                break
        assert result["name"] == name
        return {**result, "code": said.code, "seconds": said.seconds}


def short(result: Mapping[str, Any]) -> tuple[int, str, str | None]:
    """The exit code, status and blame."""
    return result["code"], result["status"], result["blame"]


WELL = (0, "ok", None)
DOWN = (2, "critical", "self")
CAUTION = (1, "warning", "self")
BLIND = (3, "unknown", None)


def blamed(name: str) -> tuple[int, str, str]:
    return 1, "warning", f"dependency:{name}"
