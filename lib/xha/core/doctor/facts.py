"""The facts that the doctor's rules examine. Each part is there, or says why it could not be looked at."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..cluster.members import parse_member
from ..config.xha_conf import DEFAULT_PORT, Config
from ..galera.server_options import parse_provider_options
from ..text.durations import parse_galera_period
from ..text.numbers import parse_float, parse_int
from .unseen import Unlooked, Unseen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config.haproxy_cfg import Proxy
    from ..election.facts import Probe
    from ..galera.server_options import EnabledUnit
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
    """HAProxy's configuration. paths: its files, in their order."""

    paths: tuple[str, ...]
    proxies: tuple[Proxy, ...]

    def __str__(self) -> str:
        return ", ".join(self.paths)


class ClusterConfig(NamedTuple):
    """Pacemaker's configuration, as it concerns one resource; resource is "" where none runs this agent.

    node: Pacemaker's name of this host, "" where it does not tell it.
    """

    resource: str
    cib: Cib
    node: str = ""

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


class GrantLine(NamedTuple):
    """Privileges in upper case, without their columns, on what: `*.*`, `shop.orders`, in lower case and unquoted."""

    privileges: tuple[str, ...]
    on: str


def parse_grant(line: str) -> GrantLine | None:
    """Return a line of SHOW GRANTS; None for another one: a role, whose own privileges it does not tell."""
    names, found, rest = line.partition(" ON ")
    if not found or not names.upper().startswith("GRANT "):
        return None
    privileges = re.sub(r"\([^)]*\)", "", names[len("GRANT ") :]).upper().split(",")
    on = rest.partition(" TO ")[0].replace("`", "").replace("\\", "").lower()
    return GrantLine(tuple(" ".join(one.split()) for one in privileges), on)


class DatabaseAccount(NamedTuple):
    """An account of the server. grants: the lines of SHOW GRANTS; most_connections: MAX_USER_CONNECTIONS, 0 is any."""

    user: str
    host: str
    grants: tuple[str, ...] = ()
    most_connections: int = 0

    def __str__(self) -> str:
        return f"'{self.user}'@'{self.host}'"

    def has(self, privilege: str) -> bool:
        """Whether the account has a privilege on everything."""
        return self._granted(privilege, "*.*")

    def may(self, privilege: str, schema: str, table: str) -> bool:
        """Whether the account has a privilege on a table."""
        return any(self._granted(privilege, each) for each in ("*.*", f"{schema}.*", f"{schema}.{table}"))

    def _granted(self, privilege: str, on: str) -> bool:
        grants = (parse_grant(line) for line in self.grants)
        given = [grant.privileges for grant in grants if grant is not None and grant.on == on.lower()]
        return any(privilege in each or "ALL PRIVILEGES" in each for each in given)


class TableFacts(NamedTuple):
    """What users' tables lack. keyless and others: names as `shop.orders`, the latter with their engine.

    canary: engine and primary key of xha.canary, () where there is no such table. size: of all tables, in bytes.
    """

    keyless: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    canary: tuple[str, ...] = ()
    size: int = 0


class NameView(NamedTuple):
    """Names and addresses as this host knows them. me: its own name; own: its addresses; resolved: by name."""

    me: str
    own: frozenset[str]
    resolved: Mapping[str, tuple[str, ...]]

    @staticmethod
    def host_of(address: str) -> str:
        """Return the host of `host:port`, `[v6]:port` or a bare host."""
        try:
            return parse_member(address).host
        except ValueError:
            return address


class EphemeralPorts(NamedTuple):
    """Which ports the kernel gives outgoing connections: first to last, but for those of `reserved` (`1,5-7`)."""

    first: int
    last: int
    reserved: str = ""

    def takes(self, port: int) -> bool:
        """Whether an outgoing connection may get a port."""
        ranges = (word.partition("-") for word in self.reserved.split(",") if word.strip())
        kept = any(int(low) <= port <= int(high or low) for low, _, high in ranges)
        return self.first <= port <= self.last and not kept


class DataDisk(NamedTuple):
    """The data directory, and how many bytes the server's account may still write there."""

    path: str
    free: int


class MandatoryAccess(NamedTuple):
    """What confines the servers. profiles: AppArmor's, as the kernel writes them; selinux: whether SELinux enforces.

    profiles is () where the kernel has no AppArmor, and `unconfined` is one of a server without any.
    """

    profiles: Look[tuple[str, ...]] = ()
    selinux: bool = False


class MemberFacts(NamedTuple):
    """Another member. listens: the ports where something always listens, and what; ports: what each came to.

    variables: settings that it tells; clock: by how many seconds it is ahead of this host's, None if nobody tells.
    """

    name: str
    host: str
    listens: Mapping[int, str]
    ports: Mapping[int, Probe]
    variables: Mapping[str, str] = {}
    clock: float | None = None


class DoctorFacts(NamedTuple):
    """Everything that was gathered.

    check_user: as whom the responder logs in. root_login: "" if root may log in by the socket, else why not.
    programs: which programs of state transfers this host has. units: the enabled units of a server. responder: "" if
    this host's answers, else what it does.
    """

    config: Config = Config()
    server: Look[ServerFacts] = _LATER
    haproxy: Look[HaproxyFile] = _LATER
    pacemaker: Look[ClusterConfig] = _LATER
    check_user: str = "xha"
    root_login: Look[str] = _LATER
    accounts: Look[tuple[DatabaseAccount, ...]] = _LATER
    tables: Look[TableFacts] = _LATER
    programs: Look[frozenset[str]] = _LATER
    names: Look[NameView] = _LATER
    units: Look[tuple[EnabledUnit, ...]] = _LATER
    ephemeral: Look[EphemeralPorts] = _LATER
    disk: Look[DataDisk] = _LATER
    confinement: Look[MandatoryAccess] = _LATER
    responder: Look[str] = _LATER
    members: Look[tuple[MemberFacts, ...]] = _LATER

    @property
    def sql_port(self) -> int:
        """The port of the database, also where its server could not be asked."""
        told = None if isinstance(self.server, Unseen) else parse_int(self.server.variables.get("port", ""))
        return told or self.config.database.port or DEFAULT_PORT
