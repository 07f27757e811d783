"""The paths of a laboratory, and the addresses of the document's cluster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

BASE = Path("/run/xha-lab")
REPOSITORY = Path(__file__).resolve().parents[2]

HOSTS = ("h1", "h2", "h3")
# A laboratory of four or five has these besides.
MORE = ("h4", "h5")
# From the document: its haproxy.cfg names 192.168.0.6 to .8 as mysql-1 to mysql-3. We chose ip4, the VIP, and the rest.
ADDRESSES = {
    "h1": "192.168.0.6",
    "h2": "192.168.0.7",
    "h3": "192.168.0.8",
    "h4": "192.168.0.9",
    "h5": "192.168.0.11",
}
VIP = "192.168.0.10"
CLIENT = "192.168.0.100"
# The address of the power switch, which stands for a management board that outlives its host.
POWER = "192.168.0.1"
POWER_PORT = 7
PREFIX = 24
# From the document: HAProxy's port, and the account that has every right.
BALANCER_PORT = 3307
DATABASE_USER, DATABASE_PASSWORD = "wsrep_sst", "DJ1JAs8z"

# Where docs/haproxy.cfg has the node that xha chose as the writer.
WRITER_PORT = 3308


@dataclass(frozen=True)
class Place:
    """The paths of the laboratory called `name`. Two laboratories share nothing; even their addresses are private."""

    name: str

    @property
    def root(self) -> Path:
        return BASE / self.name

    @property
    def lock(self) -> Path:
        """Locked by the process that builds or uses the laboratory. Beside `root`, because a tmpfs is mounted there."""
        return BASE / f"{self.name}.lock"

    @property
    def kept(self) -> Path:
        """Exists if a person wants the laboratory to outlive the command that built it."""
        return self.root / "kept"

    @property
    def resources(self) -> Path:
        """Pacemaker's resources as they were once the cluster was complete. Changes by a fault are undone from it."""
        return self.root / "resources.xml"

    @property
    def struck(self) -> Path:
        """When the last fault struck, in seconds of the machine's monotonic clock, which every journal here has."""
        return self.root / "struck"

    @property
    def image(self) -> Path:
        """The layer that all hosts share, on top of their system's root."""
        return self.root / "image"

    def namespace(self, node: str) -> Path:
        """The file that keeps a node's network namespace; `node` is a host, `bridge` or `client`."""
        return self.root / "net" / node

    def host(self, name: str) -> Path:
        return self.root / "hosts" / name

    def built(self) -> tuple[str, ...]:
        """The names of the hosts that were built here; none before `Laboratory.build` has made them."""
        return tuple(name for name in ADDRESSES if self.host(name).exists())
