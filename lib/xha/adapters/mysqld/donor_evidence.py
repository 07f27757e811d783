"""What other processes on this host prove about the database (psutil)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from ...core.galera.reading import DonorEvidence, DonorKind

if TYPE_CHECKING:
    from collections.abc import Collection

_BACKUPS = ("mariabackup", "mariadb-backup", "xtrabackup", "mysqldump", "mariadb-dump")


def find_donor_evidence(socket: str | None, datadir: str | None, uids: Collection[int]) -> DonorEvidence | None:
    """Return the local process that explains the donor state of the server with this socket or data directory.

    Galera runs `wsrep_sst_METHOD --role donor --socket S --datadir D` for a transfer (sql/wsrep_sst.cc); its own
    mariabackup runs below it, so a transfer outranks a backup. Several servers may run on one host: a process
    counts only if it names this one's socket or data directory. Anybody can give a process these words: only those of
    the uids are believed, all three of a process, or a set-uid program would lend its own. None: nothing is known.
    """
    try:
        return _find(socket, datadir, uids)
    except (psutil.Error, OSError):
        return None


def _find(socket: str | None, datadir: str | None, uids: Collection[int]) -> DonorEvidence | None:
    paths = {path.rstrip("/") for path in (socket, datadir) if path}
    backup = None
    for process in psutil.process_iter(["cmdline", "uids"]):
        owners, words = process.info["uids"], process.info["cmdline"] or []
        if owners is None or not set(owners) <= set(uids):
            continue
        names = [word.rpartition("/")[2] for word in words[:3]]
        if not paths & {part.rstrip("/") for word in words for part in (word, word.partition("=")[2])}:
            continue
        sst = next((name for name in names if name.startswith("wsrep_sst_")), None)
        if sst and "donor" in words:
            return DonorEvidence(DonorKind.SST, f"{sst}, pid {process.pid}")
        found = next((name for name in names if name in _BACKUPS), None)
        if found:
            backup = DonorEvidence(DonorKind.LOCK, f"{found}, pid {process.pid}")
    return backup
