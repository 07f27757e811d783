"""Effects in words, one a line: what differs is shown, what is always the same is not."""

from __future__ import annotations

import re

from xha.core.election.position_report import PositionReport
from xha.core.election.stall import StallReport
from xha.core.galera.lineage import Generation
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.position import Position
from xha.core.keeper import effects as acts

UUID = "aaaaaaaa-0000-0000-0000-000000000000"
_CAMEL = re.compile(r"(?<!^)([A-Z])")


def name_of(kind: type) -> str:
    """`take-token` for TakeToken."""
    return _CAMEL.sub(r"-\1", kind.__name__).lower()


def tell(effect: acts.Effect) -> str:
    """Return the line of an effect; the guards stand behind it. NoteServer says nothing that a script would tell."""
    act = effect.act
    if isinstance(act, acts.NoteServer):
        return ""
    guards = [name_of(type(guard)) for guard in effect.guards]
    line = " ".join(filter(None, (name_of(type(act)), _detail(act))))
    return (f"{line}  [{', '.join(guards)}]" if guards else line).replace(UUID, "U")


def _detail(act: acts.Act) -> str:  # noqa: PLR0912 - a branch for each effect
    if isinstance(act, acts.Say):
        last = " (permanent)" if act.keeper_status.permanent else ""
        return f"{act.keeper_status.phase.value}{last}: {act.keeper_status.reason}"
    if isinstance(act, acts.LogLine):
        return f"{'warning: ' if act.warning else ''}{act.text}"
    if isinstance(act, acts.TellFailure):
        return act.server
    if isinstance(act, acts.SetReady):
        return str(int(act.ready))
    if isinstance(act, acts.TellWriter):
        return _writer(act)
    if isinstance(act, acts.Publish):
        return _report(act.report)
    if isinstance(act, (acts.TakeToken, acts.VoidToken)):
        evicts = act.evicts if isinstance(act, acts.TakeToken) else None
        return f"{act.token.node} {act.token.epoch}" + (f" to evict {evicts.node}" if evicts else "")
    if isinstance(act, acts.PublishStall):
        return _stall(act.report)
    if isinstance(act, acts.Evict):
        return f"{act.eviction.node} ({act.eviction.uuid})"
    if isinstance(act, acts.CheckStorage):
        return ", ".join(name for name, _ in act.directories)
    if isinstance(act, acts.ConsumeGrants):
        return ", ".join(act.kinds)
    if isinstance(act, acts.RecordLine):
        return " ".join(filter(None, ("" if act.line is None else _line(act.line), f"cluster={act.cluster}")))
    if isinstance(act, acts.WriteRecord):
        return _record(act.record)
    if isinstance(act, acts.WriteJoining):
        return "-" if act.record is None else _record(act.record)
    if isinstance(act, acts.WriteFailures):
        return f"{len(act.failures)}"
    if isinstance(act, acts.WriteGrastate):
        return _position(act.position)
    if isinstance(act, acts.Launch):
        words = [act.phase.value, _position(act.position or Position())]
        return " ".join([*words, *(["bootstrap"] if act.bootstrap else []), *(["copied"] if act.copied else [])])
    return _stop(act) if isinstance(act, acts.Stop) else ""


def _writer(act: acts.TellWriter) -> str:
    post, word, record = act.post, act.post.word, act.post.record
    words = [f"{post.claim.counter}:{post.claim.node or '-'}"]
    if act.says and word is not None:
        said = [name for name in ("fit", "drains", "settled", "asks") if getattr(word, name)]
        words.append(f"says {'+'.join(said) or 'unfit'}")
    if act.writes and record is not None:
        times = [f"{name}={getattr(record, name):g}" for name in ("until", "leaves") if getattr(record, name)]
        words.append(" ".join(["writes", *times, *(["former"] if record.former else [])]))
    if act.shows:
        words.append(f"shows {int(bool(post.shown))}")
    return ", ".join([*words, *(["closes"] if act.closes else [])])


def _stop(act: acts.Stop) -> str:
    behind = ", ".join(" ".join(filter(None, (name_of(type(one)), _detail(one)))) for one in act.behind)
    return f"{act.seconds:.0f} s" + (f", then {behind}" if behind else "")


def _stall(report: StallReport | None) -> str:
    if report is None:
        return "-"
    words = [str(report.applied), *(name for name in ("synced", "requested") if getattr(report, name))]
    if report.stalled:
        words.append(f"stalls={report.stalled:.0f}")
    return " ".join([*words, *([f"weight={report.weight}"] if report.weight is not None else [])])


def _position(position: Position) -> str:
    return str(position) if position.real else "-"


def _line(line: tuple[Generation, ...]) -> str:
    return "line=" + (",".join(f"{one.id}@{one.position}{'!' if one.by_hand else ''}" for one in line) or "-")


def _report(one: PositionReport) -> str:
    words = [one.state.value, one.kind.value, _position(one.position)]
    if one.line:
        words.append(_line(one.line))
    words += [name for name in ("restorable", "inconsistent", "superseded", "evicted") if getattr(one, name)]
    words.append(f"opens={one.opens}")
    words.append(f"answers={','.join(one.epochs) or '-'}")
    return " ".join(words) + (f" trouble={one.trouble!r}" if one.trouble else "")


def _record(record: NodeRecord) -> str:
    words = [_line(record.line)]
    if record.view:
        words.append(f"view={record.view.id.split()[1]}@{record.view_seqno}")
    words += [name for name in ("superseded", "discarded", "inconsistent") if getattr(record, name)]
    return " ".join(words)
