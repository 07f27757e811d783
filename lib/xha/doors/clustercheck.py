"""clustercheck: a drop-in replacement for percona-clustercheck and the versions of Red Hat and Percona made from it.

Options, bytes and exit codes are theirs (github.com/olafz/percona-clustercheck d5da8be, and Percona's script of 2026
with its leading `-`). The decision is xha's.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from typing import TYPE_CHECKING, NamedTuple

from ..adapters.files.config_files import LEGACY_DISABLED_FILE, read_sysconfig, read_withdrawal
from ..adapters.process.descriptors import inherited_socket, point_at_null
from ..core.config.xha_conf import (
    DEFAULT_SERVER_USER,
    Config,
    Database,
    Responder,
)
from ..core.http.clustercheck_body import Body, render_clustercheck
from ..core.node.verdict import Code, LastNode, Policy, Unreadable, Verdict, judge, judge_withdrawal
from ..core.text.values import ConfigError, parse_port
from .terminal.streams import abandon_stdout, mend_streams

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..adapters.mysql.login_target import Target
    from ..app.responder.asked import ProgramSettings

USAGE = (
    "Usage: {program} <user> <pass> <available_when_donor=0|1> <log_file> <available_when_readonly=0|1> "
    "<defaults_extra_file>\n"
)
POSITIONS = (
    "MYSQL_USERNAME",
    "MYSQL_PASSWORD",
    "AVAILABLE_WHEN_DONOR",
    "ERR_FILE",
    "AVAILABLE_WHEN_READONLY",
    "DEFAULTS_EXTRA_FILE",
)
DEFAULTS = {
    "MYSQL_USERNAME": "clustercheckuser",
    "MYSQL_PASSWORD": "clustercheckpassword!",
    "AVAILABLE_WHEN_DONOR": "0",
    "ERR_FILE": os.devnull,
    "AVAILABLE_WHEN_READONLY": "1",
    "DEFAULTS_EXTRA_FILE": "/etc/my.cnf",
    "MYSQL_HOST": "",
    "MYSQL_PORT": "",
    "MYSQL_SERVER_USER": DEFAULT_SERVER_USER,
}
# With the original script's own disabled file.
_FILES = Responder(legacy_disabled_file=LEGACY_DISABLED_FILE)
_PASSWORD = "MYSQL_PASSWORD"  # noqa: S105 - the name of the variable
# If these are given as empty arguments, the option file supplies them.
_MAY_BE_EMPTY = ("MYSQL_USERNAME", _PASSWORD)


def main(argv: list[str] | None = None) -> int:
    """Answer on standard output, or on the socket that xinetd left at descriptor 0. Return 0 for 200, otherwise 1."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments and arguments[0] in ("-h", "--help"):
        print(USAGE.format(program=sys.argv[0]), end="", flush=True)
        return 0
    mend_streams()
    client = _client()
    try:
        verdict = _judge(arguments)
    except Exception as error:  # the caller gets an answer, never a traceback
        _log(f"{type(error).__name__}: {error}")
        verdict = judge(Unreadable(Code.CONFIG_ERROR), Policy())
    _answer(client, render_clustercheck(verdict, Body.PERCONA))
    return 0 if verdict.available else 1


def _client() -> socket.socket | None:
    """Return the client's connection if xinetd or systemd left one at descriptor 0, and detach from it.

    A socket of another kind is a pipe, as ssh and cron make them.
    """
    client = inherited_socket()
    if client is None:
        return None
    if client.family not in (socket.AF_INET, socket.AF_INET6):
        client.close()
        return None
    # Otherwise a line on standard error would reach HAProxy before the status line.
    point_at_null(0, 1, 2)
    return client


def _judge(arguments: list[str]) -> Verdict:
    # As in the original script, this comes before any setting is read.
    withdrawal = read_withdrawal(_FILES)
    if withdrawal:
        return judge_withdrawal(withdrawal)  # 503 either way: the script knows two answers
    from ..app.node.reader import Reader

    settings = ClustercheckSettings.read(arguments, os.environ)
    warnings: list[str] = []

    def resolve(database: Database) -> Target:
        target = settings.target(database)
        warnings.extend(target.warnings)
        return target

    snapshot = Reader(settings, resolve=resolve).take_once()
    reasons = [snapshot.verdict.message, *warnings] if isinstance(snapshot.reading, Unreadable) else []
    _write_error_file(settings.error_file, "\n".join(reasons))
    return snapshot.verdict


