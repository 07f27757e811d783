"""One controller with its database and its broker: built from nothing, disturbed, repaired, ended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from typing import Any

import requests

from loopback import Daemon, Died, Net, Node
from loopback.daemon import Disposable
from loopback.rabbitmq import Rabbits
from openstack.packages import Tree
from openstack.programs import CINDER, NEUTRON, NOVA, PROGRAMS, OpenStackDaemon, daemon_environment
from openstack.settings import ACCOUNTS, DATABASES, Place, new_passwords, write_settings

API_HOST, DATABASE_HOST = 31, 11
# The daemons that start before the others: nova's workers end if they do not find placement.
FIRST = ("keystone", "placement-api")
START_SECONDS = 180.0  # for twenty processes that import half a gigabyte of Python on two busy cores
SYNC_SECONDS = 600.0
MEMBER, PROJECT, REGION = "xha", "xha", "RegionOne"
CATALOG = {"identity": 5000, "image": 9292, "compute": 8774, "network": 9696, "volumev3": 8776, "placement": 8778}


@contextlib.contextmanager
def progress(what: str) -> Iterator[None]:
    """Print what is being waited for, and how long it took."""
    print(f"openstack: {what} ...", end=" ", flush=True)
    began = time.monotonic()
    yield
    print(f"{time.monotonic() - began:.1f} s", flush=True)


class Cloud(Disposable):
    """daemons: by name. All of them need database and broker."""

    def __init__(self, net: Net, tree: Tree) -> None:
        self.net, self.directory = net, net.directory / "openstack"
        self.directory.mkdir(mode=0o711)
        # nova and neutron alone keep about fifty connections
        options = ("--max-connections=400", "--innodb-buffer-pool-size=128M")
        self.database = Node(net, net.directory / "database", net.address(DATABASE_HOST), options=options)
        self.rabbits = Rabbits(net, net.directory / "rabbits")
        self.broker = self.rabbits.brokers[0]
        self.place = Place(
            tree,
            self.directory,
            net.address(API_HOST),
            self.database.address,
            self.broker.address,
            new_passwords(),
        )
        self.daemons = {one.name: OpenStackDaemon(net, self.place, one) for one in PROGRAMS}

    def start(self) -> None:
        """Build everything from nothing. Returns when every daemon answers."""
        write_settings(self.place)
        with progress("the database and the broker start"):
            self.database.bootstrap()
            self.rabbits.start()
            self.database.wait_synced()
            self._create_databases()
        with progress("every service makes its tables"):
            self._sync()
        with progress("keystone starts, and has its accounts made"):
            self.start_daemons(["keystone"])
            self._create_accounts()
        with progress("the other services start"):
            self.start_daemons(name for name in self.daemons if name != "keystone")

    def start_daemons(self, names: Iterable[str]) -> None:
        """Start the daemons, first those that others call when they start, and wait until all are ready."""
        wanted = set(names)
        for group in (*({name} for name in FIRST), self.daemons.keys() - set(FIRST)):
            daemons = [daemon for name, daemon in self.daemons.items() if name in group & wanted]
            for daemon in daemons:
                daemon.start()
            for daemon in daemons:
                daemon.wait_ready(daemon.is_ready, START_SECONDS, f"{daemon.program.name} is ready")

    def restart(self, *names: str) -> None:
        for name in names:
            self.daemons[name].kill()
        self.start_daemons(names)

    def kill(self) -> None:
        """End everything, each service before the daemons whose end it would report."""
        for daemon in self.daemons.values():
            daemon.kill()
        self.rabbits.kill()
        self.database.kill()

    def _create_databases(self) -> None:
        self.database.sql(f"CREATE USER openstack IDENTIFIED BY '{self.place.passwords['database']}'")
        for name in DATABASES:
            self.database.sql(f"CREATE DATABASE {name} CHARACTER SET utf8")
            self.database.sql(f"GRANT ALL ON {name}.* TO openstack")

    def _sync(self) -> None:
        """Two at a time: each is one busy process, and a database that waits for it."""
        password = self.place.passwords["admin"]
        keystone = ("--config-file={etc}/keystone.conf",)
        bootstrap = (f"--bootstrap-password={password}", f"--bootstrap-region-id={REGION}")
        account = ("--keystone-user=root", "--keystone-group=root")
        first = (
            ("keystone", "keystone-manage", *keystone, "db_sync"),
            ("keystone", "keystone-manage", *keystone, "fernet_setup", *account),
            ("keystone", "keystone-manage", *keystone, "bootstrap", *bootstrap),
            ("glance", "glance-manage", "--config-file={etc}/glance-api.conf", "db_sync"),
            ("cinder", "cinder-manage", *CINDER, "db", "sync"),
            ("placement", "placement-manage", "--config-file={etc}/placement.conf", "db", "sync"),
        )
        second = (
            ("nova", "nova-manage", *NOVA, "api_db", "sync"),
            ("nova", "nova-manage", *NOVA, "cell_v2", "map_cell0"),
            ("nova", "nova-manage", *NOVA, "cell_v2", "create_cell", "--name=cell1"),
            ("nova", "nova-manage", *NOVA, "db", "sync"),
            ("neutron", "neutron-db-manage", *NEUTRON, "upgrade", "heads"),
        )
        queues = [list(first), list(second)]
        running: dict[int, tuple[Daemon, str]] = {}
        deadline = time.monotonic() + SYNC_SECONDS
        try:
            while queues[0] or queues[1] or running:
                for number, queue in enumerate(queues):
                    if number not in running and queue:
                        running[number] = self._run(*queue.pop(0)), str(number)
                for number, (daemon, _) in list(running.items()):
                    if not daemon.is_running():
                        del running[number]
                        if daemon.exit_code:
                            raise Died(f"{' '.join(daemon.argv)} exited with {daemon.exit_code}:\n{daemon.tail()}")
                if time.monotonic() > deadline:
                    raise Died(f"the tables are not made within {SYNC_SECONDS:g} s")
                time.sleep(0.05)
        finally:
            for daemon, _ in running.values():
                daemon.kill()

    def _run(self, project: str, program: str, *words: str) -> Daemon:
        etc = self.place.etc(project)
        argv = [*self.place.tree.program(program), *(word.format(etc=etc) for word in words)]
        daemon = Daemon(self.net, argv, self.directory / f"{program}.log", env=daemon_environment(self.place))
        daemon.start()
        return daemon

    def _create_accounts(self) -> None:
        """One account for each service as in its file, and one for xha: a plain member of a project of its own."""
        keystone = Keystone(self.place)
        service, own = keystone.create("project", "service"), keystone.create("project", PROJECT)
        for name in ACCOUNTS:
            user = keystone.create("user", name, password=self.place.passwords[name])
            keystone.grant(service, user, keystone.role("admin"))
        for kind, port in CATALOG.items():
            keystone.publish(kind, f"http://{self.place.api}:{port}")
        member = keystone.create("user", MEMBER, password=self.place.passwords["member"])
        keystone.grant(own, member, keystone.role("member"))


class Keystone:
    """The part of the Identity API that is needed to create accounts."""

    def __init__(self, place: Place) -> None:
        self._url = f"{place.keystone}/v3"
        user = {"name": "admin", "domain": {"id": "default"}, "password": place.passwords["admin"]}
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        document = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        answer = requests.post(f"{self._url}/auth/tokens", json=document, timeout=60)
        answer.raise_for_status()
        self.headers = {"X-Auth-Token": answer.headers["X-Subject-Token"]}

    def create(self, kind: str, name: str, **more: str) -> str:
        """Create a project or a user and return its id."""
        return str(self._post(f"{kind}s", {kind: {"name": name, "domain_id": "default", **more}})[kind]["id"])

    def publish(self, kind: str, url: str) -> None:
        """Register a service's address in the catalogue."""
        service = self._post("services", {"service": {"type": kind, "name": kind}})["service"]["id"]
        for interface in ("public", "internal"):
            endpoint = {"service_id": service, "interface": interface, "url": url, "region_id": REGION}
            self._post("endpoints", {"endpoint": endpoint})

    def _post(self, path: str, document: object) -> Any:
        answer = requests.post(f"{self._url}/{path}", json=document, headers=self.headers, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def role(self, name: str) -> str:
        answer = requests.get(f"{self._url}/roles", params={"name": name}, headers=self.headers, timeout=60)
        answer.raise_for_status()
        return str(answer.json()["roles"][0]["id"])

    def grant(self, project: str, user: str, role: str) -> None:
        url = f"{self._url}/projects/{project}/users/{user}/roles/{role}"
        requests.put(url, headers=self.headers, timeout=60).raise_for_status()
