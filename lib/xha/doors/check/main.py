"""xha-check: the truth about a node, a cluster or a service, for an operator, Nagios and cron."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ...core.node.verdict import NagiosCode
from ..terminal.streams import abandon_stdout, mend_streams
from .command import parse_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .command import Command


def main(argv: Sequence[str] | None = None) -> int:
    """Run xha-check and return its exit code."""
    mend_streams()
    try:
        try:
            return _main(sys.argv[1:] if argv is None else argv)
        finally:
            sys.stdout.flush()  # here, where a full disk or a reader that has left can still be answered for
    except BrokenPipeError:  # `xha-check cluster | head`
        abandon_stdout()
    except OSError as error:
        abandon_stdout()
        print(f"xha-check: standard output: {(error.strerror or str(error)).lower()}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # a user gets a sentence, syslog the traceback
        from ...adapters.host.faults import Faults
        from ...adapters.host.log import Log

        said = Faults(Log("xha-check", use_syslog=True)).note("xha-check", error)
        print(f"xha-check: a fault of its own: {said}; syslog has where", file=sys.stderr)
    return NagiosCode.UNKNOWN


def _main(arguments: Sequence[str]) -> int:
    from ...core.text.values import ConfigError

    command = parse_command(arguments)
    try:
        return command.subcommand.load().run(command.request)
    except ConfigError as error:
        return _complain(command, f"{error}")


def _complain(command: Command, message: str) -> int:
    """Say on the stream and in the form that the caller reads why there is no answer."""
    if getattr(command.request, "output", None) == "nagios":
        from ...core.node.report import nagios_text

        print(nagios_text(f"{command.subcommand.nagios} UNKNOWN: {message}"))
    else:
        print(f"xha-check: {message}", file=sys.stderr)
    return NagiosCode.UNKNOWN
