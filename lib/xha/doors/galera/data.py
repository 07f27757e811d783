"""This host's data directory: where its data end, and what xha keeps beside them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...adapters.datadir import DataDirectory
from ...adapters.error_log import read_log
from ...adapters.launch import recover
from ...core.noderecord import NodeRecord
from ...core.position import NO_UUID, Kind, Position, Standing, classify

if TYPE_CHECKING:
    from ...adapters.datadir import Contents
    from ...adapters.files.agent_rundir import RunDir
    from ...adapters.mariadbd import Program
    from ...core.position import GraState

RECOVERY_SECONDS = 3600.0


class OwnData:
    """The data directory.

    standing: what the data of a stopped server are worth, None where that is not known (any more). record: the one
    beside the data. grastate_safe: Galera's own flag. errors: what the last recovery complained of; is_silent: it was
    run, and named no position.
    """

    def __init__(self, program: Program, run: RunDir) -> None:
        self.program, self.run = program, run
        self.directory = DataDirectory(program.datadir, program.account.owner)
        self.record = self.directory.read_record() or NodeRecord()
        self.standing: Standing | None = None
        self.grastate_safe = False
        self.errors: tuple[str, ...] = ()
        self.is_silent = False

    @property
    def is_created(self) -> bool:
        """Whether a database was created here, and to the end."""
        return self.directory.read_contents().initialised and not self.directory.has_creation_mark()

    def recover(self) -> Standing:
        """Find out where the data end; the server's own crash recovery may take long. :raises InUse: if a server runs.

        Nothing is run where the data cannot have an end: an empty directory, or one that was given up.
        """
        contents = self.directory.read_contents()
        grastate = self.directory.read_grastate()
        self.record = self._read_record(contents, grastate)
        position, self.errors, self.is_silent = None, (), False
        if contents.initialised and not self.record.discarded:
            recovery = recover(self.program, time.monotonic() + RECOVERY_SECONDS)
            position, self.errors, self.is_silent = recovery.position, recovery.errors, recovery.position is None
            if recovery.inconsistent:
                grastate = self._doubt(grastate)
        self.grastate_safe = bool(grastate and grastate.safe_to_bootstrap)
        self.standing = classify(
            grastate,
            position,
            contents.user_schemas,
            clean_stop=self.record.clean_stop,
            transfer_begun=contents.transfer_begun,
            discarded=self.record.discarded,
        )
        if contents.transfer_begun and self.standing.kind is Kind.EMPTY and not self.record.superseded:
            self.remember(self.record._replace(superseded=True))
        return self.standing

    def _doubt(self, grastate: GraState | None) -> GraState | None:
        """Have the next join be a full transfer, as Galera itself does with who was voted out; return the new state."""
        if grastate is not None and grastate.uuid != NO_UUID:
            log_tail = read_log(self.program.account, self.program.log)
            self.directory.quarantine(f"{self.program.datadir} lacks rows that its position promises", log_tail)
            self.directory.write_grastate(Position(), safe_to_bootstrap=False)
        self.remember(self.record._replace(inconsistent=True))
        return self.directory.read_grastate()

    def _read_record(self, contents: Contents, grastate: GraState | None) -> NodeRecord:
        """Return the record beside the data; of data that a join has brought since, what was to be recorded of them."""
        record = self.directory.read_record()
        arrived = grastate is not None and grastate.uuid != NO_UUID and not contents.transfer_begun
        return record or (self.run.read_joining() if arrived else None) or NodeRecord()

    def remember(self, record: NodeRecord) -> None:
        """Write the node's record where it changed, or where a state transfer swept it away."""
        if record != self.record or self.directory.read_record() != record:
            self.directory.write_record(record)
        self.record = record
