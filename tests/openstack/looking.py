"""Runs xha-check on the cloud's services: its xha.conf, and its output, kept unchanged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from loopback.galera import PORT as DATABASE_PORT
from loopback.rabbitmq import PASSWORD as BROKER_PASSWORD
from loopback.rabbitmq import USER as BROKER_USER
from openstack.cloud import MEMBER, PROJECT, Cloud
from services.host import Services
from xha.core.services.catalogue import CATALOGUE
from xha.core.services.model.result import Level, Result, parse_result

APIS = {
    "keystone": 5000,
    "glance-api": 9292,
    "nova-api": 8774,
    "placement-api": 8778,
    "neutron-server": 9696,
    "cinder-api": 8776,
}
WORKERS = {
    "nova-conductor": "nova",
    "nova-scheduler": "nova",
    "neutron-rpc-server": "neutron",
    "cinder-scheduler": "cinder",
    "cinder-volume": "cinder",
}
# The services with real daemons in this run, in the catalogue's order; and those without a package in Debian.
REAL = tuple(name for name in CATALOGUE if name in {*APIS, *WORKERS, "nova-novncproxy", "mysql", "rabbitmq"})
GONE = ("glance-registry", "nova-consoleauth")
# The daemon that answers for a service.
DAEMONS = {name: name for name in REAL} | {"neutron-rpc-server": "neutron-server"}
# For two busy cores: the deadline of every check, and how many checks run at a time.
DEADLINE, AT_A_TIME = 15.0, 4
MEMBER_VARIABLE, ADMIN_VARIABLE, BROKER_VARIABLE = "XHA_MEMBER", "XHA_ADMIN", "XHA_BROKER"


class Look(NamedTuple):
    """One service at one level: the output of xha-check."""

    service: str
    level: Level
    result: Result

    @property
    def short(self) -> tuple[str, str | None]:
        return self.result.status.value, self.result.blame

    def __str__(self) -> str:
        blame = f" {self.result.blame}" if self.result.blame else ""
        text = f"{self.service} {self.level.word}: {self.result.status.value}{blame}, {self.result.duration_ms} ms"
        return f"{text}: {self.result.message}"


class Watcher:
    """xha-check with an xha.conf for all services of the cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._services = Services(cloud.directory / "xha")
        self._services.write(render_conf(cloud))
        self._environment = {
            MEMBER_VARIABLE: cloud.place.passwords["member"],
            ADMIN_VARIABLE: cloud.place.passwords["admin"],
            BROKER_VARIABLE: BROKER_PASSWORD,
        }
        cloud.database.create_account("xha@localhost")
        (cloud.directory / "xha/client.cnf").write_text("[client]\nuser = xha\n")

    def look(self, level: Level, names: Sequence[str] = REAL) -> list[Look]:
        """Check them, some at a time: all at once are too much for two cores beside thirty daemons."""
        looks = []
        for first in range(0, len(names), AT_A_TIME):
            some = names[first : first + AT_A_TIME]
            words = ("--service", *some, "--level", level.word, "--json")
            said = self._services.run(*words, env=self._environment, timeout=60)
            assert said.err == "", said.err
            results = [parse_result(document) for document in json.loads(said.out)["services"]]
            looks += [Look(result.name, level, result) for result in results]
        return looks


def render_conf(cloud: Cloud) -> str:
    """Every service with the accounts for the deepest level. All other keys except deadline have their defaults."""
    address, directory = cloud.place.api, cloud.directory / "xha"
    database = f"database = {cloud.place.database}:{DATABASE_PORT}"
    keystone = f"auth_url = {cloud.place.keystone}"
    member = [keystone, f"username = {MEMBER}", f"project = {PROJECT}", f"password_env = {MEMBER_VARIABLE}"]
    admin = [keystone, "username = admin", "project = admin", f"password_env = {ADMIN_VARIABLE}"]
    sections = {
        "database": [f"socket = {cloud.database.socket}", f"defaults_file = {directory}/client.cnf"],
        "responder": [f"disabled_file = {directory}/disabled"],
        "service mysql": [f"process = ^\\S*mariadbd .*--datadir={cloud.database.datadir}"],
        "service rabbitmq": [
            f"host = {cloud.place.broker}",
            f"username = {BROKER_USER}",
            f"password_env = {BROKER_VARIABLE}",
            f"process = ^\\S*beam\\.smp .*\\{{{cloud.place.broker.replace('.', ',')}\\}}",
        ],
        "service nova-novncproxy": [f"url = http://{address}:6080", database],
    }
    for name, port in APIS.items():
        account = member if name != "keystone" else []
        sections[f"service {name}"] = [f"url = http://{address}:{port}", database, *account]
    for name, project in WORKERS.items():
        lines = [f"config = {cloud.place.etc(project)}/{project}.conf"]
        if Level.DEEP in CATALOGUE[name].levels:
            lines += [f"url = http://{address}:{APIS[f'{project}-api']}", database, *admin]
        sections[f"service {name}"] = lines
    sections["service glance-registry"] = [f"url = http://{address}:9191"]
    sections["service nova-consoleauth"] = [f"config = {cloud.place.etc('nova')}/nova.conf"]
    for name, lines in sections.items():
        if name.startswith("service "):
            lines.append(f"deadline = {DEADLINE:g}s")
    return "\n".join("\n".join((f"[{name}]", *lines, "")) for name, lines in sections.items())
