"""What the event loop needs of the program whose clients it serves. It has no code of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    from ...core.http.message import Request

    class Application(Protocol):
        """Produces the answers. answer_silent: seconds until a client that sends nothing has asked for `/`, or None."""

        @property
        def answer_silent(self) -> float | None: ...

        def answer(self, request: Request, host: str, now: float) -> bytes | None:
            """Return the response to a request that has just arrived; None to wait for a reading."""

        def answer_waiting(self, request: Request, host: str, now: float) -> bytes | None:
            """Return the response to a request that has waited; None if it must wait longer."""

        def complain(self, host: str, why: str) -> None:
            """Note a connection that got no regular answer."""

        def tick(self, now: float) -> float:
            """Do what is due, and return the seconds until something is due again."""

        def fault(self, doing: str, error: Exception) -> None:
            """Note an unexpected exception."""
