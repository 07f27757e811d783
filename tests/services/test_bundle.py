"""Bundles of a real Pacemaker: podman's containers, one with a guest node and a resource in it, two without.

Only where podman is: in build/roots/debian13-bundles (`make test-versions`), with Pacemaker 3.0. The image holds no
program: the root's own /usr is mounted into each container.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from loopback import MissingProgram, Net, wait_until
from loopback.server_root import service_command
from services.host import WELL, Services, blamed, short
from services.pacemaker import PacemakerNode

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root")
SECTION = "[service pacemaker]\nwarn_settings = 0\n"
# crun takes one version of control groups, and this machine may have both; containers without limits need none. The
# guest shares the host's network and with it the abstract sockets of its Pacemaker, so it is told to use files.
PREPARE = """
mount --rbind /sys "$SERVER_ROOT/sys"
mount -t cgroup2 xha-test "$SERVER_ROOT/sys/fs/cgroup"
for path in /var/lib/containers /etc/containers /etc/pacemaker; do
    mkdir -p "$SERVER_ROOT$path"
    mount -t tmpfs -o mode=755 xha-test "$SERVER_ROOT$path"
done
echo "127.0.0.1 localhost xha-1" >"$SERVER_ROOT/run/hosts"
touch "$SERVER_ROOT/etc/hosts"
mount --bind "$SERVER_ROOT/run/hosts" "$SERVER_ROOT/etc/hosts"
"${BEGIN[@]}" sh -ec '
echo "[containers]
cgroups = \\"disabled\\"" >/etc/containers/containers.conf
echo "{\\"default\\": [{\\"type\\": \\"insecureAcceptAnything\\"}]}" >/etc/containers/policy.json
head -c 4096 /dev/urandom >/etc/pacemaker/authkey
mkdir -p /var/log/pacemaker/bundles
for name in usr etc/libqb run tmp var/log var/lib/pacemaker/cores; do mkdir -p /run/image/$name; done
touch /run/image/etc/libqb/force-filesystem-sockets
ln -s ../run /run/image/var/run
for name in bin sbin lib lib64; do ln -s usr/$name /run/image/$name; done
cp /etc/passwd /etc/group /run/image/etc/
tar -C /run/image -c . | podman import - localhost/xha:latest
'
"""
OPTIONS = "--volume=/usr:/usr:ro"
BUNDLES = f"""<resources>
<bundle id="rabbit-bundle">
  <podman image="localhost/xha:latest" replicas="1" network="host" options="{OPTIONS}"/>
  <network control-port="3122"/>
  <primitive id="rabbit" class="ocf" provider="pacemaker" type="Stateful"><operations>
  <op id="rabbit-monitor" name="monitor" interval="2s"/></operations></primitive></bundle>
<bundle id="web-bundle">
  <podman image="localhost/xha:latest" replicas="2" replicas-per-host="2" run-command="sleep 100000"
    options="{OPTIONS} --network=host --stop-signal=KILL"/></bundle>
</resources>"""


@pytest.fixture(scope="module")
def node(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacemakerNode]:
    try:
        service_command("podman", "podman")
    except MissingProgram as error:
        pytest.skip(str(error))
    with PacemakerNode(net, tmp_path_factory.mktemp("pacemaker"), PREPARE) as running:
        running.run("crm_attribute", "--name", "stonith-enabled", "--update", "false")
        running.run("cibadmin", "--replace", "--scope", "resources", "--xml-text", BUNDLES)
        yield running


def check(node: PacemakerNode, services: Services, more: str = "") -> dict[str, Any]:
    services.write(SECTION + more)
    return services.check("pacemaker", "deep", wrapper=node.enter)


def podman(node: PacemakerNode, *words: str) -> str:
    return node.run(*service_command("podman", "podman"), *words)


def test_containers_that_run_and_one_that_ended(node: PacemakerNode, services: Services) -> None:
    last: dict[str, Any] = {}

    def wait(expected: tuple[int, str, str | None], words: str, more: str = "") -> None:
        def is_so() -> bool:
            last.update(check(node, services, more))
            return short(last) == expected and words in f"{last['message']}\n{last['proved']}"

        wait_until(is_so, 120, lambda: f"{expected} and {words}, not {last}\n{node.run('crm_mon', '-1rf')}")

    # Its guest is a node of the cluster too, and not counted: there is one.
    wait(WELL, "1 nodes online, 3 resources run", "resources = rabbit-bundle web-bundle\nexpect_nodes = 1\n")
    assert "GuestOnline: [ rabbit-bundle-0 ]" in node.run("crm_mon", "-1")
    assert sorted(podman(node, "ps", "--format", "{{.Names}}").split()) == [
        "rabbit-bundle-podman-0",
        "web-bundle-podman-0",
        "web-bundle-podman-1",
    ]
    set_meta(node, "is-managed", "false")
    podman(node, "kill", "web-bundle-podman-1")
    node.run("crm_resource", "--resource", "web-bundle-podman-1", "--refresh")  # crm_mon knows what a probe has found
    wait(WELL, "1 nodes online, 2 resources run")  # what Pacemaker may not touch is no fault
    set_meta(node, "is-managed", "true")
    wait(WELL, "1 nodes online, 3 resources run")
    set_meta(node, "target-role", "Stopped")
    wait(WELL, "1 nodes online, 1 resources run")
    stopped = check(node, services, "resources = web-bundle\n")
    assert (short(stopped), stopped["message"]) == (blamed("web-bundle"), "web-bundle runs nowhere")


def set_meta(node: PacemakerNode, name: str, value: str) -> None:
    node.run("crm_resource", "--resource", "web-bundle", "--meta", "--set-parameter", name, "--parameter-value", value)
