"""The doctor's rules about the host: what the kernel, systemd and a responder really say."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from doctor.looking import of_rule
from loopback import Net, Responder
from loopback.disk import Disk
from loopback.doors import CHECKOUT
from xha.adapters.host import surroundings
from xha.adapters.host.enabled_units import find_enabled_units
from xha.adapters.host.surroundings import read_data_disk
from xha.adapters.mysqld.trust import Trust, guess_trust
from xha.app.doctor import host
from xha.app.doctor.host import find_servers, look_at_responder
from xha.core.config.xha_conf import Config
from xha.core.config.xha_conf import Responder as Listening
from xha.core.doctor.facts import ClusterConfig, DoctorFacts, EphemeralPorts, MandatoryAccess, TableFacts
from xha.core.doctor.findings import DoctorFinding, Weight
from xha.core.doctor.table import examine
from xha.core.doctor.unseen import Unseen
from xha.core.galera.server_options import SERVER_UNITS
from xha.core.ocf.galera_settings import Settings
from xha.core.pacemaker.cib import Cib


def found(facts: DoctorFacts, rule: str) -> list[DoctorFinding]:
    return of_rule(examine(facts), rule)


class TestUnits:
    def facts(self, root: Path) -> DoctorFacts:
        return DoctorFacts(pacemaker=ClusterConfig("", Cib()), units=find_enabled_units(SERVER_UNITS, str(root)))

    def test_a_unit_that_systemctl_has_enabled_is_told(self, tmp_path: Path) -> None:
        units = tmp_path / "usr/lib/systemd/system"
        units.mkdir(parents=True)
        shutil.copy("/usr/lib/systemd/system/mariadb.service", units)
        assert found(self.facts(tmp_path), "unit-enabled") == []
        subprocess.run(
            ["systemctl", f"--root={tmp_path}", "enable", "mariadb.service"],
            check=True,
            capture_output=True,
            timeout=60,
        )
        (one,) = found(self.facts(tmp_path), "unit-enabled")
        assert (one.weight, one.write) == (Weight.HARM, "systemctl disable mariadb.service")

    LINKS = (
        ("/etc/systemd/system/multi-user.target.wants/mariadb.service", "systemctl disable mariadb.service"),
        ("/etc/systemd/system/galera.service.requires/mariadb@two.service", "systemctl disable mariadb@two.service"),
        ("/run/systemd/system/multi-user.target.wants/mysql.service", "systemctl mask mysql.service"),
        ("/usr/lib/systemd/system/multi-user.target.wants/mysqld.service", "systemctl mask mysqld.service"),
        ("/etc/rc3.d/S01mariadb", "systemctl disable mariadb.service"),
    )

    @pytest.mark.parametrize(("link", "write"), LINKS)
    def test_every_way_of_a_start_at_boot_is_told(self, tmp_path: Path, link: str, write: str) -> None:
        path = tmp_path / link[1:]
        path.parent.mkdir(parents=True)
        path.symlink_to("/nowhere")
        (one,) = found(self.facts(tmp_path), "unit-enabled")
        assert (one.weight, one.write) == (Weight.HARM, write)
        assert link in one.seen

    NO_LINKS = (
        "/etc/systemd/system/multi-user.target.wants/mariadb-backup.service",
        "/etc/systemd/system/multi-user.target.wants/mariadb@.service",
        "/etc/systemd/system/multi-user.target.wants/mariadb.socket",
        "/usr/lib/systemd/system/mariadb.service",
        "/etc/rc3.d/K01mariadb",
        "/etc/rc6.d/S01mariadb",
    )

    @pytest.mark.parametrize("link", NO_LINKS)
    def test_what_starts_no_server_is_not(self, tmp_path: Path, link: str) -> None:
        path = tmp_path / link[1:]
        path.parent.mkdir(parents=True)
        path.symlink_to("/nowhere")
        assert found(self.facts(tmp_path), "unit-enabled") == []

    def test_a_script_beside_a_unit_of_its_name_starts_nothing(self, tmp_path: Path) -> None:
        for link in ("usr/lib/systemd/system/mariadb.service", "etc/rc3.d/S01mariadb"):
            (tmp_path / link).parent.mkdir(parents=True)
            (tmp_path / link).symlink_to("/nowhere")
        assert found(self.facts(tmp_path), "unit-enabled") == []

    def test_a_directory_that_may_not_be_looked_at_is_not_looked_at(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A link to itself stands for it: to root, no directory is closed."""
        wants = tmp_path / "etc/systemd/system/multi-user.target.wants"
        wants.parent.mkdir(parents=True)
        wants.symlink_to(wants)
        with pytest.raises(OSError, match="symbolic links"):
            find_enabled_units(SERVER_UNITS, str(tmp_path))
        monkeypatch.setattr(host, "find_enabled_units", lambda units: find_enabled_units(units, str(tmp_path)))
        assert isinstance(host.look_at_units(), Unseen)

    def test_without_pacemaker_a_unit_is_not_looked_at(self, tmp_path: Path) -> None:
        (one,) = found(self.facts(tmp_path)._replace(pacemaker=DoctorFacts().pacemaker), "unit-enabled")
        assert one.weight is Weight.UNSEEN


