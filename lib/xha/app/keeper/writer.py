"""What a keeper sees and does of the one writer: attributes, this host's files and responder, and its idle clients."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...adapters.files.commit_file import read_commit_file
from ...adapters.files.config_files import read_withdrawal
from ...adapters.http.ask import ask_own
from ...adapters.mysql.agent_login import own_target
from ...adapters.mysql.clients import LOOK_PAUSE, Clients
from ...core.election.writer import parse_writer_word, render_writer_word
from ...core.keeper.observation import WriterSeen
from ...core.node.commits import NOT_KNOWN
from ...core.node.drain_rule import choose_idle
from ...core.node.writer_rule import Takers, parse_takers
from ...core.text.values import ConfigError
from ..node.reader import ConfigFile

if TYPE_CHECKING:
    from ...adapters.files.agent_rundir import RunDir
    from ...adapters.mysql.login_target import Target
    from ...adapters.pacemaker.cluster import Pacemaker
    from ...adapters.pacemaker.standalone import Standalone
    from ...core.config.xha_conf import Responder
    from ...core.election.writer import WriterWord
    from ...core.galera.reading import Reading
    from ...core.keeper.effects import TellWriter
    from ...core.keeper.memory import Memory
    from ...core.node.writer_rule import WriterRecord
    from ...core.ocf.galera_settings import Settings
    from .announcer import Announcer

# A keeper does not wait long for another process: what is not answered is unknown.
_ANSWER_SECONDS = 0.5
# How often a step looks for idle clients: the keeper has other things to do.
_LOOKS = 3


class WriterLink:
    """This node's word of the writer: what there is to hear, and where it is told. config: xha.conf."""

    def __init__(
        self,
        run: RunDir,
        cluster: Pacemaker | Standalone,
        resource: str,
        announcer: Announcer,
        config: ConfigFile | None = None,
    ) -> None:
        self._run, self._cluster, self._announcer = run, cluster, announcer
        self._attribute = f"xha-{resource}-claim"
        self._config = config or ConfigFile(None)
        self._clients: tuple[Target, Clients] | None = None

    # --- looking

    def see(self, memory: Memory, reading: Reading | None, me: str, now: float) -> WriterSeen:
        """Return what is said of the writer now. reading: the server's last one. :raises ClusterUnreachable: see there.

        This host's responder is asked only while a handover is under way that it knows something of.
        """
        texts = self._cluster.read_attribute(self._attribute)
        found = {node: parse_writer_word(text) for node, text in texts.items()}
        words: dict[str, WriterWord] = {node: word for node, word in found.items() if word is not None}
        order, record = self._run.read_order(now), self._read_record(memory)
        try:
            config = self._config.refresh()
        except ConfigError:  # the responder refuses its node, too
            return WriterSeen(words, order=order, record=record)
        server = reading.status.wsrep_gcomm_uuid if reading is not None else None
        commits = read_commit_file(config.responder.commit_file, server) if reading is not None else NOT_KNOWN
        post = memory.writer.post
        concerned = memory.writer.hurries and (post.claim.node == me or post.former)
        takers = self._ask(config.responder) if concerned else Takers()
        return WriterSeen(words, config.policy, read_withdrawal(config.responder), commits, takers, order, record)

    def _read_record(self, memory: Memory) -> WriterRecord | None:
        """Return what the keeper before this one told the responder last; None for what is unknown, or this one's."""
        if memory.writer.post.record is not None:
            return None
        try:
            return self._run.read_writer()
        except OSError:
            return None

    @staticmethod
    def _ask(responder: Responder) -> Takers:
        node = ask_own(responder, _ANSWER_SECONDS)
        return parse_takers(node.body) if node is not None else Takers()

    # --- telling

    def tell(self, act: TellWriter, settings: Settings, socket: str) -> int:
        """Tell it; return how many clients of a former writer are left that are not idle, -1 where nobody looked.

        Should this keeper die in between, or the others not be told, no two may be the writer. So who gives the role up
        tells this host's responder first, and who takes it tells the others first. A file that cannot be written is
        said by the log, and is no failure: the rest of the step does not depend on it.

        :raises ClusterUnreachable: if the others cannot be told.
        """
        for tell in (self._say, self._write) if act.takes else (self._write, self._say):
            tell(act)
        if act.shows:
            self._announcer.set_writer(bool(act.post.shown))
        return self._close_idle(settings, socket) if act.closes else act.post.clients

    def _write(self, act: TellWriter) -> None:
        post = act.post
        if act.writes and post.record is not None:
            try:
                self._run.write_writer(post.record)
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                self._announcer.log(f"{self._run.path}: {reason}: the responder reads old news", warning=True)

    def _say(self, act: TellWriter) -> None:
        if act.says and act.post.word is not None:
            self._cluster.set_private(self._attribute, render_writer_word(act.post.word))

    def _close_idle(self, settings: Settings, socket: str) -> int:
        """Close what is idle, and return how many are left. One look meets half of the clients that pause for a moment.

        Who came by the unix socket came through no load balancer, as xha itself.
        """
        target, left = own_target(settings, socket), -1
        if self._clients is None or self._clients[0] != target:
            self._clients = target, Clients(target)
        clients = self._clients[1]
        try:
            for number in range(_LOOKS):
                time.sleep(LOOK_PAUSE if number else 0.0)
                there = clients.look()
                if there is None:
                    return -1
                remote = [one for one in there if not one.local]
                idle = choose_idle(remote)
                left = len(remote) - sum(map(clients.close_connection, idle))
                if not left:
                    break
            return left
        finally:
            clients.close()
