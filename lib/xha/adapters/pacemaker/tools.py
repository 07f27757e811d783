"""Runs Pacemaker's and corosync's tools: with a time limit, without a shell, and without passing on their secrets."""

from __future__ import annotations

import os
import re
import shutil

from ..process.command import DIRECTORIES, Output, Overlong, Unanswered, run_command

TIMEOUT = 5.0
# The whole configuration of a cluster: with a thousand resources it has 2 MiB.
_BUDGET = 1 << 23
# Only the tool's own sentence is passed on: if a change does not fit, cibadmin prints the whole configuration,
# including passwords.
_SENTENCE = re.compile(r"^(?:Call |Could not |Error |error: |\w+: |Signon |Init )[^<>\n]*$", re.MULTILINE)
_MOST_CHARACTERS = 160


class ClusterUnreachable(Exception):
    """Pacemaker did not do what was asked; the text says why. It says nothing about the database."""


class Failed(ClusterUnreachable):
    """A tool failed. code is its exit code; complaint is all of its error output, which may contain passwords."""

    def __init__(self, text: str, code: int, complaint: str) -> None:
        super().__init__(text)
        self.code, self.complaint = code, complaint


class MissingTool(Exception):
    """The tool is not installed; the text is its name."""


def ask_tool(name: str, *arguments: str, seconds: float, own_session: bool = False) -> Output:
    """Run a tool and return its result. Its environment contains no CIB_file, CIB_shadow and OCF_*.

    own_session: as for run_command.

    :raises MissingTool: if it is not installed.
    :raises OSError: if it cannot be started.
    :raises Unanswered: if it does not end within `seconds`, for instance because a daemon is frozen.
    :raises Overlong: if it prints more than 8 MiB.
    """
    path = shutil.which(name, path=DIRECTORIES)
    if path is None:
        raise MissingTool(name)
    environment = {"PATH": DIRECTORIES, "LC_ALL": "C"}
    return run_command([path, *arguments], seconds, _BUDGET, environment=environment, own_session=own_session)


def run_tool(*words: str, seconds: float | None = None) -> str:
    """Run a tool that must succeed, and return its output. It has 5 s if nothing else is said.

    :raises Failed: if it exits with another code than 0.
    :raises ClusterUnreachable: if it is absent, does not end in time, or prints too much.
    """
    limit = TIMEOUT if seconds is None else seconds
    try:
        said = ask_tool(*words, seconds=limit, own_session=True)
    except MissingTool:
        raise ClusterUnreachable(f"{words[0]}: no such file or directory") from None
    except OSError as error:
        raise ClusterUnreachable(f"{words[0]}: {(error.strerror or 'cannot be run').lower()}") from None
    except Unanswered:
        raise ClusterUnreachable(f"{words[0]} did not answer within {limit:.2g} s") from None
    except Overlong as error:
        raise ClusterUnreachable(str(error)) from None
    if said.code:
        sentence = _SENTENCE.search(said.err)
        why = sentence[0].strip()[:_MOST_CHARACTERS] if sentence else "failed"
        why = why[len(words[0]) + 2 :] if why.startswith(f"{words[0]}: ") else why
        raise Failed(f"{words[0]}: {why} (exit code {said.code})", said.code, said.err)
    return said.out


def may_ask_the_cluster() -> bool:
    """Return whether Pacemaker answers this process: it answers root and the group haclient."""
    if os.geteuid() == 0:
        return True
    import grp

    try:
        return grp.getgrnam("haclient").gr_gid in {os.getegid(), *os.getgroups()}
    except KeyError:
        return False
