"""HAProxy's view of the server that it checks (`http-check send-state`; HAProxy configuration manual).

The header reads `UP 2/3; name=bck/srv2; node=lb1; weight=1/2; scur=13/22; qcur=0`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ..text.escape import clean

_WEIGHT = re.compile(r"(?:^|;)\s*weight=(\d{1,9})/(\d{1,9})\s*(?:;|$)", re.ASCII)
_UP = re.compile(r"\s*UP\b")
_OUT = re.compile(r"\s*(?:NOLB|DOWN|MAINT|DRAIN)\b")
_NAME = re.compile(r"(?:^|;)\s*name=([^;]*)")
_NODE = re.compile(r"(?:^|;)\s*node=([^;]*)")
_LONGEST = 100


@lru_cache(maxsize=64)
def parse_last_server(server_state: str) -> bool:
    """Return whether HAProxy says that the server it checks is the only one it can use.

    The header gives the weight of this server, and the weight of all usable servers. Backup servers do not count in the
    latter while an active server is up. So in a farm with backup servers every active server looks like the last one.
    That is why xha uses the header only if the configuration asks for it.
    """
    weight = _WEIGHT.search(server_state)
    return bool(weight and _UP.match(server_state) and weight[1] == weight[2] and int(weight[1]) > 0)


@lru_cache(maxsize=64)
def parse_server_name(server_state: str) -> str:
    """Return which HAProxy checks which of its servers, as `lb1 bck/srv2`; "" where the header does not say."""
    name, node = _NAME.search(server_state), _NODE.search(server_state)
    return clean(f"{node[1].strip()} {name[1].strip()}", _LONGEST) if name and node else ""


@lru_cache(maxsize=64)
def takes_server_in(server_state: str) -> bool:
    """Return whether HAProxy sends the server new connections."""
    return _UP.match(server_state) is not None


@lru_cache(maxsize=64)
def takes_server_out(server_state: str) -> bool:
    """Return whether HAProxy sends the server no new connections."""
    return _OUT.match(server_state) is not None
