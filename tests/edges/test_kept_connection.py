"""Attributes by a kept connection to a real attribute daemon: what the tool says, and what comes of no answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from loopback import Net
from loopback.doors import CHECKOUT
from services.pacemaker import NODE, PacemakerNode
from xha.adapters.pacemaker.kept_connection import NoConnection, parse_answer, render_question

# In the cluster's namespaces: the connection, and the tool beside it.
ASKED = """
import json, os, signal, socket, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
from xha.adapters.pacemaker.cluster import Pacemaker
from xha.adapters.pacemaker.kept_connection import KeptConnection
kept, tool = KeptConnection(1.0), Pacemaker(sys.argv[2])
said = {}
def ask(name):
    began = time.monotonic()
    try:
        return kept.read_attribute(name)
    except TimeoutError:
        return time.monotonic() - began
def arrives(values):
    # attrd_updater ends before the daemon has the value back from the cluster.
    until = time.monotonic() + 60
    while tool.read_attribute("xha-db-report") != values and time.monotonic() < until:
        time.sleep(0.05)
def answer(name):
    # On a busy machine it may be late, and is then asked again.
    until = time.monotonic() + 60
    while isinstance(found := ask(name), float) and time.monotonic() < until:
        pass
    return found
tool.set_private("xha-db-report", '{"a": "<&\\\\"b"}')
arrives({sys.argv[2]: '{"a": "<&\\\\"b"}'})
said["a value"] = (answer("xha-db-report"), tool.read_attribute("xha-db-report"))
said["unknown"] = (answer("xha-no-such"), tool.read_attribute("xha-no-such"))
tool.delete_attribute("xha-db-report")
arrives({})
said["deleted"] = (answer("xha-db-report"), tool.read_attribute("xha-db-report"))
tool.set_private("xha-db-report", "y" * 20000)
arrives({sys.argv[2]: "y" * 20000})
said["large"] = len(answer("xha-db-report")[sys.argv[2]])
[daemon] = map(int, subprocess.run(["pidof", "pacemaker-attrd"], stdout=subprocess.PIPE, text=True).stdout.split())
os.kill(daemon, signal.SIGSTOP)
said["frozen"] = [ask("xha-db-report"), ask("xha-db-report")]
os.kill(daemon, signal.SIGCONT)
said["thawed"] = len(answer("xha-db-report")[sys.argv[2]])
os.kill(daemon, signal.SIGKILL)
def is_back():
    kept._again_at = float("-inf")
    return ask("xha-no-such") == {}
until = time.monotonic() + 60
while not is_back() and time.monotonic() < until:
    time.sleep(0.1)
said["started anew"] = answer("xha-no-such")
print(json.dumps(said))
"""
# Another account listens by the daemon's name, in a network namespace of its own.
IMPOSTOR = """
import os, signal, socket, sys, time
sys.path.insert(0, sys.argv[1])
from xha.adapters.pacemaker.kept_connection import KeptConnection
ready, tells = os.pipe()
other = os.fork()
if not other:
    os.setuid(65534)
    signal.alarm(30)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\\0attrd".ljust(108, "\\0"))  # libqb pads it
        listener.listen()
        os.write(tells, b"!")
        client, _ = listener.accept()
        os.write(tells, b"%d" % len(client.recv(100)))
        os._exit(0)
os.read(ready, 1)
print(KeptConnection(1.0).read_attribute("a"), end=" ")
os.waitpid(other, 0)
print(os.read(ready, 9).decode())
"""


@pytest.fixture(scope="module")
def node(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacemakerNode]:
    with PacemakerNode(net, tmp_path_factory.mktemp("pacemaker")) as one:
        yield one


def run(node: PacemakerNode, script: str) -> Any:
    argv = [*node.enter, sys.executable, "-c", script, str(CHECKOUT / "lib"), NODE]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    return json.loads(done.stdout)


def test_it_says_what_the_tool_says(node: PacemakerNode) -> None:
    said = run(node, ASKED)
    value = {NODE: '{"a": "<&\\"b"}'}
    assert said["a value"] == [value, value]
    assert said["unknown"] == said["deleted"] == [{}, {}]
    assert said["large"] == said["thawed"] == 20000
    assert len(said["frozen"]) == 2
    assert all(1.0 <= silent < 20.0 for silent in said["frozen"]), said["frozen"]
    assert said["started anew"] == {}


def answer(text: str, number: int = 7, **changes: int) -> bytes:
    """An answer of the daemon's own, with other figures in its header."""
    body = text.encode() + b"\0"
    header = {"size": 40 + len(body), "error": 0, "length": len(body), "compressed": 0, "version": 1, **changes}
    words = (number, 0, header["size"], 0, header["error"], 0, header["length"], header["compressed"], 0)
    return b"".join(word.to_bytes(4, "little", signed=True) for word in (*words, header["version"])) + body


GOOD = '<reply t="attrd" subt="query" attr_name="a"><node attr_host="n1" attr_value="1"/><node attr_host="n2"/></reply>'


def test_an_answer_is_read_and_one_to_another_question_is_none() -> None:
    assert parse_answer(answer(GOOD), 7, "a") == {"n1": "1"}
    assert parse_answer(answer('<reply t="attrd" subt="query"/>'), 7, "a") == {}
    assert parse_answer(answer(GOOD), 8, "a") is None
    number, size = (int.from_bytes(render_question(7, "a")[at : at + 4], "little") for at in (0, 8))
    assert (number, size) == (7, len(render_question(7, "a")))


@pytest.mark.parametrize(
    "message",
    [
        b"",
        answer(GOOD)[:-1],
        answer(GOOD, compressed=5),
        answer(GOOD, version=2),
        answer(GOOD, error=-22),
        answer(GOOD, length=3),
        answer("<reply"),
        answer(GOOD.replace("query", "update")),
        answer(GOOD.replace('"a"', '"b"')),
        answer("<ack status='0'/>"),
    ],
)
def test_what_is_no_answer_leaves_it_to_the_tool(message: bytes) -> None:
    with pytest.raises(NoConnection):
        parse_answer(message, 7, "a")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another account")
def test_who_took_the_daemon_s_name_is_not_asked() -> None:
    """Any account may take an abstract name while Pacemaker does not run. It gets the greeting, and no more."""
    argv = ["unshare", "--net", "--", sys.executable, "-c", IMPOSTOR, str(CHECKOUT / "lib")]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    said, greeting = done.stdout.split()
    assert said == "None"
    assert int(greeting) <= 24  # libqb's request for a connection, of which nothing is ours
