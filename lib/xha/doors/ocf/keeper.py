"""The agent's own action `keeper`: keeps the node, and tells the resource's monitors that all is well."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import xha

from ...adapters.network.resident_client import describe
from ...adapters.network.resident_listener import ResidentListener, Unanswerable
from ...app.agent.monitor import is_well
from ...app.keeper import main
from ...core.ocf.api import parse_instance
from ...core.ocf.galera_settings import parse_settings_leniently

if TYPE_CHECKING:
    from ...adapters.network.resident_listener import AskingProgram
    from ...core.ocf.api import Instance

MONITOR = b"monitor"


class MonitorsAttendant:
    """Answers the monitors of one resource."""

    def __init__(self, directory: str, instance: Instance) -> None:
        """Listen in this directory. :raises OSError: if that is not possible."""
        self._listener = ResidentListener(directory, describe(xha.__version__, xha.__file__))
        self._instance = instance

    def fileno(self) -> int:
        """Return the listening descriptor, for poll."""
        return self._listener.fileno()

    def attend(self) -> None:
        """Answer whoever has asked by now. :raises OSError: where nobody can be accepted."""
        self._listener.serve_waiting(lambda question: _answer(self._instance, question))


def keep(instance: Instance) -> int:
    """Keep the node until it is stopped, and return the exit code."""
    return main.keep(instance, lambda directory: MonitorsAttendant(directory, instance))


def _answer(instance: Instance, question: AskingProgram) -> None:
    """Answer a monitor, whatever comes. :raises Unanswerable: where it has to look itself."""
    try:
        _tell(instance, question)
    except OSError:
        raise
    except Exception as error:  # the keeper lives on; the monitor meets the same, and says so
        raise Unanswerable(f"{type(error).__name__}: {error}") from None


def _tell(instance: Instance, question: AskingProgram) -> None:
    """Answer a monitor at depth 0 with the parameters and the meta-data in the question, if it would be 0.

    :raises Unanswerable: for any other answer: the monitor then looks itself, and says why.
    """
    environment = dict(os.fsdecode(word).partition("=")[::2] for word in question.words)
    asked = parse_instance(environment, "monitor")
    settings, bad = parse_settings_leniently(environment)
    plain = question.kind == MONITOR and asked.name == instance.name and not asked.level
    if not plain or asked.is_probe or asked.replaces_probe or bad or not is_well(settings, asked):
        raise Unanswerable("no answer of 0, or one that takes another look")
    question.answer(b"", question.began, 0.0)