def _positional(arguments: list[str]) -> dict[str, str]:
    # Percona's own form: `clustercheck - donor log readonly file`, the account only from the file.
    if arguments[:1] == ["-"]:
        arguments = ["", "", *arguments[1:]]
    given = dict(zip(POSITIONS, arguments))
    return {name: value for name, value in given.items() if value or name in _MAY_BE_EMPTY}


def _given(values: Mapping[str, str]) -> dict[str, str]:
    # As with the script's ${NAME:=default}, an empty value counts as not given. The password is an exception.
    return {name: values[name] for name in DEFAULTS if values.get(name) or (name in values and name == _PASSWORD)}


class ClustercheckSettings(NamedTuple):
    """clustercheck's settings, in this order: arguments, environment, /etc/sysconfig and /etc/default, defaults."""

    config: Config
    user: str
    password: str
    error_file: str
    environment: Mapping[str, str]

    @classmethod
    def read(cls, arguments: list[str], environment: Mapping[str, str]) -> ClustercheckSettings:
        """Gather the settings. A value that is no valid switch or port counts as the original's default."""
        values = {**DEFAULTS, **_given(read_sysconfig()), **_given(environment), **_positional(arguments)}
        database = Database(
            defaults_file=values["DEFAULTS_EXTRA_FILE"],
            host=values["MYSQL_HOST"] or None,
            port=_port(values["MYSQL_PORT"]),
            server_user=values["MYSQL_SERVER_USER"],
        )
        # The last-node rule has no switch here, and the script has no such rule. What the script refuses stays refused.
        donor, readonly = values["AVAILABLE_WHEN_DONOR"] == "1", values["AVAILABLE_WHEN_READONLY"] != "0"
        policy = Policy(donor, readonly, LastNode.NEVER)
        config = Config(database, policy, _FILES)
        return cls(config, values["MYSQL_USERNAME"], values["MYSQL_PASSWORD"], values["ERR_FILE"], environment)

    def refresh(self) -> Config:
        """Return the configuration. It does not change while the program runs."""
        return self.config

    def target(self, database: Database) -> Target:
        """Return where to log in. The given account replaces that of the option file."""
        from ..adapters.mysql.login_target import read_target
        from ..adapters.mysql.option_files import read_program_options

        # As in the script, a file that may not be read is not named to `mysql`.
        extra = database.defaults_file if os.access(database.defaults_file, os.R_OK) else None
        target = read_target(database, read_program_options(extra, self.environment))
        return target._replace(user=self.user or target.user, password=self.password or target.password)


def read_settings(arguments: list[str], environment: Mapping[str, str]) -> ProgramSettings:
    """Return what clustercheck would look at with these arguments and this environment, for a resident process.

    :raises ConfigError: where the two would not do the same: a reason is to be written, or a name is no whole path.
    """
    from ..app.responder.asked import ProgramSettings

    settings = ClustercheckSettings.read(arguments, environment)
    file = settings.config.database.defaults_file
    target = settings.target(settings.config.database)
    if settings.error_file != os.devnull or not all(path.startswith("/") for path in (file, target.socket or "/")):
        raise ConfigError("ERR_FILE is written, and a relative path is found, by clustercheck itself")
    return ProgramSettings(settings.config, target)


def _port(text: str) -> int | None:
    try:
        return parse_port(text) if text else None
    except ValueError:
        return None


def _write_error_file(path: str, message: str) -> None:
    """Write the reason into ERR_FILE. If that fails, the fault goes to syslog, and the verdict stays the same."""
    if path == os.devnull:
        return
    from ..adapters.files.report_file import write_report

    try:
        write_report(path, f"{message}\n" if message else "")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        _log(f"{path}: {reason}; the reason was: {message or 'none'}")


def _log(text: str) -> None:
    import syslog

    syslog.openlog("clustercheck", syslog.LOG_PID, syslog.LOG_DAEMON)
    syslog.syslog(syslog.LOG_WARNING, " ".join(text.replace("\0", " ").split()))


def _answer(client: socket.socket | None, response: bytes) -> None:
    # The client may have gone. That is no failure of this program.
    with contextlib.suppress(OSError):
        if client:
            from ..adapters.http.last_words import answer_anything

            with client:
                answer_anything(client, response)
            return
        sys.stdout.write(response.decode("ascii"))
        sys.stdout.flush()
        return
    abandon_stdout()
