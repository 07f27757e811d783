"""The rows of the catalogue for the workers without a port, and the keys of their sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...text.values import parse_choice, parse_path, parse_switch, parse_text, parse_words
from ..api.judge import API_KEYS
from ..model.kind import Proof, Service
from ..model.processes import python_process
from ..model.result import Level
from ..model.values import parse_secret_file, parse_secret_variable
from .judge import ExpectedWorker, WorkerSettings

if TYPE_CHECKING:
    from typing import Any


def parse_hosts(text: str) -> tuple[str, ...]:
    """Return a worker's names on the bus, such as controller-1 or controller-1@lvm. :raises ValueError: for none."""
    return tuple(parse_words(parse_text(text)))


def find_fault(settings: WorkerSettings) -> tuple[str, str] | None:
    """Return the key that contradicts or lacks another one."""
    if settings.transport_url_file and settings.transport_url_env:
        return "transport_url_env", "transport_url_file is said too: leave out one"
    if settings.password_file and settings.password_env:
        return "password_env", "password_file is said too: leave out one"
    if settings.key_file and not settings.cert_file:
        return "key_file", "goes with cert_file"
    said = (settings.auth_url, settings.username, settings.project, settings.password_file or settings.password_env)
    if any(said) and not all(said):
        return "username", "goes with auth_url, project, and password_file or password_env"
    return None


_BUS_KEYS = {
    "config": parse_path,
    "transport_url_file": parse_secret_file,
    "transport_url_env": parse_secret_variable,
    "ca_file": parse_path,
    "cert_file": parse_path,
    "key_file": parse_path,
    "hosts": parse_hosts,
    "topics": parse_hosts,
    "exchange": parse_text,
    "expect": parse_choice(ExpectedWorker),
    "required": parse_switch,
}
_PROCESS = Proof("a process with its command line exists, and it and its children are not stopped", "whether it works")
_FILE = "to read the worker's own file (config), or transport_url_file and hosts"
_ADMIN = "an administrator's auth_url, username, project, and password_file or password_env"


def _worker(name: str, title: str, topics: tuple[str, ...], **defaults: Any) -> Service:
    bus = Proof(
        "a connection to RabbitMQ is established, and it answers a call on its own queue",
        "a dead database, and a driver that did not start",
        _FILE,
    )
    listed = Proof("the service list has it up as well", "the last 60 seconds", f"{_FILE}; {_ADMIN}")
    levels = {Level.PROCESS: _PROCESS, Level.PROTOCOL: bus}
    keys = dict(_BUS_KEYS)
    if "services" in defaults:
        levels[Level.DEEP] = listed
        keys.update(API_KEYS)
    return Service(
        name,
        title,
        "worker",
        defaults.pop("process", python_process(name)),
        WorkerSettings,
        keys,
        levels,
        Level.PROTOCOL,
        {"topics": topics, "binary": name, "deadline": 10.0, **defaults},
        find_fault,
    )


_NOVA = {
    "exchange": "nova",
    "config": "/etc/nova/nova.conf",
    "url": "http://127.0.0.1:8774",
    "services": "/v2.1/os-services",
}
_NEUTRON = {"exchange": "neutron", "config": "/etc/neutron/neutron.conf"}
# cinder sets no exchange of its own, so it uses the default of oslo.messaging.
_CINDER = {
    "exchange": "openstack",
    "config": "/etc/cinder/cinder.conf",
    "url": "http://127.0.0.1:8776",
    "services": "/v3/{project}/os-services",
}

ROWS = (
    _worker("nova-conductor", "compute database worker", ("conductor",), **_NOVA),
    _worker("nova-scheduler", "compute scheduler", ("scheduler",), **_NOVA),
    # Nova 20 (Train) removed it. On a host without it the result is not applicable.
    _worker("nova-consoleauth", "console tokens, before Nova 20", ("consoleauth",), required=False, **_NOVA),
    _worker(
        "neutron-rpc-server",
        "network RPC workers",
        ("q-plugin", "q-reports-plugin"),
        process=python_process("neutron-server|neutron-rpc-server"),
        **_NEUTRON,
    ),
    _worker("neutron-dhcp-agent", "network DHCP agent", ("dhcp_agent",), **_NEUTRON),
    _worker("neutron-l3-agent", "network router agent", ("l3_agent",), **_NEUTRON),
    _worker("cinder-scheduler", "volume scheduler", ("cinder-scheduler",), **_CINDER),
    _worker("cinder-volume", "volume worker", ("cinder-volume",), **_CINDER),
)
