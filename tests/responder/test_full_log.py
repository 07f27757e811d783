"""A full binary log, on a real file system. The server tries again once a minute, so that this one waits for that long.

It freezes nothing, as test_commits.py does, and fills only a disk of its own: it runs beside other tests.
"""

from __future__ import annotations

import subprocess
import time
from typing import Callable

from loopback import Node
from loopback.doors import door
from responder.process import Responder
from responder.test_commits import Disks, Writer, disks, follow, until

__all__ = ["disks", "follow"]  # fixtures of another module


def test_a_full_binary_log_of_a_lone_node_is_red_and_names_the_disk(
    disks: Disks, follow: Callable[[Node], Responder], tell: Callable[[str], None]
) -> None:
    responder = follow(disks.node)
    with Writer(disks.node) as writer:
        disks.disks["log"].fill()
        try:
            writer.wait_stands()
            until(lambda: responder.verdict() == (503, "cannot-commit"), "log full: red", writer.last, tell)
            message = responder.node()["verdict"]["message"]
            assert f"no room on log_bin {disks.disks['log'].path}: 0 of " in message
            words = [door("xha-check"), "node", "--config", str(responder.config)]
            said = subprocess.run(words, capture_output=True, text=True, check=False)
            assert (said.returncode, "cannot-commit" in said.stdout) == (2, True), "it believes the responder's file"
            assert "no room on log_bin" in said.stdout
        finally:
            disks.disks["log"].mend()
        # The server tries again once a minute ("Expect up to 60 secs delay").
        writer.wait_writes(120)
        until(lambda: responder.verdict() == (200, "synced"), "log has room: green", time.monotonic(), tell)
