"""What oslo.config and oslo.messaging themselves make of files with messaging; run by an interpreter that has both.

    echo '[[{"nova.conf": "[DEFAULT]..."}, ...], ...]' | python oslo_reference.py

Each case is a list of directories' files: {name: text}, read as a service reads its default files: `*.conf` that is not
in a directory first, then the directories. The answer is a list: for each case {"brokers": [...], "host": ...}, or
{"error": ...}.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

import kombu
import oslo_messaging
from oslo_config import cfg
from oslo_messaging._drivers import common, impl_rabbit

GROUP = "oslo_messaging_rabbit"


def read(files: dict[str, str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        for name, text in files.items():
            path = Path(directory, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        top = [f"{directory}/{name}" for name in ("nova.conf", "nova-conductor.conf") if name in files]
        below = [f"{directory}/{name}" for name in ("nova.conf.d", "nova-conductor.conf.d")]
        conf = cfg.ConfigOpts()
        conf.register_opts([cfg.StrOpt(name) for name in ("host", "my_ip", "password", "a", "b")])
        conf.register_opts([cfg.StrOpt("name"), cfg.StrOpt("password")], "messaging")
        conf([], default_config_files=top, default_config_dirs=[one for one in below if Path(one).is_dir()])
        # registers the options of the driver, too, as the start of a service does
        conf.register_opts(oslo_messaging.transport._transport_opts)
        conf.register_opts(impl_rabbit.rabbit_opts, GROUP)
        url = oslo_messaging.TransportURL.parse(conf)
        driver = common.ConfigOptsProxy(conf, url, GROUP)[GROUP]
        return {"brokers": [broker(url, host, driver) for host in url.hosts or [None]], "host": conf.host}


def broker(url: Any, host: Any, driver: Any) -> dict[str, Any]:
    """The same steps as Connection.__init__ of impl_rabbit.py takes, to the connection that kombu would open."""
    defaults = {}
    if host is None:
        host = oslo_messaging.TransportHost("")
        defaults = {"default_username": "guest", "default_password": "guest", "default_hostname": "localhost"}
    text = impl_rabbit.Connection._transform_transport_url(None, url, host, **defaults)
    told = kombu.Connection(text).info()
    return {
        "host": told["hostname"],
        "port": told["port"],
        "username": told["userid"],
        "password": told["password"],
        "vhost": told["virtual_host"],
        "tls": driver.ssl,
        "ca_file": (driver.ssl_ca_file or None) if driver.ssl else None,
        "cert_file": (driver.ssl_cert_file or None) if driver.ssl else None,
        "key_file": (driver.ssl_key_file or None) if driver.ssl else None,
    }


def main() -> None:
    logging.disable(logging.CRITICAL)
    answers = []
    for files in json.load(sys.stdin):
        try:
            answers.append(read(files))
        except Exception as error:
            answers.append({"error": f"{type(error).__name__}: {error}"[:200]})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
