"""Databases beside the shared ones: with TLS and IPv6, and without Galera."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from loopback import Cluster, Net, Node, find_program

HOST, LONE_HOST, PLAIN_HOST = "::1", 61, 62
OTHER_PORT = 13000


def make_certificate(directory: Path) -> None:
    """A certificate for the address ::1, signed by itself: cert.pem and key.pem."""
    directory.mkdir(parents=True)
    subject = ["-subj", "/CN=xha-test", "-addext", "subjectAltName=IP:::1"]
    keys = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    files = ["-keyout", str(directory / "key.pem"), "-out", str(directory / "cert.pem")]
    openssl = find_program("openssl", "openssl")
    subprocess.run([openssl, "req", "-x509", *keys, *subject, *files], check=True, capture_output=True)
    (directory / "key.pem").chmod(0o644)  # mysqld runs as another user
    directory.chmod(0o755)


def tls_node(net: Net) -> Node:
    """A node that offers TLS, and listens on ::1 too, on a port that goes with the network and is nobody else's."""
    certificate = net.directory / "certificate"
    make_certificate(certificate)
    address = net.address(LONE_HOST)
    port = OTHER_PORT + int(net.prefix.rpartition(".")[2])
    options = [
        f"--port={port}",
        f"--bind-address={address},{HOST}",
        f"--ssl-cert={certificate}/cert.pem",
        f"--ssl-key={certificate}/key.pem",
    ]
    node = Node(net, net.directory / "tls", address, options=options)
    node.port = port
    return node


def plain_server(net: Net) -> Node:
    """A MariaDB server without Galera; ready once it accepts connections."""
    options = ["--wsrep-on=OFF", "--wsrep-provider=none"]
    return Node(net, net.directory / "plain", net.address(PLAIN_HOST), options=options)


@contextlib.contextmanager
def patient(members: Cluster) -> Iterator[None]:
    """Members that do not give up one that is frozen for some seconds."""
    try:
        for node in members.nodes:
            node.set_provider_seconds("evs.inactive_timeout", 60)
            node.set_provider_seconds("evs.suspect_timeout", 40)
        yield
    finally:
        for node in members.nodes:
            node.set_provider_seconds("evs.suspect_timeout", 5)
            node.set_provider_seconds("evs.inactive_timeout", 15)
