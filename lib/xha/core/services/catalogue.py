"""Every service of an OpenStack controller that xha knows, and how each can be checked.

A new service is a row in one of the modules that _ROWS names. A new kind of check is a module: docs/contributing.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .api import table as http_rows
from .daemons import haproxy, memcached, mysql, pacemaker
from .rabbitmq import table as rabbitmq_rows
from .workers import table as workers_rows

if TYPE_CHECKING:
    from .model.kind import Service

# The order in which services are shown. A service that is not listed comes after these.
ORDER = (
    "keystone",
    "glance-api",
    "glance-registry",
    "nova-api",
    "nova-conductor",
    "nova-scheduler",
    "nova-consoleauth",
    "nova-novncproxy",
    "placement-api",
    "neutron-server",
    "neutron-rpc-server",
    "neutron-dhcp-agent",
    "neutron-l3-agent",
    "cinder-api",
    "cinder-scheduler",
    "cinder-volume",
    "heat-api",
    "mysql",
    "rabbitmq",
    "haproxy",
    "memcached",
    "pacemaker",
)

_ROWS: tuple[Service, ...] = (
    *http_rows.ROWS,
    *mysql.ROWS,
    *rabbitmq_rows.ROWS,
    *workers_rows.ROWS,
    *haproxy.ROWS,
    *memcached.ROWS,
    *pacemaker.ROWS,
)

_PLACES = {name: place for place, name in enumerate(ORDER)}

CATALOGUE: dict[str, Service] = {
    row.name: row for row in sorted(_ROWS, key=lambda row: _PLACES.get(row.name, len(ORDER)))
}
