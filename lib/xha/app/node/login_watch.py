"""Whether the server would still let this process in: an open connection does not tell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...core.text.values import ConfigError

if TYPE_CHECKING:
    from typing import Callable

    from ...adapters.mysql.login_target import Target
    from ...core.config.xha_conf import Config


class LoginWatch:
    """What is known of logins beside the open connection. fails: whether the last one of them came to nothing."""

    def __init__(self) -> None:
        self.warnings: tuple[str, ...] = ()
        self.fails = False
        self._checked_at = 0.0

    def succeeded(self, target: Target) -> None:
        """Note that the login has just worked."""
        self.warnings, self.fails, self._checked_at = target.warnings, False, time.monotonic()

    def check(self, config: Config, find_target: Callable[[], Target]) -> None:
        """Log in anew, at most every hang_reset, and keep a warning if that fails."""
        if time.monotonic() - self._checked_at < config.responder.hang_reset:
            return
        from ...adapters.mysql.session import ReadError, Session
        from ...adapters.network.channel import Allowance

        try:
            target = find_target()
            self.warnings = target.warnings
            # A login that hangs must not make the reading overdue that waits for it.
            Session(target, Allowance(config.responder.deadline / 4)).close()
            self.fails = False
        except ReadError as error:
            self.fails = True
            self.warnings += (f"a new login would fail: {error.unreadable.code.value}, {error}",)
        except ConfigError as error:
            self.fails = True
            self.warnings = (f"a new login would fail: {error}",)
        self._checked_at = time.monotonic()
