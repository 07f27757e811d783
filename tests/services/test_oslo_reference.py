"""The parser of a worker's messaging against oslo.config and oslo.messaging themselves, on a corpus.

A case that they refuse is refused, and every other one is read as they read it: hosts, ports, accounts, virtual hosts,
TLS and its files, and the worker's name. oslo_reference.py runs in an environment of its own (rabbit_host.need_oslo).
"""

from __future__ import annotations

import json
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from services.rabbit_host import OSLO_PYTHON, need_oslo
from xha.adapters.rabbitmq.oslo_files import read_options
from xha.core.services.workers.oslo_config import parse_messaging

# --- transport URLs: each host with each path, and single ones

HOSTS = (
    "h1", "h1:5671", "u:p@h1", "u:p@h1:5673", "u:p%40s%3As%2F@h1", "u@h1", ":p@h1", "u:p:q@h1", "u:p@q@h1", "u:p@",
    "u:p@:5673", "[fd00::1]:5672", "[fd00::1]", "fd00::1", "u:p@h1,u:p@h2", "u:p@h1,h2:9", "u:p@h1,,u:p@h2", ",h1,",
    "u:%C3%A4@h1", "u:p+q@h1", "u:p%zz@h1", "", "h-1.example.com", "10.0.0.1:5672",
)  # fmt: skip
PATHS = ("", "/", "/v", "/v%2Fx", "/v%252Fx", "//", "/v/x")
QUERIES = (
    "?ssl=1", "?ssl=True&ssl_ca_file=/ca.pem", "?ssl=0&ssl_ca_file=/ca.pem", "?ssl=on&ssl_cert_file=/c&ssl_key_file=/k",
    "?ssl_ca_file=/a%20b", "?ssl=yes&ssl_ca_file=/a+b", "?ssl=", "?ssl=maybe", "?ssl=1#x", "?", "#x",
)  # fmt: skip
WRONG = (
    "h1", "//h1/", "rabbit:/h1", "rabbit:h1", "rabbit://h1:port/", "rabbit://h1:/", "rabbit://u:p@[fd00::1/", "rabbit://u:p#q@h1/",
)  # fmt: skip
URLS = (
    *(f"rabbit://{host}{path}" for host, path in product(HOSTS, PATHS[1:3])),
    *(f"rabbit://u:p@h1{path}" for path in PATHS),
    *(f"rabbit://u:p@h1/v{query}" for query in QUERIES),
    *WRONG,
    "kombu+rabbit://u:p@h1/",
    "  rabbit://u:p@h1/  ",
)

# --- files

