"""The faults of a controller and their ends: each is a context, and names the services to look at."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Callable, NamedTuple

import requests

from openstack.cloud import START_SECONDS, Cloud, Keystone
from openstack.looking import APIS, DAEMONS, REAL
from openstack.settings import BAD_DRIVER, BAD_MECHANISMS, write_cinder, write_neutron, write_nova

OPENSTACK = tuple(name for name in REAL if name not in ("mysql", "rabbitmq"))
# The service list says `up` for service_down_time, one minute, after the last report.
LIST_SECONDS = 75.0
CLIENTS = {
    "glance-api": "/v2/images?limit=1",
    "nova-api": "/v2.1/flavors?limit=1",
    "neutron-server": "/v2.0/networks?limit=1",
    "cinder-api": "/v3/limits",
}


class Fault(NamedTuple):
    """One fault. again: look without credentials once more after the deep checks. later: look after so many seconds."""

    name: str
    title: str
    happen: Callable[[Cloud], AbstractContextManager[None]]
    services: tuple[str, ...] = REAL
    again: bool = False
    later: float = 0.0


@contextlib.contextmanager
def nothing(cloud: Cloud) -> Iterator[None]:
    yield


@contextlib.contextmanager
def database_frozen(cloud: Cloud) -> Iterator[None]:
    with cloud.database.frozen():
        yield


@contextlib.contextmanager
def database_frozen_with_clients(cloud: Cloud) -> Iterator[None]:
    """Clients with a valid token send their usual requests and wait. Each of them occupies a worker."""
    headers = Keystone(cloud.place).headers
    urls = [f"http://{cloud.place.api}:{APIS[name]}{path}" for name, path in CLIENTS.items() for _ in range(6)]
    with database_frozen(cloud):
        for url in urls:
            threading.Thread(target=_wait_for, args=(url, headers), daemon=True).start()
        yield


def _wait_for(url: str, headers: dict[str, str]) -> None:
    with contextlib.suppress(requests.RequestException):
        requests.get(url, headers=headers, timeout=120)


@contextlib.contextmanager
def database_dead(cloud: Cloud) -> Iterator[None]:
    cloud.database.kill()
    try:
        yield
    finally:
        cloud.database.restart()


@contextlib.contextmanager
def broker_frozen(cloud: Cloud) -> Iterator[None]:
    with cloud.broker.frozen():
        yield


@contextlib.contextmanager
def broker_dead(cloud: Cloud) -> Iterator[None]:
    cloud.broker.kill()
    try:
        yield
    finally:
        cloud.broker.start()
        cloud.broker.wait_started()


def frozen(name: str) -> Callable[[Cloud], AbstractContextManager[None]]:
    """Freezes all processes of a service."""

    @contextlib.contextmanager
    def happen(cloud: Cloud) -> Iterator[None]:
        with cloud.daemons[DAEMONS[name]].frozen():
            yield

    return happen


def worker_frozen(name: str) -> Callable[[Cloud], AbstractContextManager[None]]:
    """Freezes one of the processes that do a service's work."""

    @contextlib.contextmanager
    def happen(cloud: Cloud) -> Iterator[None]:
        workers = cloud.daemons[DAEMONS[name]].workers()
        if DAEMONS[name] == "neutron-server":  # the titles of its children say what they are
            kind = "rpc worker" if name == "neutron-rpc-server" else "api worker"
            workers = [one for one in workers if kind in " ".join(one.cmdline())]
        pid = workers[0].pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    return happen


def dead(*names: str) -> Callable[[Cloud], AbstractContextManager[None]]:
    @contextlib.contextmanager
    def happen(cloud: Cloud) -> Iterator[None]:
        for name in names:
            cloud.daemons[name].kill()
        try:
            yield
        finally:
            cloud.start_daemons(names)

    return happen


@contextlib.contextmanager
def application_broken(cloud: Cloud) -> Iterator[None]:
    daemon = cloud.daemons["nova-api"]
    daemon.kill()
    write_nova(cloud.place, application="xha_no_such_factory")
    daemon.start()
    daemon.wait_ready(lambda: "no app loaded" in daemon.log.read_text(), START_SECONDS, "uwsgi has no application")
    try:
        yield
    finally:
        write_nova(cloud.place)
        cloud.restart("nova-api")


@contextlib.contextmanager
def volume_driver_broken(cloud: Cloud) -> Iterator[None]:
    daemon = cloud.daemons["cinder-volume"]
    daemon.kill()
    write_cinder(cloud.place, driver=BAD_DRIVER)
    cloud.start_daemons(["cinder-volume"])
    try:
        yield
    finally:
        write_cinder(cloud.place)
        cloud.restart("cinder-volume")


@contextlib.contextmanager
def mechanism_driver_broken(cloud: Cloud) -> Iterator[None]:
    daemon = cloud.daemons["neutron-server"]
    daemon.kill()
    write_neutron(cloud.place, mechanisms=BAD_MECHANISMS)
    daemon.start()
    try:
        daemon.wait_ended(180)
        yield
    finally:
        write_neutron(cloud.place)
        cloud.restart("neutron-server")


ALL = tuple(dict.fromkeys(DAEMONS[name] for name in OPENSTACK))
FAULTS = (
    Fault("none", "nothing is broken", nothing),
    Fault("database-frozen", "the database is frozen (SIGSTOP)", database_frozen, again=True),
    Fault(
        "database-frozen-clients",
        "the database is frozen, and six clients wait at each API",
        database_frozen_with_clients,
        ("keystone", *CLIENTS),
    ),
    Fault("database-dead", "the database is dead (SIGKILL)", database_dead, again=True),
    Fault("broker-frozen", "the broker is frozen (SIGSTOP)", broker_frozen),
    Fault("broker-dead", "the broker is dead (SIGKILL)", broker_dead),
    Fault("keystone-frozen", "keystone is frozen (SIGSTOP to all its processes)", frozen("keystone"), OPENSTACK),
    Fault("keystone-dead", "keystone is dead (SIGKILL)", dead("keystone"), OPENSTACK),
    *(
        Fault(f"worker-frozen-{name}", f"one worker of {name} is frozen (SIGSTOP)", worker_frozen(name), (name,))
        for name in OPENSTACK
    ),
    Fault(
        "conductor-frozen",
        "nova-conductor is frozen (SIGSTOP to all its processes)",
        frozen("nova-conductor"),
        ("nova-api", "nova-conductor", "nova-scheduler"),
        later=LIST_SECONDS,
    ),
    Fault(
        "application-broken",
        "nova-api's application cannot be loaded; its uwsgi runs",
        application_broken,
        ("nova-api", "nova-conductor", "nova-scheduler"),
    ),
    Fault(
        "volume-driver-broken",
        "cinder-volume's driver does not start (LVM, without its tools)",
        volume_driver_broken,
        ("cinder-api", "cinder-scheduler", "cinder-volume"),
        later=LIST_SECONDS,
    ),
    Fault(
        "mechanism-driver-broken",
        "neutron-server has a mechanism driver that cannot be loaded",
        mechanism_driver_broken,
        ("neutron-server", "neutron-rpc-server"),
    ),
    Fault("all-dead", "every OpenStack daemon is dead (SIGKILL)", dead(*ALL), OPENSTACK),
)
