"""Every service of an OpenStack controller that xha knows, in their order, and how each can be checked.

To add a kind: its rows in a module of this package (settings as a NamedTuple, keys, levels), that module's ROWS in
_ROWS, its name in ORDER, its check in adapters/checks/, its paragraph in docs/services.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .api import table as http_rows
from .daemons import haproxy, memcached, mysql, pacemaker
from .rabbitmq import table as rabbitmq_rows
from .workers import table as workers_rows

if TYPE_CHECKING:
    from .model.kind import Service

ORDER = (
    "keystone",
    "glance-api",
    "glance-registry",
    "nova-api",
    "nova-conductor",
    "nova-scheduler",
    "nova-consoleauth",
    "nova-novncproxy",
    "neutron-server",
    "neutron-rpc-server",
    "cinder-api",
    "cinder-scheduler",
    "cinder-volume",
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

CATALOGUE: dict[str, Service] = {row.name: row for row in sorted(_ROWS, key=lambda row: ORDER.index(row.name))}
