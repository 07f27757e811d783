"""The check of the Galera node of this host, with the reader and the rule of the responder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...adapters.mysql import session as _loaded_for_the_reader  # noqa: F401 - here it costs once, in a child each time
from ...adapters.mysql.login_target import read_target
from ...adapters.network.whereabouts import judge_unreachable
from ...adapters.process.alarm import begin_step
from ...adapters.process.daemons import check_process
from ...core.config.xha_conf import DEFAULT_PORT
from ...core.galera.reading import Reading
from ...core.node.verdict import Code
from ...core.services.daemons.mysql import judge_verdict
from ...core.services.model.reach import Attempt
from ...core.services.model.result import Level
from ...core.text.values import ConfigError
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
    result = judge_verdict(settings.name, level, snapshot.verdict, answered=isinstance(snapshot.reading, Reading))
    return _look_elsewhere(settings, result) if snapshot.verdict.code is Code.SERVER_DOWN else result


def _look_elsewhere(settings: MysqlSettings, result: Result) -> Result:
    """Return the result for a server that is not at its address: it may listen at another one."""
    try:
        target = read_target(settings.config.database)
    except ConfigError:
        return result
    place = target.socket or (target.host or "", target.port)
    ports = (DEFAULT_PORT, target.port)  # and not Galera's, on which a server that starts listens first
    return judge_unreachable(settings, result.level, Attempt(place, result.message, "[database] socket or host", ports))
