"""The check of the Galera node of this host, with the reader and the rule of the responder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...adapters.process.alarm import begin_step
from ...adapters.process.daemons import check_process
from ...core.galera.reading import Reading
from ...core.services.daemons.mysql import judge_verdict
from ...core.services.model.result import Level
from ..node.reader import FixedConfig, Reader

if TYPE_CHECKING:
    from ...core.services.daemons.mysql import MysqlSettings
    from ...core.services.model.result import Result


def check(settings: MysqlSettings, level: Level) -> Result:
    """Check the node at one level, and return the result."""
    if level is Level.PROCESS:
        return check_process(settings, level)
    begin_step("the database")
    snapshot = Reader(FixedConfig(settings.config)).take_once()
    return judge_verdict(settings.name, level, snapshot.verdict, answered=isinstance(snapshot.reading, Reading))
