"""The alert rules under promtool, and every query of the dashboard in a real Prometheus with a real responder."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loopback import Net, Node, find_program, wait_until
from loopback.daemon import Daemon
from loopback.files import put
from responder.conftest import MakeResponder
from responder.process import Responder
from responder.writers import OWN_RUN
from xha.adapters.files.agent_rundir import RunDir
from xha.core.monitor.keeper_status import KeeperStatus, Phase
from xha.core.monitor.keeper_tally import KeeperTally

PAGES = Path(__file__).parents[2] / "docs/monitoring"
DASHBOARD = json.loads((PAGES / "dashboard.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
ALERTS = re.findall(r"- alert: (\w+)", (PAGES / "alerts.yml").read_text())
EXPRESSIONS = re.findall(r"^ +expr: (.*)", (PAGES / "alerts.yml").read_text(), re.M)
# A probe is sent where its table exists, and disks are measured where the server is local: not in every test.
MAY_BE_EMPTY = ("xha_commit_probe_seconds",)


def promtool(*words: str) -> None:
    argv = [find_program("promtool", "prometheus"), *words]
    result = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False, cwd=PAGES)
    assert result.returncode == 0, result.stdout + result.stderr


def test_each_alert_fires_where_it_is_due_and_is_silent_where_it_is_not() -> None:
    promtool("test", "rules", "alerts.test.yml")


def test_the_configuration_is_valid_and_each_alert_is_tried() -> None:
    promtool("check", "config", "prometheus.yml")
    tried = (PAGES / "alerts.test.yml").read_text()
    assert [name for name in ALERTS if len(re.findall(rf"\b{name}\b", tried)) < 2] == []


class Prometheus:
    """A real Prometheus with a responder and a port where nobody listens as its targets."""

    def __init__(self, net: Net, directory: Path, responder: Responder) -> None:
        self.address = f"{net.next_address()}:9090"
        host, port = responder.address
        text = (PAGES / "prometheus.yml").read_text().replace("15s", "1s")
        text = re.sub(r"targets: \[.*\]", f'targets: ["{host}:{port}", "{net.next_address()}:49000"]', text)
        put(directory / "prometheus.yml", text)
        put(directory / "alerts.yml", (PAGES / "alerts.yml").read_text())
        argv = [
            find_program("prometheus", "prometheus"),
            f"--config.file={directory}/prometheus.yml",
            f"--storage.tsdb.path={directory}/data",
            f"--web.listen-address={self.address}",
        ]
        self.daemon = Daemon(net, argv, directory / "prometheus.log")

    def get(self, path: str, **words: str) -> Any:
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(words)}"
        with urllib.request.urlopen(url, timeout=20) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[Any]:
        found: list[Any] = self.get("query", query=expression.replace("$cluster", ".*"))["result"]
        return found

    def answers(self, expression: str) -> bool:
        try:
            return bool(self.query(expression))
        except OSError:
            return False


@pytest.fixture
def prometheus(net: Net, database: Node, make_responder: MakeResponder, tmp_path: Path) -> Iterator[Prometheus]:
    """It has scraped a responder that was in service, and then was disabled.

    What a keeper has written lies on its host; test_writer.py has a real one.
    """
    run = tmp_path / "run"
    kept = RunDir("db", str(run / "xha/galera"))
    kept.make()
    kept.write_keeper_status(KeeperStatus(Phase.RUNNING, "synced", at=time.monotonic()))
    kept.write_keeper_tally(KeeperTally("join", time.time(), 2, 1, 1, 3))
    find_program("unshare", "util-linux")
    responder = make_responder(database, wrapper=["unshare", "--mount", "sh", "-c", OWN_RUN, str(run)])
    running = Prometheus(net, tmp_path, responder)
    responder.verdict()
    with running.daemon:
        wait_until(lambda: running.answers("xha_available == 1"), 60, running.daemon.tail)
        put(responder.disabled, "{}")
        assert responder.next_verdict() == (503, "disabled")
        wait_until(lambda: running.answers("xha_outages_total == 1"), 60, running.daemon.tail)
        wait_until(lambda: running.answers("rate(xha_refusals_total[5m])"), 60, running.daemon.tail)
        wait_until(lambda: running.answers("increase(xha_keeper_starts_total[1h])"), 60, running.daemon.tail)
        yield running


def test_every_query_has_an_answer_and_every_rule_is_evaluated(prometheus: Prometheus) -> None:
    empty = [one for one in QUERIES if not any(name in one for name in MAY_BE_EMPTY) and not prometheus.query(one)]
    assert empty == []
    for expression in EXPRESSIONS:
        prometheus.query(expression)  # raises where it is none

    def rules_of() -> list[dict[str, Any]]:
        return [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]

    wait_until(lambda: "unknown" not in {one["health"] for one in rules_of()}, 60, "each rule has been evaluated")
    rules = rules_of()
    assert {rule["name"] for rule in rules} == set(ALERTS)
    assert {rule["health"] for rule in rules} == {"ok"}
    # Every name that a rule or a panel uses is one that the responder has told.
    known = set(prometheus.get("label/__name__/values"))
    used = {name for text in (*QUERIES, *EXPRESSIONS) for name in re.findall(r"\bxha_\w+", text)}
    assert used - known - set(MAY_BE_EMPTY) == set()
    (reached, missed) = sorted(prometheus.query("up"), key=lambda one: one["value"][1], reverse=True)
    assert (reached["value"][1], missed["value"][1]) == ("1", "0")
    assert reached["metric"]["cluster"] == "prod"
