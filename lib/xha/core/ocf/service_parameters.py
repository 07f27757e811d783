"""The parameters and actions of ocf:xha:service. Its meta-data, its man page and the agent use these tables."""

from __future__ import annotations

import re

from ..text.light_typing import TYPE_CHECKING, NamedTuple
from .api import Action
from .galera_parameters import Parameter
from .galera_settings import parse_values
from .parameter_values import parse_path, parse_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .galera_settings import BadParameter

# The checks have deadlines of 5 s, or 10 s if they use HTTP. That is half of a monitor's timeout. The intervals share
# no divisor, so that the deeper looks do not coincide. Depth 20 costs the service a login, a message, or a query.
ACTIONS = (
    Action("start", 30),
    Action("stop", 20),
    Action("monitor", 20, 10, 0),
    Action("monitor", 20, 13, 10),
    Action("monitor", 30, 61, 20),
    Action("reload-agent", 20),
    Action("validate-all", 20),
    Action("meta-data", 5),
)


class WatchSettings(NamedTuple):
    """What a resource watches. config None means the default file. grace and fall None mean the values in that file."""

    name: str = ""
    config: str | None = None
    attribute: str = ""
    grace: float | None = None
    fall: int | None = None

    @property
    def attribute_name(self) -> str:
        """The node attribute that tells the state of the service."""
        return self.attribute or f"xha-service-{self.name}"


def parse_service_name(text: str) -> str:
    """Return a service's name in the form of xha.conf. :raises ValueError: naming the text."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,62}", text):
        raise ValueError(f"{text!r} is no service: a name is of a-z, 0-9, dot, dash and underscore")
    return text


def parse_attribute_name(text: str) -> str:
    """Return the name of a node attribute. :raises ValueError: naming the text."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}", text, re.ASCII):
        raise ValueError(f"{text!r} is no attribute: a name is of letters, digits, dot, dash and underscore")
    return text


def parse_fall(text: str) -> int:
    """Return a number of results. :raises ValueError: naming the text."""
    from ..services.model.values import parse_count

    return parse_count(text)


PARAMETERS = (
    Parameter(
        "name",
        parse_service_name,
        "",
        "Service to watch",
        "A service of xha-check list, as keystone, rabbitmq, haproxy or memcached; or NAME of a section "
        "[service NAME] of xha.conf, where its address, its account and its process stand.",
        required=True,
    ),
    Parameter(
        "config",
        parse_path,
        "/etc/xha/xha.conf",
        "xha's configuration",
        "Another file in place of /etc/xha/xha.conf. A default file that is absent means defaults; one that is named "
        "here has to be there. Secrets are in files that it names: the environment and the systemd credentials of "
        "xha-services do not reach an agent.",
        reloadable=True,
    ),
    Parameter(
        "attribute",
        parse_attribute_name,
        "",
        "Node attribute to set",
        "The attribute that constraints go by; without it xha-service-NAME, with the service's name. Whose fault it is "
        "stands in a second one, whose name ends in -blame.",
    ),
    Parameter(
        "grace",
        parse_seconds,
        "",
        "How long after its process's start a service may fail",
        "Within this time of its process's start, a service that fails its check keeps its attribute. Without it what "
        "xha.conf says.",
        reloadable=True,
    ),
    Parameter(
        "fall",
        parse_fall,
        "",
        "How many failed checks count",
        "So many results in a row at one level find the service itself broken before it counts. A process that is "
        "gone counts at once, and so does a service that was never seen to work. Without it what xha.conf says, or 3.",
        kind="integer",
        reloadable=True,
    ),
)


def parse_watch_settings(environment: Mapping[str, str]) -> tuple[WatchSettings, tuple[BadParameter, ...]]:
    """Return the settings in the environment, with defaults for values that cannot be used, and the errors."""
    values, bad = parse_values(environment, PARAMETERS)
    # The default file may be absent; a file that somebody names may not.
    if values.get("config") == next(one.default for one in PARAMETERS if one.name == "config"):
        del values["config"]
    return WatchSettings(**values), bad
