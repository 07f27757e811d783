"""What other processes of this host prove about the database (psutil)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from ...core.galera.reading import DonorEvidence, DonorKind

if TYPE_CHECKING:
    from collections.abc import Collection

_BACKUPS = ("mariabackup", "mariadb-backup", "xtrabackup", "mysqldump", "mariadb-dump")


def find_donor_evidence(socket: str | None, datadir: str | None, uids: Collection[int]) -> DonorEvidence | None:
    """Return the local process that explains the donor state of the server with this socket or data directory.

    1. Galera runs `wsrep_sst_METHOD --role donor --socket S --datadir D` for a transfer (sql/wsrep_sst.cc).
    2. Its own mariabackup runs below that script, so a transfer takes precedence over a backup.
    3. Several servers may run on one host: a process counts only if it names the socket or data directory of this one.
    4. Any user can give a process these words. Only processes with all three uids in `uids` are believed; a set-uid
       program would have only one of them.

    None: nothing is known.
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
