"""The wire between the hosts: one network namespace each, and a bridge in a namespace of its own.

Nothing touches the machine's network. Every device is made inside a namespace that the laboratory owns, so it ends with
the namespace. Filters are on the bridge, outside the hosts, where a broken cable or switch would be.
"""

from __future__ import annotations

from pathlib import Path

from lab.place import ADDRESSES, CLIENT, POWER, PREFIX, Place
from lab.shell import Result, run

BRIDGE = "bridge"
# A throttle without bursts would never let a TCP window open.
BURST_KIB = 256


class Network:
    def __init__(self, place: Place) -> None:
        self.place = place

    def lay(self) -> None:
        """Make the bridge and the client's place on it. Hosts connect themselves when they get power."""
        self._make_namespace(BRIDGE)
        self._in(BRIDGE, "ip", "link", "add", BRIDGE, "type", "bridge")
        self._in(BRIDGE, "ip", "address", "add", f"{POWER}/{PREFIX}", "dev", BRIDGE)
        self._in(BRIDGE, "ip", "link", "set", BRIDGE, "up")
        self._nft("add table bridge cut; add chain bridge cut forward { type filter hook forward priority 0; }")
        self.plug("client", CLIENT)

    def plug(self, node: str, address: str) -> None:
        """Give `node` a fresh namespace with one interface, eth0, wired to the bridge."""
        self._make_namespace(node)
        inside = str(self.place.namespace(node))
        self._in(
            BRIDGE,
            "ip",
            "link",
            "add",
            node,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "address",
            hardware_address(address),
            "netns",
            inside,
        )
        self._in(BRIDGE, "ip", "link", "set", node, "master", BRIDGE)
        if not self._pulled(node).exists():
            self.push_cable(node)
        self._in(node, "ip", "address", "add", f"{address}/{PREFIX}", "brd", "+", "dev", "eth0")
        self._in(node, "ip", "link", "set", "lo", "up")
        # HAProxy listens on the VIP also where that is not. A host cannot set it itself: /proc/sys is read-only there.
        self._in(node, "sysctl", "-qw", "net.ipv4.ip_nonlocal_bind=1")
        self._in(node, "ip", "link", "set", "eth0", "up")

    def unplug(self, node: str) -> None:
        """Remove `node`'s interface and namespace. Addresses that were added inside, such as a VIP, are removed too."""
        if self._has_port(node):
            self._in(BRIDGE, "ip", "link", "delete", node)
        release_namespace(self.place.namespace(node))

    def silence(self, node: str) -> None:
        """Stop `node`'s port on the bridge. Its peers notice only silence."""
        if self._has_port(node):
            self._in(BRIDGE, "ip", "link", "set", node, "down")

    def pull_cable(self, node: str) -> None:
        """Cut `node` off until `push_cable`, also if it is turned off and on in between."""
        self._pulled(node).touch()
        self.silence(node)

    def push_cable(self, node: str) -> None:
        self._pulled(node).unlink(missing_ok=True)
        if self._has_port(node):
            self._in(BRIDGE, "ip", "link", "set", node, "up")

    def _pulled(self, node: str) -> Path:
        return self.place.root / f"{node}.pulled"

    def drop(self, match: str) -> None:
        """Drop on the bridge what `match` describes in nft's syntax, for example ``udp dport 5405``."""
        self._nft(f"add rule bridge cut forward {match} drop")

    def throttle(self, match: str, kib_per_second: int) -> None:
        """Let at most `kib_per_second` of what `match` describes pass the bridge. To TCP it looks like loss."""
        self.drop(f"{match} limit rate over {kib_per_second} kbytes/second burst {BURST_KIB} kbytes")

    def heal(self) -> None:
        """Remove every filter and push every cable back in."""
        self._nft("flush chain bridge cut forward")
        for node in (*ADDRESSES, "client"):
            self.push_cable(node)

    def _has_port(self, node: str) -> bool:
        return self._in(BRIDGE, "ip", "link", "show", node, check=False).ok

    def _nft(self, text: str) -> None:
        self._in(BRIDGE, "nft", "-f", "-", text=text + "\n")

    def _make_namespace(self, node: str) -> None:
        path = self.place.namespace(node)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        run(["unshare", f"--net={path}", "true"])

    def _in(self, node: str, *argv: str, text: str | None = None, check: bool = True) -> Result:
        return run(["nsenter", f"--net={self.place.namespace(node)}", *argv], text=text, check=check)


def hardware_address(address: str) -> str:
    """A network card keeps its hardware address over a power cut. Its neighbours' tables would not know a new one."""
    return "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def release_namespace(path: Path) -> None:
    """Release a kept network namespace. One that was never made, or is already released, is no error."""
    if _is_mounted(path):
        run(["umount", "--lazy", str(path)])
    path.unlink(missing_ok=True)


def _is_mounted(path: Path) -> bool:
    """From the mount table, because `Path.is_mount` only knows directories."""
    return f" {path} " in Path("/proc/self/mountinfo").read_text()
