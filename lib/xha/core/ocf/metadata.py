"""Renders an agent's meta-data: OCF 1.1, valid by pcs's schema.

ocf-tester validates them with ra-api-1.dtd, which is of OCF 1.0: it complains of `reloadable` and `reload-agent`, and
of nothing else. Declarations of our own would please it, but Pacemaker 3.0's controller logs a failed assertion for
each node of a document that is neither element, text nor comment (measured).
"""

from __future__ import annotations

from ..text.light_typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .api import Action
    from .galera_parameters import Parameter


class Description(NamedTuple):
    """One agent, for its meta-data and its man page. long is a list of paragraphs, example a list of shell lines.

    restarted: what starts again if a parameter changes that is not reloadable. exit_codes and files: each with its
      meaning. table: the source file of the parameters.
    """

    agent: str
    short: str
    long: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    actions: tuple[Action, ...]
    table: str
    restarted: str
    exit_codes: tuple[tuple[int, str], ...]
    files: tuple[tuple[str, str], ...]
    example: tuple[str, ...]
    see_also: str


def render_metadata(version: str, about: Description) -> str:
    """Return an agent's meta-data as XML in ASCII. version is the version of the agent.

    The XML declares no encoding: crmsh passes a decoded string to lxml, and lxml refuses such a string if it declares
    one.
    """
    parameters = "\n".join(_render_parameter(one) for one in about.parameters)
    actions = "\n".join(_render_action(one) for one in about.actions)
    paragraphs = "\n\n".join(_escape(paragraph) for paragraph in about.long)
    name = about.agent.rpartition(":")[2]
    return (
        f'<?xml version="1.0"?>\n<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">\n'
        f'<resource-agent name="{name}" version="{_escape(version)}">\n<version>1.1</version>\n'
        f'<longdesc lang="en">\n{paragraphs}\n</longdesc>\n<shortdesc lang="en">{_escape(about.short)}</shortdesc>\n'
        f"<parameters>\n{parameters}\n</parameters>\n<actions>\n{actions}\n</actions>\n</resource-agent>\n"
    )


def _render_parameter(one: Parameter) -> str:
    reloadable = ' reloadable="1"' if one.reloadable else ""
    # No default attribute if the value is found on the host: an empty one would be shown as a value.
    default = f' default="{_escape(one.default)}"' if one.default else ""
    return (
        f'<parameter name="{one.name}" required="{int(one.required)}"{reloadable}>\n'
        f'<longdesc lang="en">{_escape(one.long)}</longdesc>\n'
        f'<shortdesc lang="en">{_escape(one.short)}</shortdesc>\n'
        f'<content type="{one.kind}"{default}/>\n</parameter>'
    )


def _render_action(one: Action) -> str:
    interval = "" if one.interval is None else f' interval="{one.interval}s"'
    depth = "" if one.depth is None else f' depth="{one.depth}"'
    return f'<action name="{one.name}" timeout="{one.timeout}s"{interval}{depth}/>'


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
