"""The daemons of the controller: how Debian starts them, and how to tell that they have started."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import NamedTuple

import psutil
import requests

from loopback import Daemon, Net, wait_until
from openstack.settings import BACKEND, HOST, Place


class Program(NamedTuple):
    """One daemon. port and path: of an API. queues: of a worker; they exist with a consumer once it listens."""

    name: str
    project: str
    words: tuple[str, ...]
    uwsgi: bool = False
    port: int = 0
    path: str = "/"
    queues: tuple[str, ...] = ()


def _api(name: str, project: str, port: int, path: str, *words: str) -> Program:
    return Program(name, project, words, True, port, path)


NOVA = ("--config-file={etc}/nova.conf",)
NEUTRON = ("--config-file={etc}/neutron.conf", "--config-file={etc}/ml2_conf.ini")
CINDER = ("--config-file={etc}/cinder.conf",)
PROGRAMS = (
    _api("keystone", "keystone", 5000, "/v3", "{etc}/keystone-uwsgi.ini"),
    Program("glance-api", "glance", ("--config-file={etc}/glance-api.conf",), port=9292, path="/healthcheck"),
    _api("placement-api", "placement", 8778, "/", "{etc}/placement-api-uwsgi.ini"),
    _api("nova-api", "nova", 8774, "/", "{etc}/nova-api-uwsgi.ini"),
    Program("nova-conductor", "nova", NOVA, queues=(f"conductor.{HOST}",)),
    Program("nova-scheduler", "nova", NOVA, queues=(f"scheduler.{HOST}",)),
    Program("nova-novncproxy", "nova", (*NOVA, "--web={novnc}"), port=6080, path="/vnc_lite.html"),
    Program(
        "neutron-server",
        "neutron",
        NEUTRON,
        port=9696,
        path="/healthcheck",
        queues=(f"q-plugin.{HOST}", f"q-reports-plugin.{HOST}"),
    ),
    _api("cinder-api", "cinder", 8776, "/healthcheck", "{etc}/cinder-api-uwsgi.ini", "--pyargv", *CINDER),
    Program("cinder-scheduler", "cinder", CINDER, queues=(f"cinder-scheduler.{HOST}",)),
    Program("cinder-volume", "cinder", CINDER, queues=(f"cinder-volume.{HOST}@{BACKEND}",)),
)


class OpenStackDaemon(Daemon):
    """One of the programs while it runs."""

    def __init__(self, net: Net, place: Place, program: Program) -> None:
        self.program, self.place = program, place
        log = place.directory / "log" / f"{program.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(net, self._argv(), log, env=daemon_environment(place))

    def _argv(self) -> list[str]:
        program, place = self.program, self.place
        names = {"etc": place.etc(program.project)}
        if program.name == "nova-novncproxy":
            names["novnc"] = Path(place.share("novnc"))
        words = [word.format(**names) for word in program.words]
        if program.uwsgi:  # as in its init script
            return [place.tree.uwsgi, "--http-socket", f"{place.api}:{program.port}", "--ini", *words]
        return [*place.tree.program(program.name), *words]

    def start(self) -> None:
        """Start it once the broker has noticed the end of the previous one, which would be taken for this one."""
        if self.program.queues:
            wait_until(lambda: not self._listens(), 60, f"the queues of the last {self.program.name} are forsaken")
        super().start()

    def is_ready(self) -> bool:
        return self._answers() and self._listens()

    def _answers(self) -> bool:
        if not self.program.port:
            return True
        url = f"http://{self.place.api}:{self.program.port}{self.program.path}"
        try:
            return requests.get(url, timeout=10).status_code == 200
        except requests.RequestException:
            return False

    def _listens(self) -> bool:
        from loopback.rabbitmq import API_PORT, PASSWORD, USER

        for queue in self.program.queues:
            url = f"http://{self.place.broker}:{API_PORT}/api/queues/%2F/{queue}"
            try:
                answer = requests.get(url, auth=(USER, PASSWORD), timeout=10)
                if answer.status_code != 200 or not answer.json().get("consumers"):
                    return False
            except requests.RequestException:
                return False
        return True

    def processes(self) -> list[psutil.Process]:
        """Its main process and all descendants, oldest first."""
        main = psutil.Process(self.pid)
        return [main, *sorted(main.children(recursive=True), key=lambda one: one.create_time())]

    def workers(self) -> list[psutil.Process]:
        """The processes that do its work: its children, or itself if it has none."""
        main, *children = self.processes()
        return children or [main]

    def freeze(self) -> None:
        """Freeze all of its processes."""
        for process in self.processes():
            os.kill(process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for process in self.processes():
            os.kill(process.pid, signal.SIGCONT)


def daemon_environment(place: Place) -> dict[str, str]:
    """The environment in which the packages' files of /etc are below the run's directory."""
    home = place.directory / "home"
    home.mkdir(parents=True, exist_ok=True)
    return place.tree.environment(
        home,
        OS_KEYSTONE_CONFIG_DIR=str(place.etc("keystone")),
        OS_NOVA_CONFIG_DIR=str(place.etc("nova")),
        OS_PLACEMENT_CONFIG_DIR=str(place.etc("placement")),
        TMPDIR=str(home),
    )
