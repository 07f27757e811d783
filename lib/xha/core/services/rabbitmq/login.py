"""Where a broker is, the account for it, and the faults of a login."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

PORT, TLS_PORT = 5672, 5671


class Login(NamedTuple):
    """One broker and an account on it. Its text never has the password."""

    host: str
    port: int = PORT
    username: str = ""
    password: str = ""
    vhost: str = "/"
    tls: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    def __repr__(self) -> str:
        return f"Login({self}, {self.username!r}, vhost {self.vhost!r})"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class AmqpFault(Enum):
    """Why there is no connection, channel or answer."""

    REFUSED = "connection refused"
    SILENT = "no answer in time"
    NAME = "its name is unknown"
    UNREACHABLE = "cannot be reached"
    NOT_AMQP = "what listens there speaks no AMQP 0-9-1"
    TOO_MUCH = "it sends more than it was asked for"
    TLS = "no TLS with these settings"
    ACCOUNT = "it refuses the account"
    VHOST = "it has no such virtual host, or the account may not use it"
    VHOST_DOWN = "the virtual host is down"
    PERMISSION = "the account may not do that"
    BLOCKED = "publishers are blocked by a resource alarm"
    NO_EXCHANGE = "there is no such exchange"
    CLOSED = "the connection was closed"


class AmqpError(Exception):
    """A broker did not do what it was asked to. The text names the broker and the fault, and has no secret.

    unmet: what the check's settings lack, "" if the fault alone says it.
    """

    def __init__(self, where: object, fault: AmqpFault, detail: str = "", *, unmet: str = "") -> None:
        super().__init__(f"{where}: {fault.value}" + (f" ({detail})" if detail else ""))
        self.fault, self.unmet = fault, unmet


# Errors of the check's own settings: the broker works, and nothing is known about what was to be checked.
MISCONFIGURED = {AmqpFault.ACCOUNT, AmqpFault.VHOST, AmqpFault.PERMISSION, AmqpFault.TLS, AmqpFault.NAME}
