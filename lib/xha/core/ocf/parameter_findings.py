"""What is right in a resource's parameters, and yet not wise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .galera_parameters import PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .galera_settings import Settings


def find_useless(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each."""
    if settings.two_node_mode:
        long = next(one.long for one in PARAMETERS if one.name == "two_node_mode")
        yield f"two_node_mode: {long}"
    if settings.test_conf and (settings.test_user or settings.check_user):
        yield "test_conf goes before test_user and check_user, which are not used"
    for user, password in (("test_user", "test_passwd"), ("check_user", "check_passwd")):
        if getattr(settings, password):
            yield f"{password} stands readable in the cluster's configuration; {user} can be named in test_conf"
