"""The facts that the doctor's rules examine. Each part is there, or says why it could not be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..config.xha_conf import DEFAULT_PORT, Config
from ..galera.server_options import parse_provider_options
from ..text.durations import parse_galera_period
from ..text.numbers import parse_float, parse_int
from .unseen import Unlooked, Unseen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config.haproxy_cfg import Proxy
    from ..pacemaker.cib import Cib
    from .unseen import Look

_LATER = Unseen("nobody looked", "a look")


class ServerFacts(NamedTuple):
    """What the server of this host says. Names are the server's own, in lower case.

    where: the socket or address. rate: bytes that were replicated or received a second, while this look took place.
    """

    where: str
    variables: Mapping[str, str]
    status: Mapping[str, str]
    rate: float | None = None

    def text(self, name: str) -> str:
        """Return a variable. :raises Unlooked: where the server has none of that name."""
        if name not in self.variables:
            raise Unlooked(Unseen(f"{name}: the server at {self.where} does not tell it", "a server that has it"))
        return self.variables[name]

    def number(self, name: str) -> int:
        """Return a variable that is a number. :raises Unlooked: where it is none."""
        number = parse_int(self.text(name))
        if number is None:
            raise Unlooked(Unseen(f"{name} is no number at {self.where}", "a server that tells it"))
        return number

    def is_on(self, name: str) -> bool:
        """Return whether a switch is on. :raises Unlooked: where the server has none of that name."""
        return self.text(name).upper() not in ("OFF", "0", "NO", "FALSE", "")

    def count(self, name: str) -> int:
        """Return a number of SHOW STATUS. :raises Unlooked: where the server tells none."""
        number = parse_int(self.status.get(name, ""))
        if number is None:
            raise Unlooked(Unseen(f"{name}: the server at {self.where} does not tell it", "a server that has it"))
        return number

    def option(self, name: str) -> str:
        """Return an option of Galera's provider, as `evs.suspect_timeout`.

        Where MariaDB's plugin wsrep_provider is loaded, each is a variable of its own.
        :raises Unlooked: where it is not told.
        """
        own = self.variables.get("wsrep_provider_" + name.replace(".", "_"))
        value = own or parse_provider_options(self.variables.get("wsrep_provider_options", "")).get(name)
        if value is None:
            raise Unlooked(Unseen(f"{name}: Galera's options are not told at {self.where}", "wsrep_on, and a provider"))
        return value

    def period(self, name: str) -> float:
        """Return an option of the provider that is a time, in seconds. :raises Unlooked: where it is none."""
        text = self.option(name)
        try:
            return parse_galera_period(text)
        except ValueError as error:
            raise Unlooked(Unseen(f"{name}: {error}", "a time as Galera writes it")) from None

    def size(self, name: str) -> int:
        """Return an option of the provider that is a size, in bytes: `128M`. :raises Unlooked: where it is none."""
        text = self.option(name).strip()
        scale = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}.get(text[-1:].upper(), 1)
        number = parse_float(text if scale == 1 else text[:-1])
        if number is None:
            raise Unlooked(Unseen(f"{name}: {text!r} is no size", "a size as Galera writes it"))
        return int(number * scale)


class HaproxyFile(NamedTuple):
    """HAProxy's configuration."""

    path: str
    proxies: tuple[Proxy, ...]


class ClusterConfig(NamedTuple):
    """Pacemaker's configuration, as it concerns one resource; resource is "" where none runs this agent."""

    resource: str
    cib: Cib

    def named(self) -> Cib:
        """Return the configuration of the resource. :raises Unlooked: where there is none."""
        if not self.resource:
            raise Unlooked(
                Unseen(
                    "Pacemaker's configuration has no resource of ocf:xha:galera",
                    "the resource: docs/operations.md, or xha-check doctor --from mysql-wss or heartbeat",
                )
            )
        return self.cib


class DoctorFacts(NamedTuple):
    """Everything that was gathered."""

    config: Config = Config()
    server: Look[ServerFacts] = _LATER
    haproxy: Look[HaproxyFile] = _LATER
    pacemaker: Look[ClusterConfig] = _LATER

    @property
    def sql_port(self) -> int:
        """The port of the database, also where its server could not be asked."""
        told = None if isinstance(self.server, Unseen) else parse_int(self.server.variables.get("port", ""))
        return told or self.config.database.port or DEFAULT_PORT
