"""The time of a check of RabbitMQ whose broker works, and whose management API and rabbitmqctl both hang."""

from __future__ import annotations

import socket
from pathlib import Path

from xha.adapters.process.alarm import CheckStep, start_timer, stop_timer
from xha.app.checks.rabbitmq import _read_cluster
from xha.core.services.model.kind import Secret
from xha.core.services.rabbitmq.table import RabbitSettings


def test_an_api_and_a_rabbitmqctl_that_both_hang_leave_the_check_its_end(tmp_path: Path) -> None:
    """A broker that has taken and returned a message is not down because nobody tells of its cluster."""
    program = tmp_path / "rabbitmqctl"
    program.write_text("#!/bin/sh\nsleep 60\n")
    program.chmod(0o755)
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    deadline = 5.0
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = RabbitSettings(
            "rabbitmq",
            "^no-such-process",
            deadline,
            username="xha",
            password_file=Secret(str(secret)),
            api=f"http://127.0.0.1:{silent.getsockname()[1]}",
            rabbitmqctl=str(program),
        )
        start_timer(deadline)
        try:
            cluster = _read_cluster(settings, CheckStep(proved="a round trip"))
        finally:
            stop_timer()
    assert cluster.nodes is None
    assert "/api/nodes (no answer in time)" in cluster.gaps
