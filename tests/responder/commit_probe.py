"""What docs/commits.md asks an operator to create, so that a responder knows whether a node commits."""

from __future__ import annotations

from loopback import Node
from responder.process import ACCOUNT

TABLE = "(node VARCHAR(255) NOT NULL PRIMARY KEY, at TIMESTAMP(3) NOT NULL) ENGINE=InnoDB"


def prepare_commit_probe(node: Node) -> None:
    """Create the responder's account, its table and its rights."""
    node.create_account(f"{ACCOUNT}@localhost")
    node.sql("CREATE DATABASE IF NOT EXISTS xha")
    node.sql(f"CREATE TABLE IF NOT EXISTS xha.canary {TABLE}")
    node.sql(f"GRANT SELECT, INSERT, UPDATE ON xha.canary TO {ACCOUNT}@localhost")
    node.sql(f"GRANT PROCESS ON *.* TO {ACCOUNT}@localhost")
