"""Whose processes prove something about this host's server."""

from __future__ import annotations

import pytest

# The account, whether its program is set-uid root's, and whether it is believed.
WHO_IS_BELIEVED = [
    pytest.param("mysql", False, True, id="the server's own account"),
    pytest.param("root", False, True, id="root"),
    pytest.param("nobody", False, False, id="anybody"),
    pytest.param("nobody", True, False, id="anybody, by a set-uid program of root's"),
]