SSL = "[oslo_messaging_rabbit]\nssl = {}\nssl_ca_file = /ca\nssl_cert_file = /cert\nssl_key_file = /key\n"
URL = "transport_url = rabbit://u:p@h1/v\n"
TEXTS = (
    f"[DEFAULT]\n{URL}host = ctl1\n",
    f"[DEFAULT]\n{URL}host: ctl1\n",
    f"[DEFAULT]\n{URL}host = 'ctl1'\n",
    f'[DEFAULT]\n{URL}host = "ctl1\n',
    f"[DEFAULT]\n{URL}host = \"ctl1'\n",
    f'[DEFAULT]\n{URL}host = "\n',
    f"[DEFAULT]\n{URL}host =\n",
    f"[DEFAULT]\n{URL}host = a\nhost = b\n",
    f"[DEFAULT]\n{URL}host = a\n  b\n",
    f"[DEFAULT]\n{URL}host = a\n  # b\n",
    f"[DEFAULT]\n{URL}host = a\n# b\n  c\n",
    f"[DEFAULT]\n{URL}host = a\n\n  c\n",
    f"[DEFAULT]\n{URL}host = a ; b\n",
    f"[DEFAULT]\n{URL}host = a=b\n",
    f"[DEFAULT]\n{URL}debug\n",
    f"[DEFAULT]\n{URL}= x\n",
    f"{URL}[DEFAULT]\nhost = a\n",
    f"[default]\nhost = a\n[DEFAULT]\n{URL}",
    f"[ DEFAULT ]\nhost = a\n[DEFAULT]\n{URL}",
    f"[DEFAULT] \n{URL}",
    f"[DEFAULT\n{URL}",
    f"[]\n[DEFAULT]\n{URL}",
    f"  \n\t\n[DEFAULT]\n{URL}\r\nhost = a\r\n",
    f"[DEFAULT]\n{URL}" + SSL.format("1"),
    f"[DEFAULT]\n{URL}" + SSL.format("true"),
    f"[DEFAULT]\n{URL}" + SSL.format("Off"),
    f"[DEFAULT]\n{URL}" + SSL.format("perhaps"),
    f"[DEFAULT]\n{URL}" + SSL.format("1").replace("oslo", "Oslo"),
    "[DEFAULT]\ntransport_url = rabbit://u:p@h1/?ssl=0\n" + SSL.format("1"),
    "[DEFAULT]\ntransport_url = rabbit://u:p@h1/?ssl_ca_file=/other\n" + SSL.format("1"),
)
VALUES = (
    "pa$$w", r"pa\$w", r"pa\\$w", "pa$", "$ x", "$password", "${password}", "${password}x", "$password.x",
    "${messaging.name}", "${messaging.password}", "$messaging.name", "${missing.name}", "$missing", "${password",
    "$PASSWORD", "$a", "$9", "$$$$", r"\$\$", r"\$password",
)  # fmt: skip
REFERENCES = tuple(
    f"[DEFAULT]\npassword = bare\na = $password\ntransport_url = rabbit://u:{value}@h1/\n"
    "[messaging]\nname = theirs\npassword = $name\n"
    for value in VALUES
)
CASES: tuple[dict[str, str], ...] = (
    *({"nova.conf": f"[DEFAULT]\ntransport_url = {url}\n"} for url in URLS),
    *({"nova.conf": text} for text in (*TEXTS, *REFERENCES)),
    {"nova.conf": f"[DEFAULT]\n{URL}", "nova-conductor.conf": "[DEFAULT]\nhost = own\n"},
    {"nova.conf": f"[DEFAULT]\n{URL}host = a\n", "nova.conf.d/10.conf": "[DEFAULT]\nhost = b\n"},
    {
        "nova.conf": f"[DEFAULT]\n{URL}",
        "nova.conf.d/2.conf": "[DEFAULT]\nhost=2\n",
        "nova.conf.d/10.conf": "[DEFAULT]\nhost=10",
    },
    {"nova.conf": f"[DEFAULT]\n{URL}", "nova.conf.d/x.txt": "[DEFAULT]\nhost = x\n"},
    {"nova.conf": f"[DEFAULT]\n{URL}", "nova.conf.d/.x.conf": "[DEFAULT]\nhost = x\n"},
    {
        "nova.conf": f"[DEFAULT]\n{URL}",
        "nova-conductor.conf": "[DEFAULT]\nhost = a\n",
        "nova.conf.d/z.conf": "[DEFAULT]\nhost = b\n",
        "nova-conductor.conf.d/a.conf": "[DEFAULT]\nhost = c\n",
    },
    {"nova.conf": "[DEFAULT]\nhost = a\n", "nova.conf.d/secret.conf": f"[DEFAULT]\n{URL}"},
    {"nova.conf": f"[DEFAULT]\n{URL}", "nova.conf.d/bad.conf": "[DEFAULT]\nbad\n"},
)


@pytest.fixture(scope="module")
def reference() -> list[dict[str, Any]]:
    """What oslo makes of every case."""
    need_oslo()
    script = Path(__file__).with_name("oslo_reference.py")
    argv = [str(OSLO_PYTHON), "-W", "ignore", str(script)]
    done = subprocess.run(argv, input=json.dumps(CASES), capture_output=True, text=True, timeout=300, check=True)
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def ours(directory: Path, files: dict[str, str]) -> dict[str, Any]:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    try:
        messaging = parse_messaging(read_options(str(directory / "nova.conf"), "nova-conductor"))
    except ValueError as error:
        return {"error": str(error)}
    return {"brokers": [one._asdict() for one in messaging.brokers], "host": messaging.host}


def test_the_corpus_is_one() -> None:
    assert len(CASES) > 100


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_case_is_read_as_oslo_reads_it(number: int, reference: list[dict[str, Any]], tmp_path: Path) -> None:
    theirs, own = reference[number], ours(tmp_path, CASES[number])
    assert ("error" in own) == ("error" in theirs), (CASES[number], own, theirs)
    if "error" not in theirs:
        assert own == theirs, CASES[number]
