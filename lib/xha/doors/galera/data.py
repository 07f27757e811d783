"""This host's data directory: where its data end, and what xha keeps beside them.

What could not be read is not absent, and what could not be looked at is not empty: both are Kind.UNKNOWN, with a cause.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...adapters.datadir.contents import RECORD, DataDirectory
from ...adapters.datadir.hold import InUse
from ...adapters.datadir.suspects import find_suspects
from ...adapters.lifecycle.launch import recover
from ...adapters.mysqld.error_log import read_log
from ...adapters.mysqld.program import Unusable
from ...core.galera.error_log import is_permanent
from ...core.galera.node_record import NodeRecord
from ...core.galera.position import NO_UUID, Kind, Position, Standing, classify

if TYPE_CHECKING:
    from ...adapters.datadir.contents import Contents
    from ...adapters.files.agent_rundir import RunDir
    from ...adapters.mysqld.program import Program
    from ...core.galera.position import GraState

RECOVERY_SECONDS = 3600.0
# How long after a look that failed the next one comes: twice as long each time.
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 30.0


class Unknown(Exception):
    """It cannot be found out what the data are worth; the text says why. permanent: no second try mends it."""

    def __init__(self, text: str, *, permanent: bool = False) -> None:
        super().__init__(text)
        self.permanent = permanent


class OwnData:
    """The data directory.

    standing: what the data of a stopped server are worth; None: nobody has looked (since the server ran). record: the
    one beside the data; reading it raises OSError where it is there and cannot be read. grastate_safe: Galera's own
    flag. is_permanent: what the last look failed by comes back until somebody changes an option or a permission.
    """

    def __init__(self, program: Program, run: RunDir) -> None:
        self.program, self.run = program, run
        self.directory = DataDirectory(program.datadir, program.account.owner)
        self.standing: Standing | None = None
        self.grastate_safe = self.is_permanent = False
        self._record: NodeRecord | None = None
        self._pause, self._again_at = 0.0, 0.0

    @property
    def record(self) -> NodeRecord:
        """The node's record. :raises OSError: where nobody knows what it says."""
        if self._record is None:
            self._record = self._read_record() or NodeRecord()
        return self._record

    @record.setter
    def record(self, record: NodeRecord) -> None:
        self._record = record

    def _read_record(self) -> NodeRecord | None:
        """Return the record beside the data, None where there is none. :raises OSError: if it cannot be read."""
        record = self.directory.read_record()
        if record is None and self.directory.has_record():
            path = f"{self.program.datadir}/{RECORD}"
            raise OSError(
                f"{path} is there and is no record that this version of xha reads: install the version that wrote it, "
                "or if it is damaged, move it away: it says only which history the data belong to"
            )
        return record

    @property
    def is_created(self) -> bool:
        """Whether a database was created here, and to the end."""
        return self.directory.read_contents().initialised and not self.directory.has_creation_mark()

    # --- where the data end

    @property
    def is_unknown(self) -> bool:
        """Whether somebody has looked at the data of the stopped server, in vain."""
        return self.standing is not None and self.standing.kind is Kind.UNKNOWN

    @property
    def is_due(self) -> bool:
        """Whether to look now: nobody has yet, or nobody could and the pause is over."""
        return self.standing is None or (self.is_unknown and time.monotonic() >= self._again_at)

    def look_again(self) -> None:
        """Have the next look at once: somebody asks for it."""
        self._pause = self._again_at = 0.0

    def recover(self) -> Standing:
        """Find out where the data end; the server's own crash recovery may take long.

        Nothing is run where the data cannot have an end: an empty directory, or one that was given up. What cannot be
        found out is Kind.UNKNOWN with the cause, and is looked for again after a pause that grows; where somebody uses
        the data, it stays short: that may be over at any moment.
        """
        self.is_permanent = False
        try:
            self.standing = self._look()
            self._pause = 0.0
        except InUse as error:
            self._put_off(str(error), FIRST_PAUSE)
        except (Unknown, Unusable, OSError) as error:
            self.is_permanent = isinstance(error, Unknown) and error.permanent
            self._put_off(str(error), min(2 * self._pause or FIRST_PAUSE, LONGEST_PAUSE))
        assert self.standing is not None
        return self.standing

    def _put_off(self, cause: str, pause: float) -> None:
        self.standing, self._record = Standing(Kind.UNKNOWN, cause=cause), None
        self._pause, self._again_at = pause, time.monotonic() + pause

    def _look(self) -> Standing:
        """:raises InUse, Unknown, Unusable, OSError: where it cannot be told."""
        contents, marked = self.directory.read_contents(), self.directory.has_creation_mark()
        grastate = self.directory.read_grastate()
        self.record = self._choose_record(contents, grastate)
        position = None
        if not self.record.discarded and self._may_end(contents, marked):
            position, grastate = self._recover(grastate)
        standing = classify(
            grastate,
            position,
            contents.user_schemas,
            clean_stop=self.record.clean_stop,
            transfer_begun=contents.transfer_begun,
            discarded=self.record.discarded,
        )
        self.grastate_safe = bool(grastate and grastate.safe_to_bootstrap)
        if contents.transfer_begun and standing.kind is Kind.EMPTY and not self.record.superseded:
            self.remember(self.record._replace(superseded=True))
        return standing

    def _may_end(self, contents: Contents, marked: bool) -> bool:
        """Return whether a database is here that has an end. :raises Unknown: for what looks like a part of one."""
        if contents.initialised:
            return contents.user_schemas or not marked  # half of a creation has none
        if contents.user_schemas and not (contents.transfer_begun or marked):
            raise Unknown(
                f"{self.program.datadir} holds directories with files, and no schema mysql: it is a part of a "
                "database, or none; mount or restore all of it, or remove what is not the database's"
            )
        return False

    def _recover(self, grastate: GraState | None) -> tuple[Position, GraState | None]:
        """Run the server's recovery; return the position, and the saved state as it is from now on."""
        recovery = recover(self.program, time.monotonic() + RECOVERY_SECONDS)
        log = self.run.write_recovery_log(recovery.log)
        if recovery.position is None:
            said = "; ".join((recovery.failure, *find_suspects(self.program), f"all that it said: {log}"))
            raise Unknown(said, permanent=is_permanent(recovery.errors))
        if recovery.inconsistent or self.record.inconsistent:
            grastate = self._doubt(grastate)
        return recovery.position, grastate

    def _doubt(self, grastate: GraState | None) -> GraState | None:
        """Have the next join be a full transfer, as Galera itself does with who was voted out; return the new state."""
        if grastate is not None and grastate.uuid != NO_UUID:
            log_tail = read_log(self.program.account, self.program.log)
            self.directory.quarantine(f"{self.program.datadir} lacks rows that its position promises", log_tail)
            self.directory.write_grastate(Position(), safe_to_bootstrap=False)
        self.remember(self.record._replace(inconsistent=True))
        return self.directory.read_grastate()

    def _choose_record(self, contents: Contents, grastate: GraState | None) -> NodeRecord:
        """Return the record beside the data; of data that a join has brought since, what was to be recorded of them."""
        record = self._read_record()
        arrived = grastate is not None and grastate.uuid != NO_UUID and not contents.transfer_begun
        return record or (self.run.read_joining() if arrived else None) or NodeRecord()

    def remember(self, record: NodeRecord) -> None:
        """Write the node's record where it changed, or where a state transfer swept it away."""
        if record != self.record or self.directory.read_record() != record:
            self.directory.write_record(record)
        self.record = record

    def note_unreplicated(self) -> bool:
        """Write down that the server was seen without replication; return whether that was news.

        From then on the data are in doubt: they may hold rows that no other member has. Only a full copy, or a person
        who forms the cluster with them, ends that.
        """
        if self.record.inconsistent:
            return False
        self.remember(self.record._replace(inconsistent=True, clean_stop=None))
        return True
