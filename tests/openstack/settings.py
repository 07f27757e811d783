"""The services' own files, as small as possible: on one address, with the usual ports."""

from __future__ import annotations

import configparser
import io
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from loopback.rabbitmq import PASSWORD as BROKER_PASSWORD
from loopback.rabbitmq import USER as BROKER_USER
from openstack.packages import Tree

HOST = "controller-1"  # the workers' name on the bus
BACKEND = "volumes"
WORKERS = 2  # of each API: one can be frozen while the other still works
DATABASES = ("keystone", "glance", "nova_api", "nova_cell0", "nova", "neutron", "cinder", "placement")
ACCOUNTS = ("glance", "nova", "neutron", "cinder", "placement")
# A driver for Cinder's own tests: it starts and does nothing. The other one is the default, without LVM's tools.
GOOD_DRIVER = "cinder.tests.fake_driver.FakeLoggingVolumeDriver"
BAD_DRIVER = "cinder.volume.drivers.lvm.LVMVolumeDriver"
GOOD_MECHANISMS, BAD_MECHANISMS = "openvswitch", "openvswitch,xha-no-such-driver"

Section = Mapping[str, object]


class Place(NamedTuple):
    """The directories, and the passwords of this run."""

    tree: Tree
    directory: Path
    api: str
    database: str
    broker: str
    passwords: Mapping[str, str]

    @property
    def keystone(self) -> str:
        return f"http://{self.api}:5000"

    @property
    def transport(self) -> str:
        return f"rabbit://{BROKER_USER}:{BROKER_PASSWORD}@{self.broker}:5672/"

    def etc(self, project: str) -> Path:
        """The directory that replaces /etc/PROJECT."""
        return self.directory / "etc" / project

    def state(self, project: str) -> Path:
        """The directory that replaces /var/lib/PROJECT."""
        return self.directory / "lib" / project

    def share(self, path: str) -> str:
        return self.tree.path(f"usr/share/{path}")

    def connection(self, name: str) -> str:
        password = self.passwords["database"]
        return f"mysql+pymysql://openstack:{password}@{self.database}/{name}?charset=utf8"


def new_passwords() -> dict[str, str]:
    return {name: secrets.token_hex(12) for name in ("database", "admin", "member", *ACCOUNTS)}


def write_settings(place: Place) -> None:
    """Write every service's files. What the services store goes below the same directory."""
    for project in ("keystone", *ACCOUNTS):
        place.etc(project).mkdir(parents=True, exist_ok=True)
        place.state(project).mkdir(parents=True, exist_ok=True)
    write_keystone(place)
    write_glance(place)
    write_nova(place)
    write_neutron(place)
    write_cinder(place)
    write_placement(place)


def write_keystone(place: Place) -> None:
    keys = place.state("keystone") / "fernet-keys"
    keys.mkdir(mode=0o700, exist_ok=True)
    _write(
        place.etc("keystone") / "keystone.conf",
        {
            "DEFAULT": {"log_file": ""},
            "database": {"connection": place.connection("keystone")},
            # Ten logins at once, with the default of 12 rounds, need 4 s of two cores.
            "identity": {"password_hash_rounds": 4},
            "fernet_tokens": {"key_repository": keys},
            "fernet_receipts": {"key_repository": keys},
        },
    )
    _write_uwsgi(place, "keystone", "keystone-uwsgi.ini", "keystone-wsgi-public")


def write_glance(place: Place) -> None:
    images = place.state("glance") / "images"
    images.mkdir(exist_ok=True)
    _write(
        place.etc("glance") / "glance-api.conf",
        {
            "DEFAULT": {"bind_host": place.api, "workers": WORKERS, "enabled_backends": "files:file"},
            "database": {"connection": place.connection("glance")},
            "keystone_authtoken": _account(place, "glance"),
            "paste_deploy": {"flavor": "keystone", "config_file": place.share("glance-common/glance-api-paste.ini")},
            "glance_store": {"default_backend": "files"},
            "files": {"filesystem_store_datadir": images},
            "os_glance_staging_store": {"filesystem_store_datadir": place.state("glance") / "staging"},
            "os_glance_tasks_store": {"filesystem_store_datadir": place.state("glance") / "tasks"},
            "oslo_concurrency": {"lock_path": place.state("glance")},
        },
    )


def write_nova(place: Place, *, application: str = "factory") -> None:
    """application: the factory of the API in its module, for an API that cannot be loaded."""
    etc = place.etc("nova")
    paste = Path(place.share("nova-common/api-paste.ini")).read_text()
    (etc / "api-paste.ini").write_text(paste.replace("APIRouterV21.factory", f"APIRouterV21.{application}"))
    _write(
        etc / "nova.conf",
        {
            "DEFAULT": {**_bus(place), "state_path": place.state("nova"), "my_ip": place.api},
            "api_database": {"connection": place.connection("nova_api")},
            "database": {"connection": place.connection("nova")},
            "keystone_authtoken": _account(place, "nova"),
            "service_user": _account(place, "nova"),
            "placement": {**_account(place, "nova"), "region_name": "RegionOne"},
            "conductor": {"workers": WORKERS},
            "scheduler": {"workers": 1},
            "vnc": {"novncproxy_host": place.api},
            "oslo_concurrency": {"lock_path": place.state("nova")},
        },
    )
    _write_uwsgi(place, "nova", "nova-api-uwsgi.ini", "nova-api-wsgi")


