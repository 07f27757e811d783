"""Rules about this host: its units, its ports, its disk, what confines the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .findings import Rule, Symptom, Weight
from .unseen import Unseen, require

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .facts import DoctorFacts

# Modes of an AppArmor profile that refuse nothing. Others do: enforce, kill, prompt, and mixed in part.
_HARMLESS = ("(complain)", "(unconfined)")


def _units(facts: DoctorFacts) -> Iterator[Symptom]:
    units = require(facts.units)
    if isinstance(facts.pacemaker, Unseen):
        require(facts.pacemaker)
    for unit in units:
        mended = "disable" if unit.link.startswith("/etc/") else "mask"  # what a package or program made comes again
        yield Symptom(f"{unit.name} is enabled on this host ({unit.link})", f"systemctl {mended} {unit.name}")


def _reserved(facts: DoctorFacts) -> Iterator[Symptom]:
    ports, port = require(facts.ephemeral), facts.config.responder.port
    if ports.takes(port):
        reserved = ",".join(filter(None, [ports.reserved, str(port)]))
        yield Symptom(
            f"port {port} is among the ports of outgoing connections (net.ipv4.ip_local_port_range = {ports.first} "
            f"{ports.last}, ip_local_reserved_ports = {ports.reserved or 'none'})",
            f"net.ipv4.ip_local_reserved_ports = {reserved}   in /etc/sysctl.d/60-xha.conf; and now: sysctl -w "
            f"net.ipv4.ip_local_reserved_ports={reserved}",
        )


def _responder(facts: DoctorFacts) -> Iterator[Symptom]:
    silent = require(facts.responder)
    if silent:
        yield Symptom(f"this host's responder does not answer: {silent}", "systemctl enable --now xha-responder.socket")


def _room(facts: DoctorFacts) -> Iterator[Symptom]:
    disk, size = require(facts.disk), require(facts.tables).size
    if disk.free < size:
        yield Symptom(
            f"{disk.path} has {disk.free >> 20} MiB free, and its tables have {size >> 20} MiB",
            f"a larger file system for {disk.path}: {size - disk.free >> 20} MiB more at least",
        )


def _confined(facts: DoctorFacts) -> Iterator[Symptom]:
    confinement = require(facts.confinement)
    if confinement.selinux:
        yield Symptom(
            "SELinux enforces on this host",
            "semanage permissive -a mysqld_t, until a state transfer ran without a denial (ausearch -m avc)",
        )
    for profile in dict.fromkeys(require(confinement.profiles)):
        if profile != "unconfined" and not profile.endswith(_HARMLESS):
            yield Symptom(
                f"AppArmor confines the server: {profile}",
                f"aa-complain {profile.split()[0]}, until a state transfer ran undenied (journalctl -k)",
            )


RULES: Iterable[Rule] = (
    Rule(
        "unit-enabled",
        Weight.HARM,
        "mariadb.service and its like, beside Pacemaker",
        "systemd starts the server at boot, before the agent has decided whether it may form a cluster",
        _units,
    ),
    Rule(
        "responder",
        Weight.HARM,
        "the responder of this host",
        "HAProxy takes this node for down",
        _responder,
    ),
    Rule(
        "port-reserved",
        Weight.ADVICE,
        "net.ipv4.ip_local_reserved_ports",
        "an outgoing connection may have that port when the responder starts, and it cannot listen",
        _reserved,
    ),
    Rule(
        "disk-room",
        Weight.ADVICE,
        "the room of the data directory's file system",
        "there is no room for a second copy of the data: a backup, an ALTER, data set aside before a full copy",
        _room,
    ),
    Rule(
        "confinement",
        Weight.ADVICE,
        "AppArmor, SELinux",
        "state transfers run programs and write where the server itself does not, and are refused without a word",
        _confined,
    ),
)
