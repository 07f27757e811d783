"""What a keeper hears and tells of the writer: this host's files, and attributes without a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loopback.files import put
from xha.adapters.files.agent_rundir import WRITER_FILE, RunDir
from xha.adapters.pacemaker.standalone import Standalone
from xha.adapters.pacemaker.tools import ClusterUnreachable
from xha.app.keeper.writer import WriterLink
from xha.app.node.keepers import find_writer_resources
from xha.app.node.reader import ConfigFile
from xha.app.responder.responses import read_writer
from xha.core.config.xha_conf import Config, Database
from xha.core.election.writer import Claim, WriterMemory, WriterPost, WriterWord
from xha.core.keeper.effects import TellWriter
from xha.core.keeper.memory import Memory
from xha.core.node.verdict import Policy
from xha.core.node.writer_rule import WriterOrder, WriterRecord
from xha.core.ocf.galera_settings import Settings

RECORD = WriterRecord(3, "h1", "h2")
WORD = WriterWord(Claim(3, "h1"), True)


class Said:
    """An announcer that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.writer: bool | None = None

    def log(self, text: str, *, warning: bool) -> None:
        self.lines.append(text)

    def set_writer(self, is_writer: bool) -> None:
        self.writer = is_writer


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def run(run_base: Path) -> RunDir:
    return RunDir("db")


def link(run: RunDir, said: Said, cluster: Standalone | None = None, config: str | None = None) -> WriterLink:
    return WriterLink(run, cluster or Standalone(), "db", said, ConfigFile(config))  # type: ignore[arg-type]


def tell(one: WriterLink, **post: Any) -> int:
    act = TellWriter(WriterPost(Claim(3, "h1"), record=RECORD, word=WORD, **post))
    return one.tell(act, Settings(), "/no/socket")


def test_what_is_told_is_heard_and_the_responder_reads_it(run: RunDir, said: Said) -> None:
    cluster = Standalone()
    one = link(run, said, cluster)
    tell(one, shown=True)
    seen = one.see(Memory(), None, "h2", 1.0)
    assert (seen.words, said.writer) == ({cluster.node_name(): WORD}, True)
    assert read_writer(Config()).record == RECORD


class Mute(Standalone):
    """Pacemaker, as it is while it does not answer."""

    def set_private(self, name: str, value: str) -> None:
        raise ClusterUnreachable("attrd_updater did not answer within 5 s")


@pytest.mark.parametrize("takes", [True, False])
def test_by_a_claim_that_nobody_else_has_heard_of_nobody_goes(run: RunDir, said: Said, takes: bool) -> None:
    """Where this node would be the next writer, the others keep the one before. Who gives it up does so at once."""
    one = link(run, said, Mute())
    act = TellWriter(WriterPost(Claim(3, "h1"), record=RECORD, word=WORD, shown=True), takes=takes)
    with pytest.raises(ClusterUnreachable):
        one.tell(act, Settings(), "/no/socket")
    assert run.read_writer() == (None if takes else RECORD)
    assert said.writer is None


def test_a_full_run_is_said_and_the_others_are_told(run: RunDir, said: Said, run_base: Path) -> None:
    run_base.parent.mkdir(parents=True)
    put(run_base, "a file where the directory should be")
    cluster = Standalone()
    one = link(run, said, cluster)
    tell(one)
    assert len(said.lines) == 1
    assert said.lines[0].endswith("the responder reads old news")
    assert cluster.read_attribute("xha-db-claim")


@pytest.mark.parametrize(
    ("text", "policy"),
    [("[policy]\navailable_when_donor = 1\n", Policy(available_when_donor=True)), ("[nonsense]\n", None)],
)
def test_a_node_is_fit_by_the_policy_of_its_responder(
    run: RunDir, said: Said, tmp_path: Path, text: str, policy: Policy | None
) -> None:
    put(tmp_path / "xha.conf", text)
    assert link(run, said, config=str(tmp_path / "xha.conf")).see(Memory(), None, "h2", 1.0).policy == policy


def test_a_word_that_cannot_be_read_says_nothing(run: RunDir, said: Said) -> None:
    cluster = Standalone()
    cluster.set_private("xha-db-claim", "{}")
    assert link(run, said, cluster).see(Memory(), None, "h2", 1.0).words == {}


def test_an_order_reaches_the_keeper_until_it_is_taken_back(run: RunDir, said: Said) -> None:
    order = WriterOrder(3, "h2", 10.0)
    run.write_order(order)
    assert link(run, said).see(Memory(), None, "h2", 11.0).order == order
    run.write_order(None)
    assert link(run, said).see(Memory(), None, "h2", 11.0).order is None


def test_which_resource_is_asked_where_there_are_two(run: RunDir) -> None:
    assert read_writer(Config()).record is None
    run.write_writer(RECORD)
    RunDir("other").write_writer(RECORD._replace(counter=9))
    assert find_writer_resources() == ("db", "other")
    assert read_writer(Config()) == (None, "db and other each have a writer")
    found = read_writer(Config(database=Database(resource="other"))).record
    assert found is not None
    assert found.counter == 9
    RunDir("other").remove(WRITER_FILE)
    assert read_writer(Config()).record == RECORD


def test_a_link_in_the_place_of_the_record_tells_nothing(run: RunDir, tmp_path: Path) -> None:
    run.write_writer(RECORD)
    real = Path(run.file("writer.json"))
    real.rename(tmp_path / "elsewhere")
    real.symlink_to(tmp_path / "elsewhere")
    assert read_writer(Config()) == (None, f"{real}: is a symbolic link")


def test_a_new_keeper_sees_what_the_one_before_told_the_responder(run: RunDir, said: Said, tmp_path: Path) -> None:
    """Until it has told something itself; what is not this file, or nobody's, is unknown."""
    one = link(run, said)
    assert one.see(Memory(), None, "h2", 1.0).record is None
    run.write_writer(RECORD)
    assert one.see(Memory(), None, "h2", 1.0).record == RECORD
    told = Memory(writer=WriterMemory(post=WriterPost(Claim(3, "h1"), record=RECORD)))
    assert one.see(told, None, "h2", 1.0).record is None
    real = Path(run.file("writer.json"))
    real.rename(tmp_path / "elsewhere")
    real.symlink_to(tmp_path / "elsewhere")
    assert one.see(Memory(), None, "h2", 1.0).record is None
