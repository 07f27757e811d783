"""A real oslo.messaging RPC server, as nova and cinder start theirs; run by an interpreter that has the library.

    python oslo_server.py NAME TRANSPORT_URL_FILE EXCHANGE TOPIC HOST nova|plain|ping|backend

nova: with the endpoint of nova/baserpc.py. plain: only with methods of its own. ping: with rpc_ping_enabled. backend:
as cinder-volume since Ocata, with a second server (cinder/service.py). NAME is in the command line, like the names of
real workers.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import oslo_messaging
from oslo_config import cfg


class BaseApi:
    target = oslo_messaging.Target(namespace="baseapi", version="1.1")

    def __init__(self, topic: str) -> None:
        self.topic = topic

    def ping(self, context: object, arg: object) -> dict[str, object]:
        return {"service": self.topic, "arg": arg}


class Manager:
    target = oslo_messaging.Target(version="3.0")

    def create(self, context: object) -> None:
        raise RuntimeError("nobody calls this")


def main(url_file: str, exchange: str, topic: str, host: str, kind: str) -> None:
    conf = cfg.CONF
    own = Path(url_file).with_name("server.conf")
    own.write_text(f"[DEFAULT]\nrpc_ping_enabled = {kind == 'ping'}\n")
    conf(["--config-file", str(own)], project="test")
    oslo_messaging.set_transport_defaults(exchange)
    transport = oslo_messaging.get_rpc_transport(conf, url=Path(url_file).read_text().strip())
    endpoints = [BaseApi(topic)] if kind == "nova" else [Manager()]
    targets = [oslo_messaging.Target(topic=topic, server=host)]
    if kind == "backend":
        targets.append(oslo_messaging.Target(topic=f"{topic}.{host}", server=host.partition("@")[0]))
    for target in targets:
        oslo_messaging.get_rpc_server(transport, target, endpoints, executor="threading").start()
    print("listening", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[2:])
