"""Galera nodes of one cluster: started, disturbed, repaired and stopped together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pymysql

from loopback.addresses import Net
from loopback.daemon import Disposable, NotInTime, wait_until
from loopback.galera import Node


class Cluster(Disposable):
    """Nodes on consecutive addresses of one network, started and stopped together."""

    def __init__(self, net: Net, directory: Path, size: int = 3, *, first_host: int = 11, **node_options: Any) -> None:
        addresses = [net.address(first_host + index) for index in range(size)]
        self.nodes = [
            Node(
                net,
                directory / f"node-{index}",
                address,
                name=f"node-{index}",
                members=addresses,
                **node_options,
            )
            for index, address in enumerate(addresses, start=1)
        ]

    def start(self) -> None:
        """Bootstrap the first node and let the others join; returns when all are Synced."""
        first, *others = self.nodes
        first.bootstrap()
        first.wait_synced()
        for node in others:
            node.start()
        for node in others:
            node.wait_synced()

    def create_account(self, account: str, how: str = "") -> None:
        """As Node.create_account; returns when every running member has applied it, and whoever logs in there may."""
        first, *others = [node for node in self.nodes if node.is_running()]
        first.create_account(account, how)
        accounts = "SELECT User, Host, Priv FROM mysql.global_priv ORDER BY User, Host"
        wanted = wait_until(lambda: first.tells(accounts), 60, f"{first.address} tells its accounts")
        for node in others:
            wait_until(
                lambda node=node: node.tells(accounts) == wanted,  # type: ignore[misc]
                60,
                f"{node.address} has applied {account}",
            )

    def mend(self) -> None:
        """Bring every node back to Synced, whatever a test did to it; start all again if no node is left."""
        for node in self.nodes:
            if node.is_running():
                node.thaw()
        if not self._has_primary():
            self.kill()
            self.start()
            return
        for node in self.nodes:
            if not node.is_running():
                node.start()
        self._wait_synced()
        # A node that was thawed reports Synced until it notices that the others have excluded it.
        self.wait_size(len(self.nodes), 60)
        self._wait_synced()

    def _wait_synced(self) -> None:
        for node in self.nodes:
            node.wait_synced()

    def _has_primary(self, seconds: float = 15) -> bool:
        """Return whether a node is Synced within `seconds`. Without one, no node can join.

        Nodes that a freeze has separated need a while to find each other.
        """
        running = [node for node in self.nodes if node.is_running()]
        if not running:
            return False
        try:
            return wait_until(lambda: any(node.is_synced() for node in running), seconds, "a node is Synced")
        except NotInTime:
            return False

    def stop(self) -> None:
        """Shut down the nodes one after the other, the first one last: it may bootstrap again."""
        for node in reversed(self.nodes):
            node.stop()

    def kill(self) -> None:
        for node in self.nodes:
            node.kill()

    def wait_size(self, size: int, seconds: float = 90) -> None:
        """Wait until every running node sees a primary component with this many members."""
        expected = {"wsrep_cluster_size": str(size), "wsrep_cluster_status": "Primary"}

        def agreed() -> bool:
            running = [node for node in self.nodes if node.is_running()]
            try:
                return all(node.status(*expected) == expected for node in running)
            except pymysql.MySQLError:  # one that was just thawed may not answer yet
                return False

        wait_until(agreed, seconds, f"a primary component of {size}")