class TestPorts:
    CODE = (
        "import json, sys; sys.path.insert(0, sys.argv[1])\n"
        "from xha.adapters.host.surroundings import read_ephemeral_ports\n"
        "print(json.dumps(read_ephemeral_ports()))"
    )

    def read(self, reserved: str) -> EphemeralPorts:
        """What the kernel says in a network of its own where these ports are reserved."""
        script = 'echo "$1" >/proc/sys/net/ipv4/ip_local_reserved_ports; exec "$2" -c "$3" "$4"'
        words = [
            "unshare",
            "--net",
            "sh",
            "-ec",
            script,
            "sh",
            reserved,
            sys.executable,
            self.CODE,
            str(CHECKOUT / "lib"),
        ]
        done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60)
        return EphemeralPorts(*json.loads(done.stdout))

    @pytest.mark.parametrize("reserved", ["49000", "40000,49000-49001", "48999-49010"])
    def test_a_reserved_port_is_fine(self, reserved: str) -> None:
        assert found(DoctorFacts(ephemeral=self.read(reserved)), "port-reserved") == []

    @pytest.mark.parametrize("reserved", ["", "48999", "49001-49005"])
    def test_another_one_is_told_with_what_is_reserved_already(self, reserved: str) -> None:
        (one,) = found(DoctorFacts(ephemeral=self.read(reserved)), "port-reserved")
        wanted = ",".join(filter(None, [reserved, "49000"]))
        assert f"net.ipv4.ip_local_reserved_ports = {wanted} " in one.write


class TestResponder:
    def config(self, port: int) -> Config:
        return Config(responder=Listening(listen=(("127.0.0.1", port),), deadline=5.0))

    def test_one_that_answers_is_fine_and_one_that_is_gone_is_told(self, net: Net, tmp_path: Path) -> None:
        port = net.next_port()
        with Responder(net, tmp_path / "r", [("127.0.0.1", port)], Path("/no.sock"), client=""):
            assert found(DoctorFacts(responder=look_at_responder(self.config(port))), "responder") == []
        (one,) = found(DoctorFacts(responder=look_at_responder(self.config(port))), "responder")
        assert one.weight is Weight.HARM
        assert "connection refused" in one.seen


def test_a_disk_without_room_for_a_second_copy_is_told(tmp_path: Path) -> None:
    with Disk(tmp_path / "disk") as disk:
        read = read_data_disk(str(disk.path))
        assert 0 < read.free <= 64 << 20
        small, large = TableFacts(size=read.free // 2), TableFacts(size=read.free + (1 << 20))
        assert found(DoctorFacts(disk=read, tables=small), "disk-room") == []
        (one,) = found(DoctorFacts(disk=read, tables=large), "disk-room")
    assert str(tmp_path / "disk") in one.write


class TestMandatoryAccess:
    """By values: this machine's kernel has neither AppArmor nor SELinux."""

    def seen(self, *profiles: str, selinux: bool = False) -> list[tuple[Weight, str]]:
        facts = DoctorFacts(confinement=MandatoryAccess(profiles, selinux))
        return [(one.weight, one.write.partition(",")[0]) for one in found(facts, "confinement")]

    def test_nothing_confines(self) -> None:
        assert self.seen() == []
        assert self.seen("/usr/sbin/mariadbd (complain)", "unconfined", "mariadbd (unconfined)") == []

    @pytest.mark.parametrize("mode", ["enforce", "kill", "mixed"])
    def test_the_worst_profile_counts(self, mode: str) -> None:
        told = self.seen("unconfined", "/opt/mysqld (complain)", f"/usr/sbin/mariadbd ({mode})")
        assert told == [(Weight.ADVICE, "aa-complain /usr/sbin/mariadbd")]

    def test_selinux_enforces(self) -> None:
        assert self.seen(selinux=True) == [(Weight.ADVICE, "semanage permissive -a mysqld_t")]

    def test_without_a_server_a_profile_is_not_looked_at(self) -> None:
        lacks = MandatoryAccess(Unseen("no server runs", "one"), selinux=True)
        told = found(DoctorFacts(confinement=lacks), "confinement")
        assert [one.weight for one in told] == [Weight.ADVICE, Weight.UNSEEN]

    def test_the_profiles_are_those_of_the_servers(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The kernel's switch is a file of the test; the profile of a process without AppArmor cannot be read."""
        switch = tmp_path / "enabled"
        switch.write_text("Y\n")
        monkeypatch.setattr(surroundings, "_APPARMOR", str(switch))
        lacks = surroundings.read_confinement(()).profiles
        assert isinstance(lacks, Unseen)
        assert "no server runs" in lacks.what

    def test_a_program_of_that_name_is_no_server(self, tmp_path: Path) -> None:
        program = tmp_path / "mysqld"
        shutil.copy("/usr/bin/sleep", program)
        with subprocess.Popen([program, "60"]) as running:
            try:
                assert running.pid not in find_servers(guess_trust(Settings()))
                trusted = Trust(frozenset((0,)), frozenset((str(program),)))
                assert find_servers(trusted) == (running.pid,)
                assert find_servers(trusted._replace(uids=frozenset((65534,)))) == ()
            finally:
                running.kill()
