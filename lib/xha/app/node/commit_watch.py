"""What the resident responder keeps in mind of one server: its last readings, a commit probe, the room on its disks.

The probe and the disks have a thread each, and each may wait for as long as the server or a file system does. Nothing
else waits for them: `note` is called with each reading, and judges from what they have left.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from ...core.config.xha_conf import ProbeSwitch
from ...core.node.codes import Code
from ...core.node.commit_record import CommitRecord
from ...core.node.commit_rules import judge_commits
from ...core.node.commits import (
    KEPT_LOOKS,
    KEPT_SECONDS,
    Commits,
    LastProbe,
    Limits,
    ProbeState,
    proves_itself,
    take_look,
    why_no_probe,
)
from ...core.text.escape import clean

if TYPE_CHECKING:
    from typing import Callable

    from ...adapters.mysql import commit_probe
    from ...adapters.mysql.login_target import Target
    from ...core.config.xha_conf import Config, Database
    from ...core.galera.reading import Reading, Variables
    from ...core.node.commits import Moment, Room

# Nobody has asked for so long: the probe and the disks rest.
_ASKED_SECONDS = 30.0
_PERIOD = 1.0
# While clients commit, the probe's thread looks so often whether they have within the last half second. With less
# patience, every node is written to; with more, it takes too long to notice that they stopped.
_TICK, _OWN_SECONDS = 0.2, 0.5
# A commit is late after this share of the deadline of a query: the probe is sent up to a second after writes stop, and
# both together are below 2 s.
_LATE_SHARE = 0.75
# After an error that a person has to mend (no table, no right), the probe waits for so long.
_REST_SECONDS = 10.0
# A server that lets a reading wait for so long is asked nothing else: a hung server costs one connection.
_SILENT_SECONDS = 0.5
# Disks that are examined since longer than this do not answer; what was seen longer ago is not told.
_DISKS_SECONDS = 10.0
# A failed probe is repeated each second. What failed longer ago may be well again, or the server does not answer now.
_FAILED_SECONDS = 5.0
_LONGEST = 300
# The record is believed for 5 s.
_WRITE_SECONDS = 2.0


class _Job(NamedTuple):
    """What the newest reading asks of the threads. why_not: why the node must not be written to, "" if it may be."""

    database: Database
    node: str
    why_not: str
    directories: dict[str, str]


class CommitWatch:
    """Judges the commits of one server. resolve returns the login target of a configuration."""

    def __init__(self, resolve: Callable[[Database], Target], tell: Callable[[str], None]) -> None:
        self._resolve, self._tell = resolve, tell
        self._looks: deque[Moment] = deque(maxlen=KEPT_LOOKS)
        self._server: str | None = None
        self._job: _Job | None = None
        self._asked_at = float("-inf")
        self._silent_since: float | None = None
        self._asked = [threading.Event(), threading.Event()]
        self._probe, self._sent, self._convicted = LastProbe(), 0, 0.0
        self._connection: commit_probe.CommitProbe | None = None
        self._connected_to: Database | None = None
        self._out: LastProbe | None = None
        self._lock_seconds = 0.0
        self._rest_until = float("-inf")
        self._rooms: tuple[Room, ...] = ()
        self._rooms_at, self._examined_since = float("-inf"), float("inf")
        self._written: Commits | None = None
        self._written_at, self._complained, self._started = float("-inf"), False, False

    def begin(self) -> None:
        """Note that the server is asked for a reading. Until it answers, no connection is opened to it."""
        self._silent_since = self._silent_since or time.monotonic()

    def wants_threads(self, reading: Reading) -> bool:
        """Return whether it matters what the server's threads do: a stall, or a late commit, is to be explained."""
        probe = self._probe
        late = probe.state is ProbeState.WAITING and time.monotonic() - probe.since > _PERIOD / 5
        return late or bool(reading.status.wsrep_flow_control_requested)

    def note(self, reading: Reading, config: Config, disabled: bool, local: bool) -> Commits:
        """Keep a reading, and return what is known. local: the server runs on this host, and so do its disks."""
        now, self._silent_since = time.monotonic(), None
        why_not = why_no_probe(reading, disabled)
        if config.database.commit_probe is ProbeSwitch.OFF:
            why_not = "commit_probe = off in xha.conf"
        node = reading.variables.wsrep_node_name or reading.variables.hostname or ""
        directories = _directories(reading.variables) if local else {}
        self._job, self._asked_at = _Job(config.database, node, why_not, directories), now
        self._start()
        self._keep(reading, now, config.responder.stall_after)
        # A probe that was sent before still waits, for instance for the lock of a backup: the node's state says it.
        probe = LastProbe(text=why_not) if why_not else self._last_probe(now)
        probe = probe._replace(convicted=probe.state is ProbeState.WAITING and probe.since == self._convicted)
        late = config.responder.deadline * _LATE_SHARE + self._lock_seconds
        limits = Limits(config.responder.stall_after, late)
        rooms = self._rooms if now - self._rooms_at <= _DISKS_SECONDS else ()
        commits = judge_commits(tuple(self._looks), probe, rooms, now, limits)
        if commits.code is Code.CANNOT_COMMIT and probe.state is ProbeState.WAITING:
            self._convicted = probe.since
        commits = self._warn_of_disks(commits, directories, now)
        if config.responder.commit_file is not None:
            self._write(config.responder.commit_file, commits, reading.status.wsrep_gcomm_uuid, now)
        return commits

    def _last_probe(self, now: float) -> LastProbe:
        last = self._probe
        if last.state is not ProbeState.FAILED or now - last.since <= _FAILED_SECONDS:
            return last
        return self._out or last._replace(state=ProbeState.NONE, text="the last probe is too old")

    def _keep(self, reading: Reading, now: float, stall_after: float) -> None:
        kept = max(KEPT_SECONDS, 2 * stall_after)
        server = reading.status.wsrep_gcomm_uuid
        if server != self._server:
            self._looks.clear()
            self._server = server
        # However many ask, the readings that are kept reach back as far.
        if len(self._looks) > 1 and now - self._looks[-2].at < kept / (0.75 * KEPT_LOOKS):
            self._looks.pop()
        self._looks.append(take_look(reading, now, self._sent))
        while self._looks[0].at < now - kept:
            self._looks.popleft()

    def _warn_of_disks(self, commits: Commits, directories: dict[str, str], now: float) -> Commits:
        since = self._examined_since
        if not directories or now - since < _DISKS_SECONDS:
            return commits
        warning = (
            f"a file system of the server does not answer since {now - since:.0f} s: one of {', '.join(directories)}"
        )
        return commits._replace(warnings=(*commits.warnings, warning))

    def _write(self, path: str, commits: Commits, server: str | None, now: float) -> None:
        last = self._written
        changed = last is None or (last.code, bool(last.unknown)) != (commits.code, bool(commits.unknown))
        if not server or (now - self._written_at < _WRITE_SECONDS and not changed):
            return
        from ...adapters.files.commit_file import write_commit_file

        self._written_at, self._written = now, commits
        try:
            write_commit_file(path, CommitRecord(commits, now, server))
            self._complained = False
        except OSError as error:
            if not self._complained:
                self._complained = True
                why = (error.strerror or "unwritable").lower()
                self._tell(
                    f"{path}: {why}: xha-check, clustercheck and the agent do not learn whether the node commits"
                )

    def _start(self) -> None:
        for event in self._asked:
            event.set()
        if not self._started:
            self._started = True
            for turn, event in zip((self._turn_probe, self._turn_disks), self._asked):
                # Daemon threads: neither a server nor a file system that hangs keeps the process from ending.
                threading.Thread(target=self._run, args=(turn, event), name="commits", daemon=True).start()

    def _run(self, turn: Callable[[_Job], float], asked: threading.Event) -> None:
        while True:
            if time.monotonic() - self._asked_at > _ASKED_SECONDS:
                asked.clear()
                asked.wait()
            job, pause = self._job, _PERIOD
            # The thread lives on, whatever happens; what it could not find out is not known.
            with contextlib.suppress(Exception):
                if job is not None:
                    pause = turn(job)
            time.sleep(pause)

    def _turn_disks(self, job: _Job) -> float:
        from ...adapters.host.disk_room import read_rooms

        self._examined_since = time.monotonic()
        self._rooms = read_rooms(job.directories)
        self._rooms_at, self._examined_since = time.monotonic(), float("inf")
        return _PERIOD

    def _turn_probe(self, job: _Job) -> float:
        """Write the row if it is time, and return when to look again, in seconds."""
        now = time.monotonic()
        recent = [look for look in tuple(self._looks) if now - look.at <= _OWN_SECONDS]
        if job.why_not:
            self._say(ProbeState.NONE, job.why_not)
        elif proves_itself(recent) and self._probe.state is not ProbeState.FAILED:
            self._say(ProbeState.NONE, "nobody has looked since clients committed here")
            return _TICK
        elif now >= self._rest_until and now - (self._silent_since or now) < _SILENT_SECONDS:
            self._rest_until = now + _PERIOD
            self._send(job)
        return min(_PERIOD, max(_TICK, self._rest_until - time.monotonic()))

    def _say(self, state: ProbeState, text: str) -> None:
        self._probe = LastProbe(state, time.monotonic(), text, self._probe.done_at, self._probe.seconds)

    def _send(self, job: _Job) -> None:
        from ...adapters.mysql.commit_probe import AGAIN, cannot_store
        from ...adapters.mysql.session import ReadError

        try:
            connection = self._connect(job.database)
            if connection is None:
                return
            ordered, began = connection.count_ordered(), time.monotonic()
            last = self._probe
            self._out = LastProbe(ProbeState.WAITING, began, "", last.done_at, last.seconds, ordered=ordered)
            if last.state is not ProbeState.FAILED:  # it stays failed until one succeeds
                self._probe = self._out
            self._sent += 1
            connection.write(job.node)
            now = time.monotonic()
            self._probe = LastProbe(ProbeState.DONE, now, "", now, now - began)
        except ReadError as error:
            text = clean(str(error), _LONGEST) or error.unreadable.code.value
            if cannot_store(error.errno, text):
                self._say(ProbeState.FAILED, text)
            elif error.errno in AGAIN:
                self._say(ProbeState.AGAIN, f"the probe met a lock or a conflict: {text}")
            else:
                self._say(ProbeState.NONE, f"no probe (docs/commits.md): {text}")
                for_a_person = error.errno or error.unreadable.code is Code.CONFIG_ERROR
                self._rest_until = time.monotonic() + (_REST_SECONDS if for_a_person else _PERIOD)
        except Exception as error:  # as a ConfigError: whatever was known before is not known now
            self._say(ProbeState.NONE, f"no probe: {clean(str(error), _LONGEST) or type(error).__name__}")
        finally:
            self._out = None

    def _connect(self, database: Database) -> commit_probe.CommitProbe | None:
        """Return a connection on which no statement is out; None while that of an earlier process waits."""
        from ...adapters.mysql.commit_probe import CommitProbe as Connection

        kept = self._connection
        if kept is not None and kept.is_open and self._connected_to == database:
            return kept
        if kept is not None:
            kept.close()
        self._connection, self._connected_to = None, database
        connection = Connection(self._resolve(database))
        self._lock_seconds = connection.lock_seconds
        before = connection.find_outstanding()
        if before is None:
            connection.check_table()
            self._connection = connection
            return connection
        connection.close()
        since = time.monotonic() - before
        last = self._probe
        self._say(ProbeState.WAITING, "")
        self._probe = self._probe._replace(since=min(since, last.since) if last.state is ProbeState.WAITING else since)
        return None


def _directories(variables: Variables) -> dict[str, str]:
    """Return the directories that a commit may write to, by the name of their variable."""
    datadir = variables.datadir or ""
    log = variables.log_bin_basename
    redo = variables.innodb_log_group_home_dir
    found = {
        "datadir": datadir,
        "log_bin": os.path.dirname(log) if log else "",
        "innodb_log_group_home_dir": os.path.normpath(os.path.join(datadir, redo)) if redo and datadir else "",
    }
    for number, path in enumerate((variables.tmpdir or "").split(":")):
        found["tmpdir" if number == 0 else f"tmpdir-{number + 1}"] = path
    return {name: path for name, path in found.items() if path.startswith("/")}
