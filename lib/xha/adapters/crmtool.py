"""Running Pacemaker's and corosync's tools: in time, without a shell, and without telling their secrets."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess

TIMEOUT = 5.0
_DIRECTORIES = "/usr/sbin:/usr/bin:/sbin:/bin"
# Of what a tool complains only its own sentence is passed on: cibadmin prints the whole configuration, passwords and
# all, where a change does not fit.
_SENTENCE = re.compile(r"^(?:Call |Could not |Error |error: |\w+: |Signon |Init )[^<>\n]*$", re.MULTILINE)
_MOST_CHARACTERS = 160


class ClusterUnreachable(Exception):
    """Pacemaker did not do what it was asked; the text says why. It says nothing about the database."""


class Failed(ClusterUnreachable):
    """A tool said no. code is its exit code; complaint all that it wrote, which may hold passwords."""

    def __init__(self, text: str, code: int, complaint: str) -> None:
        super().__init__(text)
        self.code, self.complaint = code, complaint


def run_tool(*words: str) -> str:
    """Run a tool and return what it prints. Its environment is ours: none of CIB_file, CIB_shadow and OCF_* reaches it.

    :raises Failed: with its exit code. :raises ClusterUnreachable: if it is absent, or does not end in time.
    """
    environment = {"PATH": _DIRECTORIES, "LC_ALL": "C"}
    try:
        process = subprocess.Popen(  # noqa: S603 - Pacemaker's own programs, and no shell
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise ClusterUnreachable(f"{words[0]}: {(error.strerror or 'cannot be run').lower()}") from None
    try:
        out, complaint = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        _kill(process)
        raise ClusterUnreachable(f"{words[0]} did not answer within {TIMEOUT:g} s") from None
    except BaseException:
        _kill(process)
        raise
    if process.returncode:
        said = _SENTENCE.search(complaint)
        why = said[0].strip()[:_MOST_CHARACTERS] if said else "failed"
        why = why[len(words[0]) + 2 :] if why.startswith(f"{words[0]}: ") else why
        raise Failed(f"{words[0]}: {why} (exit code {process.returncode})", process.returncode, complaint)
    return out


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
