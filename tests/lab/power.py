"""The power switch, which stands for a host's management board. `python -m lab.power NAME` serves it on the bridge.

There is one request on each connection, one line: `on HOST`, `off HOST` or `status HOST`. The answer is one line, `on`,
`off` or `error ...`, once it is done. Hosts reach the switch over the network as a fence device, so a host that was cut
off cannot fence the others.
"""

from __future__ import annotations

import socketserver
import sys
import threading

from lab.host import Host
from lab.laboratory import Laboratory
from lab.place import POWER, POWER_PORT, Place


class Switch(socketserver.ThreadingTCPServer):
    """The listening socket. It handles one request at a time for each host: two hosts may ask to shoot a third."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, lab: Laboratory) -> None:
        super().__init__((POWER, POWER_PORT), Request)
        self.lab = lab
        self.turn = {host.name: threading.Lock() for host in lab}


class Request(socketserver.StreamRequestHandler):
    timeout = 5
    server: Switch

    def handle(self) -> None:
        action, _, name = self.rfile.readline(100).decode(errors="replace").strip().partition(" ")
        self.wfile.write(f"{self.answer(action, name)}\n".encode())

    def answer(self, action: str, name: str) -> str:
        if name not in self.server.lab.hosts:
            return f"error no host {name!r}"
        host = self.server.lab[name]
        with self.server.turn[name]:
            return act(action, host)


def act(action: str, host: Host) -> str:
    """Do `action` to `host`. Return its state afterwards, or what is wrong with the request."""
    if action == "on":
        host.power_on()
    elif action == "off":
        host.power_off()
    elif action != "status":
        return f"error no action {action!r}"
    return "on" if host.has_power() else "off"


if __name__ == "__main__":
    Switch(Laboratory(Place(sys.argv[1]))).serve_forever()
