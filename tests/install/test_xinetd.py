"""The installed stanzas under the distribution's xinetd, enabled as an operator would."""

from __future__ import annotations

import pytest

from install.machine import PROBE, Machine

READY = PROBE.replace('"OPTIONS", "/"', '"GET", "/ready"').replace(".status", ".read().decode()")
STANZAS = {
    "wait = yes: one resident responder": "/etc/xinetd.d/xha",
    "wait = no: the guides' stanza, a process for each probe": "/usr/local/share/doc/xha/galeracheck.xinetd",
}


@pytest.mark.parametrize("source", STANZAS.values(), ids=STANZAS.keys())
def test_a_stanza_serves_once_it_is_switched_on(machine: Machine, source: str) -> None:
    machine.sh("cp -p /etc/xinetd.d/xha /root/stanza")
    try:
        machine.sh(f"grep -q 'disable *= yes' {source}")
        machine.sh(f"sed 's/disable *= yes/disable = no/' {source} >/root/on && mv /root/on /etc/xinetd.d/xha")
        machine.sh("systemctl start xinetd")
        machine.wait_sh(PROBE, "503")
        # There is no database here: the responder must say that, and not that it may not read its own option file.
        assert machine.sh(READY).startswith("server-down ")
    finally:
        machine.sh("systemctl stop xinetd; mv /root/stanza /etc/xinetd.d/xha")
    machine.wait_sh("pgrep -c xha-responder", "0")
