"""One valid text for each JSON document that xha reads from a file or an attribute. Tests make them invalid."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

from core.facts import OTHER_UUID, UUID
from xha.core.election.facts import Grant, GrantKind
from xha.core.election.position_report import (
    PositionReport,
    State,
    Unread,
    parse_position_report,
    render_position_report,
)
from xha.core.election.stall import Eviction, StallReport, parse_stall_report, render_stall_report
from xha.core.election.writer import Claim, WriterWord, parse_writer_word, render_writer_word
from xha.core.galera.lineage import Generation, History, StopRecord
from xha.core.galera.node_record import NodeRecord, parse_node_record, render_node_record
from xha.core.galera.position import Kind, Position, View
from xha.core.galera.server_options import Ports
from xha.core.galera.status_file import parse_status_file
from xha.core.monitor.keeper_status import KeeperStatus, Phase, parse_keeper_status, render_keeper_status
from xha.core.monitor.keeper_tally import KeeperTally, parse_keeper_tally, render_keeper_tally
from xha.core.monitor.start_failures import Failure, parse_failures, render_failures
from xha.core.node.codes import Code
from xha.core.node.commit_record import CommitRecord, parse_commit_record, render_commit_record
from xha.core.node.commits import Commits
from xha.core.node.writer_rule import WriterRecord, parse_writer_record, render_writer_record
from xha.core.ocf.galera_settings import Settings, load_settings, render_settings
from xha.core.ocf.service_rule import Sight, Watch, parse_watch, render_watch
from xha.core.pacemaker.cib_records import (
    BadRecord,
    parse_book,
    record_name,
    render_eviction,
    render_grant,
    render_line,
    render_stop,
)
from xha.core.services.last_result import Record, parse_record, render_record
from xha.core.services.model.result import Level, failed

LINE = (Generation("b" * 16, "a" * 16, 12, ("n1", "n2")), Generation("a" * 16, "", 3))
VIEW = View(f"{UUID} 7", (UUID, OTHER_UUID))
RECORD = Record(failed("keystone", Level.DEEP, "no answer")._replace(duration_ms=12, age_ms=3), 4711.25, 1.8e9, 2)
COMMIT_RECORD = CommitRecord(Commits(Code.STALLING, "29 write sets wait", ("a disk",), ""), 4711.25, UUID)
WATCH = Watch("xha-service-keystone", "0", sights={Level.DEEP: Sight(RECORD, 4800.5)})
BALLOT = PositionReport(
    "n1", State.PRIMARY, Kind.INTACT, Position(UUID, 12), LINE, view=VIEW, view_seqno=11, component=VIEW, epochs=("e",)
)._replace(ports=Ports(4568, 3307))
RESOURCE = "p_mysql"


class Kept(NamedTuple):
    """A document: its text, its parser, and whether a parsed value means that the text could not be used."""

    text: str
    parse: Callable[[str], Any]
    is_none: Callable[[Any], bool] = lambda value: value is None


def _refusing(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a parser that returns None where this one raises."""

    def parse_or_none(text: str) -> Any:
        try:
            return parse(text)
        except ValueError:  # BadRecord is one
            return None

    return parse_or_none


def _of_book(name: str) -> Callable[[str], Any]:
    return _refusing(lambda text: parse_book(RESOURCE, {record_name(RESOURCE, name): text}))


KEPT = {
    "a service's record": Kept(render_record(RECORD), _refusing(parse_record)),
    "what is known of commits": Kept(render_commit_record(COMMIT_RECORD), _refusing(parse_commit_record)),
    "what ocf:xha:service remembers": Kept(render_watch(WATCH), parse_watch),
    "a status": Kept(
        render_keeper_status(KeeperStatus(Phase.RUNNING, "so it is", 7, 8, 1.5, 2.5, 9, 10, 3.5, answered_at=4.5)),
        parse_keeper_status,
    ),
    "failures": Kept(
        render_failures((Failure(12.5, "no disk"), Failure(13.5, "no disk"))), parse_failures, lambda value: value == ()
    ),
    "a node's record": Kept(
        render_node_record(NodeRecord(LINE, VIEW, 11, UUID, Position(UUID, 12), True, False, True)), parse_node_record
    ),
    "a report": Kept(render_position_report(BALLOT), parse_position_report, lambda value: isinstance(value, Unread)),
    "a report of a stall": Kept(render_stall_report(StallReport(2, UUID, 101, True, True, 7.5, 1)), parse_stall_report),
    "a resource's settings": Kept(render_settings(Settings()), load_settings),
    "a server's status file": Kept(
        '{"timestamp": 1795365649.887, "errors": [{"msg": "WSREP: evicted"}], "status": {"state": "JOINED", '
        '"comment": "Syncing", "progress": {"total": 9, "done": 4}}}',
        parse_status_file,
    ),
    "a grant": Kept(
        render_grant(Grant(GrantKind.FORGET, "n2", "d" * 16, 1.8e9, "ann", "its disk is gone")), _of_book("grant-x")
    ),
    "a word of the writer": Kept(
        render_writer_word(WriterWord(Claim(3, "h1"), True, False, True, False, 2, 11, 17, 4)), parse_writer_word
    ),
    "who the writer is": Kept(render_writer_record(WriterRecord(3, "h1", "h2", 12.5, 15.5, True)), parse_writer_record),
    "what a keeper counts": Kept(render_keeper_tally(KeeperTally("wait", 1.8e9, 2, 1, 1, 3)), parse_keeper_tally),
    "an eviction": Kept(render_eviction(Eviction("n2", UUID, "n1", 1.8e9)), _of_book("eviction")),
    "a line of generations": Kept(render_line(LINE), _of_book("line")),
    "a clean stop": Kept(render_stop(StopRecord(History(Position(UUID, 12), LINE), "boot", VIEW)), _of_book("stop-n1")),
    "a stop after a crash": Kept(
        render_stop(StopRecord(History(Position(UUID, 12), LINE), "boot", VIEW, clean=False)), _of_book("stop-n1")
    ),
}
assert issubclass(BadRecord, ValueError)
