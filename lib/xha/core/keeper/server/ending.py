"""How the keeper stops its server, and what it makes of the end of one: it says so, counts a failed start, and tells
Pacemaker at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...galera.error_log import is_permanent, tell
from ...monitor.keeper_status import DEAF_SECONDS, Phase, name_process
from ...monitor.start_failures import Failure, add_failure, is_hopeless
from ...pacemaker.guards import TellingAllowed
from ...pacemaker.telling import Telling, find_objection
from ..children import STOPPING
from ..effects import Retract, Stop, TellFailure, WriteFailures
from ..results import begin_anew, give_up
from .looks import is_deaf

if TYPE_CHECKING:
    from ...pacemaker.guards import Guard
    from ..effects import Discard, RecordLine
    from ..memory import Ending
    from ..turn import Turn

STOP_SECONDS = 60.0


def stop_server(turn: Turn, *guards: Guard, behind: tuple[Discard | RecordLine, ...] = ()) -> None:
    """Stop the server. One that waits for its group, or was evicted, serves nobody, and does not heed SIGTERM.

    Neither does one that has left its group while it joined (it ended 45 s behind SIGTERM, after "Receiving IST failed,
    node restart required"). It never was Primary: nothing that was acknowledged is lost with it. behind: what is done
    once it has ended.
    """
    turn.log(STOPPING, warning=True)
    turn.stops = True
    memory = turn.memory
    deaf = is_deaf(memory) or memory.stall.shut_out or (memory.is_pending and memory.has_left)
    turn.do(Stop(DEAF_SECONDS if deaf else STOP_SECONDS, behind), *guards)


def note_end(turn: Turn, ending: Ending) -> None:
    """The server has ended and nobody here stopped it."""
    said = f": {tell(ending.errors)}" if ending.errors else ""
    turn.do(Retract())
    turn.note(finishing=("ending",))
    begin_anew(turn)
    if ending.served or ending.launched is None:
        # Pacemaker counts it, and starts the node again. Until then this keeper only tells where the data end: the
        # others need not wait for that.
        turn.note(halted=f"mysqld has ended{said}", telling=Telling(ending.server))
        turn.say(Phase.ENDED, turn.memory.halted)
        turn.set_ready(False)
        return
    count_failure(turn, f"mysqld ended while it was {ending.launched.phase.value}{said}", ending.errors)


def count_failure(turn: Turn, reason: str, errors: tuple[str, ...]) -> bool:
    """Note that a start failed; return whether another one is to be tried here."""
    failures = add_failure(turn.data.failures, Failure(turn.now, tell(errors) or reason))
    turn.do(WriteFailures(failures))
    permanent = is_permanent(errors)
    if permanent or is_hopeless(failures, turn.now):
        again = "" if permanent else "; the same for the third time within 10 minutes"
        give_up(turn, f"{reason}{again}: mend it, then pcs resource cleanup")
        return False
    turn.log(reason, warning=True)
    return True


def tell_pacemaker(turn: Turn) -> None:
    """Tell Pacemaker of the end of a server, once it has been looked for where its data end, if nobody objects.

    Its stop ends this keeper, and with it a recovery that still runs: the next keeper would begin anew. A server whose
    node an operator has withdrawn from the traffic serves nobody: the next monitor is early enough, also where nobody
    knows whether he has.
    """
    writer = turn.seen.writer
    away = writer is not None and (writer.policy is None or writer.withdrawal is not None)
    if not turn.memory.telling.is_due or turn.memory.standing is None or away:
        return
    if not find_objection(turn.cluster.cib, turn.me):
        turn.do(TellFailure(name_process(*turn.memory.telling.server)), TellingAllowed())
