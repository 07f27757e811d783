"""What is to be mended on a node that serves: it changes no answer, and stands in /node, /metrics and xha-check."""

from __future__ import annotations

from ..text.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..galera.reading import Reading

# The addresses that are written into a configuration. The rest of 127.0.0.0/8 is chosen on purpose.
_THIS_HOST = {"127.0.0.1", "127.0.1.1", "::1", "localhost"}


def find_warnings(reading: Reading) -> tuple[str, ...]:
    """Return a sentence for each thing to be mended."""
    found = []
    connections, limit = reading.status.threads_connected, reading.variables.max_connections
    # With extra_port the main port's limit does not apply to this login, but it does to applications.
    if limit is not None and connections is not None and connections >= limit:
        found.append(f"the server's {limit} connections are all in use: nobody else can log in")
    listed = name_loopback(reading.variables.bind_address or "")
    if listed:
        found.append(
            f"the server listens on {listed} only (bind_address): applications on other hosts reach it only where "
            "something on this host forwards to it"
        )
    return tuple(found)


def name_loopback(bind_address: str) -> str:
    """Return the addresses that a server listens on if no other host reaches any of them, else ""."""
    addresses = {one.strip() for one in bind_address.split(",")}
    return ", ".join(sorted(addresses)) if addresses <= _THIS_HOST else ""
