"""Pacemaker's tools as recorded: cibadmin prints a configuration that real hosts had, attrd_updater what is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

CIB = Path(__file__).parents[1] / "core/pacemaker/cibs/online.xml"
RESOURCE = "p_mysql"
_HOSTS_OF_THE_CIB = "gcomm://h1,h2,h3"
_BEFORE = '<nvpair id="p_mysql-instance_attributes-passwd"'
# The tools' places are bound over for one command only, in a mount namespace of its own.
_IN_PLACE = 'mount --bind "$1" /usr/sbin/cibadmin; mount --bind "$2" /usr/sbin/attrd_updater; shift 2; exec "$@"'


class RecordedPacemaker:
    """Three online nodes, h1 to h3, whose servers are at these addresses."""

    def __init__(self, directory: Path, addresses: Sequence[str]) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        hosts = ";".join(f"h{number}:{address}" for number, address in enumerate(addresses, 1))
        pair = f'<nvpair id="p_mysql-map" name="cluster_host_map" value="{hosts}" />'
        text = CIB.read_text().replace(_HOSTS_OF_THE_CIB, f"gcomm://{','.join(addresses)}")
        (directory / "cib.xml").write_text(text.replace(_BEFORE, f"{pair}\n{_BEFORE}"))
        self._install("cibadmin", f"cat {directory}/cib.xml")
        self._install("attrd_updater", f'cat "{directory}/$2.xml" 2>/dev/null || exit 78')

    def publish(self, word: str, values: Mapping[str, str]) -> None:
        """Let the attribute xha-p_mysql-WORD have these values, by node."""
        name = f"xha-{RESOURCE}-{word}"
        pairs = "".join(
            f"<attribute name={quoteattr(name)} value={quoteattr(value)} host={quoteattr(node)}/>"
            for node, value in values.items()
        )
        (self._directory / f"{name}.xml").write_text(
            f"<pacemaker-result><attributes>{pairs}</attributes></pacemaker-result>"
        )

    def hang(self) -> None:
        """Let no tool answer any more."""
        for name in ("cibadmin", "attrd_updater"):
            self._install(name, "exec sleep 60")

    @property
    def wrapper(self) -> tuple[str, ...]:
        """What runs a command of the host with these tools in place of the installed ones."""
        tools = (str(self._directory / "cibadmin"), str(self._directory / "attrd_updater"))
        return ("/usr/bin/unshare", "--mount", "/bin/sh", "-ec", _IN_PLACE, "sh", *tools)

    def _install(self, name: str, script: str) -> None:
        path = self._directory / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