def write_neutron(place: Place, *, mechanisms: str = GOOD_MECHANISMS) -> None:
    _write(
        place.etc("neutron") / "neutron.conf",
        {
            "DEFAULT": {
                **_bus(place),
                "state_path": place.state("neutron"),
                "bind_host": place.api,
                "core_plugin": "ml2",
                "service_plugins": "",
                "api_workers": WORKERS,
                "rpc_workers": 1,
                "rpc_state_report_workers": 1,
                "api_paste_config": place.share("neutron-common/api-paste.ini"),
                "notify_nova_on_port_status_changes": False,
                "notify_nova_on_port_data_changes": False,
            },
            "database": {"connection": place.connection("neutron")},
            "keystone_authtoken": _account(place, "neutron"),
            "oslo_concurrency": {"lock_path": place.state("neutron")},
        },
    )
    _write(
        place.etc("neutron") / "ml2_conf.ini",
        {"ml2": {"type_drivers": "flat,vxlan", "tenant_network_types": "vxlan", "mechanism_drivers": mechanisms}},
    )


def write_cinder(place: Place, *, driver: str = GOOD_DRIVER) -> None:
    _write(
        place.etc("cinder") / "cinder.conf",
        {
            "DEFAULT": {
                **_bus(place),
                "state_path": place.state("cinder"),
                "my_ip": place.api,
                "auth_strategy": "keystone",
                "api_paste_config": place.share("cinder-common/api-paste.ini"),
                "resource_query_filters_file": place.tree.path("etc/cinder/resource_filters.json"),
                "enabled_backends": BACKEND,
            },
            BACKEND: {"volume_driver": driver, "volume_backend_name": BACKEND},
            "database": {"connection": place.connection("cinder")},
            "keystone_authtoken": _account(place, "cinder"),
            "oslo_concurrency": {"lock_path": place.state("cinder")},
        },
    )
    _write_uwsgi(place, "cinder", "cinder-api-uwsgi.ini", "cinder-wsgi")


def write_placement(place: Place) -> None:
    """nova's workers do not start without it."""
    _write(
        place.etc("placement") / "placement.conf",
        {
            "placement_database": {"connection": place.connection("placement")},
            "keystone_authtoken": _account(place, "placement"),
            "oslo_concurrency": {"lock_path": place.state("placement")},
        },
    )
    _write_uwsgi(place, "placement", "placement-api-uwsgi.ini", "placement-api")


def _bus(place: Place) -> Section:
    return {"transport_url": place.transport, "host": HOST}


def _account(place: Place, name: str) -> Section:
    return {
        "www_authenticate_uri": place.keystone,
        "auth_url": place.keystone,
        "auth_type": "password",
        "project_domain_name": "Default",
        "user_domain_name": "Default",
        "project_name": "service",
        "username": name,
        "password": place.passwords[name],
    }


def _write(path: Path, sections: Mapping[str, Section]) -> None:
    """Replace an oslo.config file. Only its owner may read it, because of the passwords."""
    text = ""
    for name, options in sections.items():
        lines = (f"{key} = {value}".rstrip() for key, value in options.items())
        text += "\n".join((f"[{name}]", *lines, "", ""))
    path.touch(0o600)
    path.write_text(text)


def _write_uwsgi(place: Place, project: str, name: str, script: str) -> None:
    """Debian's own file, without what an installation would have created: account, log file, places."""
    theirs = configparser.ConfigParser(interpolation=None, strict=False)
    theirs.read(place.tree.path(f"etc/{project}/{name}"))
    options = theirs["uwsgi"]
    for gone in ("uid", "gid", "logto", "apparmor-profile"):
        options.pop(gone, None)
    options["plugins-dir"] = place.tree.path("usr/lib/uwsgi/plugins")
    options["plugins"] = place.tree.uwsgi.rpartition("uwsgi_")[2]
    options["processes"] = str(WORKERS)
    options["chdir"] = str(place.state(project))
    options["wsgi-file"] = place.tree.path(f"usr/bin/{script}")
    # uwsgi looks for plugins where the option before them says.
    ours = configparser.ConfigParser(interpolation=None)
    ours["uwsgi"] = {"plugins-dir": options.pop("plugins-dir"), **options}
    text = io.StringIO()
    ours.write(text)
    (place.etc(project) / name).write_text(text.getvalue())
