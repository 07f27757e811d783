"""How long and how much a client may send: apart from the rest, because a process for one request imports little."""

from __future__ import annotations

MAX_REQUEST = 8192
# How long a client may take to send its request. After the response, how long and how much more is read from it.
REQUEST_SECONDS = 5.0
DRAIN_SECONDS = 1.0
DRAIN_BYTES = 65536
