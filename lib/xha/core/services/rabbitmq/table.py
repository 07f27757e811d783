"""The row of the catalogue for RabbitMQ, the keys of its section, and what a broker's refusals mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ...text.values import parse_path, parse_port, parse_switch, parse_text, parse_words
from ..api.judge import parse_url
from ..model.kind import Proof, Secret, Service
from ..model.result import SELF, Level, Result, cautioned, failed, unknown
from ..model.values import parse_secret_file, parse_secret_variable
from .login import MISCONFIGURED, PORT, AmqpFault

if TYPE_CHECKING:
    from ..model.reach import Place
    from .login import AmqpError
    from .state import Expected

_NODE = re.compile(r"[^\s@]+@[^\s@]+")


class RabbitSettings(NamedTuple):
    """The section of a RabbitMQ broker. nodes: the names of the cluster's nodes, or their number."""

    name: str
    process: str
    deadline: float
    host: str = "127.0.0.1"
    port: int = PORT
    tls: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    vhost: str = "/"
    username: str | None = None
    password_file: Secret | None = None
    password_env: Secret | None = None
    nodes: Expected = ()
    api: str | None = None
    api_username: str | None = None
    api_password_file: Secret | None = None
    api_password_env: Secret | None = None
    rabbitmqctl: str | None = None
    node: str | None = None
    neighbours: tuple[Place, ...] = ()

    @property
    def password(self) -> Secret | None:
        """Where the password is, or None."""
        return self.password_file or self.password_env

    @property
    def api_password(self) -> Secret | None:
        """Where the password for the management API is. Without api_username the API uses the broker's account."""
        return (self.api_password_file or self.api_password_env) if self.api_username else self.password

    @property
    def peers(self) -> tuple[str, ...]:
        """The hosts of the expected nodes."""
        names = self.nodes if isinstance(self.nodes, tuple) else ()
        return tuple(name.partition("@")[2] for name in names)


def judge_fault(settings: RabbitSettings, level: Level, error: AmqpError, proved: str, blame: str = SELF) -> Result:
    """Return the result if a broker did not do what it was asked to. blame: who is to blame if the broker is silent."""
    if error.unmet or error.fault in MISCONFIGURED:
        needs = error.unmet or "an account and settings that it accepts"
        return unknown(settings.name, level, f"needs {needs}: {error}", proved=proved)
    # Restarting a broker because it is full makes things worse.
    if error.fault is AmqpFault.BLOCKED:
        return cautioned(settings.name, level, str(error), proved=proved)
    return failed(settings.name, level, str(error), blame=blame, proved=proved)


def find_fault(settings: RabbitSettings) -> tuple[str, str] | None:
    """Return the key that contradicts or lacks another one."""
    if settings.password_file and settings.password_env:
        return "password_env", "password_file is said too: leave out one"
    if settings.key_file and not settings.cert_file:
        return "key_file", "goes with cert_file"
    if bool(settings.username) != bool(settings.password):
        return "username", "goes with password_file or password_env"
    if settings.api_username and not settings.api_password:
        return "api_username", "goes with api_password_file or api_password_env"
    if settings.api and not settings.api_password:
        return "api", "goes with username, or api_username, and a password"
    if settings.nodes and not (settings.api or settings.rabbitmqctl):
        return "nodes", "is compared with what api or rabbitmqctl says: one of them is missing"
    return None


def parse_expected(text: str) -> Expected:
    """Return the names of nodes, or their number. :raises ValueError: naming the first invalid one."""
    words = parse_words(parse_text(text))
    if len(words) == 1 and words[0].isascii() and words[0].isdigit() and 0 < int(words[0]) < 1000:
        return int(words[0])
    for word in words:
        if not _NODE.fullmatch(word):
            raise ValueError(f"{word!r} is neither a number of nodes nor the name of one, as rabbit@controller-1")
    return tuple(words)


_KEYS = {
    "host": parse_text,
    "port": parse_port,
    "tls": parse_switch,
    "ca_file": parse_path,
    "cert_file": parse_path,
    "key_file": parse_path,
    "vhost": parse_text,
    "username": parse_text,
    "password_file": parse_secret_file,
    "password_env": parse_secret_variable,
    "nodes": parse_expected,
    "api": parse_url,
    "api_username": parse_text,
    "api_password_file": parse_secret_file,
    "api_password_env": parse_secret_variable,
    "rabbitmqctl": parse_path,
    "node": parse_text,
}

ROWS = (
    Service(
        "rabbitmq",
        "message broker",
        "rabbitmq",
        r"^(?:\S*/)?beam(?:\.smp)? .*-s rabbit boot(?: |$)",
        RabbitSettings,
        _KEYS,
        {
            Level.PROCESS: Proof("an Erlang VM with RabbitMQ in it exists and is not stopped", "whether it answers"),
            Level.PROTOCOL: Proof(
                "it greets in AMQP 0-9-1; with an account, that it logs in and opens the virtual host",
                "alarms, a split brain, a frozen peer",
                "nothing; optional: username, password_file or password_env",
            ),
            Level.DEEP: Proof(
                "a message goes through a queue of its own, confirmed and read back; with api or rabbitmqctl, that "
                "no partition, no missing node and no alarm is there; with api, that queues have their policy's copies",
                "queues of virtual hosts that the account may not see; before RabbitMQ 4, streams with too few members",
                "username, password_file or password_env; optional: nodes, api, rabbitmqctl",
            ),
        },
        Level.PROTOCOL,
        find_fault=find_fault,
        find_place=lambda settings: (settings.host, settings.port),
    ),
)
