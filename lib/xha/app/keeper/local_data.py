"""This host's data directory: what is kept beside the data, and where those of a stopped server end.

What could not be read is not absent, and what could not be looked at is not empty: both are Kind.UNKNOWN, with a cause.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from ...adapters.datadir.hold import InUse, data_of
from ...adapters.datadir.suspects import find_suspects
from ...adapters.lifecycle.launch import recover
from ...adapters.mysqld.error_log import read_log
from ...adapters.mysqld.program import Unusable
from ...adapters.process.procfs import read_boot_id
from ...core.election.compose_report import choose_record, judge_data
from ...core.galera.engine_files import RECORD
from ...core.galera.error_log import is_permanent
from ...core.galera.node_record import render_node_record
from ...core.galera.position import NO_UUID, Kind, Position, Standing
from ...core.keeper.observation import DataSeen
from ...core.keeper.outcomes import Done, Recovered, parse_outcome, render_outcome

if TYPE_CHECKING:
    from ...adapters.datadir.contents import Contents
    from ...adapters.files.agent_rundir import RunDir
    from ...adapters.mysqld.program import Program
    from ...core.galera.node_record import NodeRecord
    from ...core.galera.position import GraState


class Unknown(Exception):
    """It cannot be found out what the data are worth; the text says why. permanent: no second try mends it."""

    def __init__(self, text: str, *, permanent: bool = False) -> None:
        super().__init__(text)
        self.permanent = permanent


class LocalData:
    """The data directory, and what is kept of it under /run."""

    def __init__(self, program: Program, run: RunDir) -> None:
        self.program, self.run = program, run
        self.directory = data_of(program)

    # --- looking

    def see(self, *, contents: bool, saved: bool, recovered: bool = False) -> DataSeen:
        """Return what stands there. contents: also whether a database was created; saved: also grastate.dat.

        recovered: also what the keeper before this one has found out of these data.
        """
        seen = DataSeen(failures=self.run.read_failures(), joining=self.run.read_joining())
        try:
            record = self.directory.read_record()
            return seen._replace(
                record=record,
                unread=self._tell_unread() if record is None else "",
                gvwstate=self.directory.read_gvwstate(),
                grastate=self.directory.read_grastate() if saved else None,
                created=contents and self._is_created(),
                recovered=self._read_recovered() if recovered else None,
            )
        except OSError as error:
            return seen._replace(trouble=str(error))

    def _read_record(self) -> NodeRecord | None:
        """Return the record beside the data, None where there is none. :raises OSError: if it cannot be read."""
        record = self.directory.read_record()
        unread = self._tell_unread() if record is None else ""
        if unread:
            raise OSError(unread)
        return record

    def _tell_unread(self) -> str:
        """Return why the record cannot be read, "" where there is none."""
        if not self.directory.has_record():
            return ""
        return (
            f"{self.directory.state_path}/{RECORD} is there and is no record that this version of xha reads: install "
            "the version that wrote it, or if it is damaged, move it away: it says only which history the data belong "
            "to"
        )

    def read_free(self) -> int:
        """Return the room on the disk, in bytes; 0 where that is not known."""
        with contextlib.suppress(OSError):
            return self.directory.read_contents().free_bytes
        return 0

    def _is_created(self) -> bool:
        """Return whether a database was created here, and to the end."""
        return self.directory.read_contents().initialised and not self.directory.has_creation_mark()

    # --- where the data end

    def recover(self, seconds: float) -> Recovered:
        """Find out where the data end, in these seconds; the server's own crash recovery may take long.

        Nothing is run where the data cannot have an end: an empty directory, or one that was given up. What cannot be
        found out is Kind.UNKNOWN with the cause.
        """
        try:
            return self._look(time.monotonic() + seconds)
        except InUse as error:
            return Recovered(Standing(Kind.UNKNOWN, cause=str(error)), busy=True)
        except (Unknown, Unusable, OSError) as error:
            permanent = isinstance(error, Unknown) and error.permanent
            return Recovered(Standing(Kind.UNKNOWN, cause=str(error)), unmendable=permanent)

    def _read_recovered(self) -> Recovered | None:
        """Return what was found out before, if nothing has written there since, in this boot of the host."""
        try:
            key = self._name_data(self.directory.read_engine_stamp())
        except OSError:  # the recovery itself says what is wrong with them
            return None
        outcome = parse_outcome(self.run.read_recovery(key))
        found = outcome.value if isinstance(outcome, Done) else None
        return found if isinstance(found, Recovered) and found.standing.kind is Kind.INTACT else None

    def _hand_over(self, found: Recovered, stamp: str, basis: str) -> None:
        """Keep what was found out for the next keeper.

        stamp: of the engines, while nobody else could open the data. basis: what was there before the look; what
        somebody has written since, such as safe_to_bootstrap by hand, the next keeper reads itself.
        """
        with contextlib.suppress(OSError):  # then the next keeper looks itself
            key = self._name_data(stamp)
            if key and found.standing.kind is Kind.INTACT and basis == self._name_basis():
                self.run.write_recovery(key, render_outcome(Done(time.monotonic(), found)))

    def _name_basis(self) -> str:
        """Return what a look goes by, but for the record, which it writes itself; "" where that is not known."""
        with contextlib.suppress(OSError):
            joining = self.run.read_joining()
            kept = render_node_record(joining).strip() if joining else "-"
            return f"{self.directory.read_state_stamp(record=False)} {kept}"
        return ""

    def _name_data(self, stamp: str) -> str:
        """Return what a recovery goes by, "" where that is not known: the data, and what /run keeps of a join."""
        joining = self.run.read_joining()
        kept = render_node_record(joining).strip() if joining else "-"
        return f"{read_boot_id()} {self.directory.read_state_stamp()} {stamp} {kept}" if stamp else ""

    def _look(self, deadline: float) -> Recovered:
        """:raises InUse, Unknown, Unusable, OSError: where it cannot be told."""
        basis = self._name_basis()
        contents, grastate = self.directory.read_contents(), self.directory.read_grastate()
        # A state transfer by rsync leaves the mark where it is: the filter of wsrep_sst_rsync passes it over. The data
        # are then those of the cluster that grastate.dat names.
        marked = self.directory.has_creation_mark() and (grastate is None or grastate.uuid == NO_UUID)
        joining, begun = self.run.read_joining(), contents.transfer_begun
        record = choose_record(self._read_record(), joining, grastate, transfer_begun=begun)
        position, stamp = None, ""
        if not record.discarded and self._may_end(contents, marked):
            position, doubted, stamp = self._recover(record, deadline)
            if doubted:
                grastate, record = self._doubt(grastate, record)
        standing, judged = judge_data(
            record, grastate, position, user_schemas=contents.user_schemas, transfer_begun=begun
        )
        if judged != record:
            self.directory.write_record(judged)
        found = Recovered(standing, judged, bool(grastate and grastate.safe_to_bootstrap))
        self._hand_over(found, stamp, basis)
        return found

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

    def _recover(self, record: NodeRecord, deadline: float) -> tuple[Position, bool, str]:
        """Run the server's recovery; return the position, whether the data lack rows of it, and their stamp."""
        recovery = recover(self.program, deadline)
        log = self.run.write_recovery_log(recovery.log)
        if recovery.position is None:
            said = "; ".join((recovery.failure, *find_suspects(self.program), f"all that it said: {log}"))
            raise Unknown(said, permanent=is_permanent(recovery.errors))
        return recovery.position, recovery.inconsistent or record.inconsistent, recovery.stamp

    def _doubt(self, grastate: GraState | None, record: NodeRecord) -> tuple[GraState | None, NodeRecord]:
        """Have the next join be a full transfer, as Galera itself does with who was voted out.

        Return the new saved state, and the new record.
        """
        if grastate is not None and grastate.uuid != NO_UUID:
            log_tail = read_log(self.program.account, self.program.log)
            self.directory.quarantine(f"{self.program.datadir} lacks rows that its position promises", log_tail)
            self.directory.write_grastate(Position(), safe_to_bootstrap=False)
        doubted = record._replace(inconsistent=True)
        if doubted != record or self.directory.read_record() != doubted:
            self.directory.write_record(doubted)
        return self.directory.read_grastate(), doubted
