"""A file system of its own for a host's binary log, which can be frozen.

It is an ext4 in a file, mounted twice: in the host, and outside, where it can be thawed whatever happens there.
A frozen one that nobody can reach any more would keep its writers for ever, and a global sync(2) waits for it.
"""

from __future__ import annotations

import os
from pathlib import Path

from lab.host import Host
from lab.shell import run

NAME, SIZE = "binlog", 256 << 20
WITHIN = "/srv/binlog"
CONFIG = "/etc/mysql/mariadb.conf.d/99-binlog.cnf"
OPTIONS = f"[mysqld]\nlog_bin={WITHIN}/bin\nlog_slave_updates=1\nsync_binlog=1\n"


def place_of(host: Host) -> Path:
    """Where it is mounted outside of the host."""
    return host.directory / NAME


def make(host: Host) -> None:
    """Mount it, and have the next server of the host write its binary log there. One that is there already stays."""
    path, image = place_of(host), host.directory / f"{NAME}.img"
    if not os.path.ismount(path):
        path.mkdir(exist_ok=True)
        with open(image, "wb") as file:
            file.truncate(SIZE)
        run(["mkfs.ext4", "-q", "-m", "0", str(image)])
        run(["mount", "-o", "loop", str(image), str(path)])
    device = os.stat(path).st_dev
    node = f"/dev/xha-{NAME}"
    host.sh(
        f"set -e; mountpoint -q {WITHIN} && exit; mkdir -p {WITHIN}; rm -f {node};"
        f" mknod {node} b {os.major(device)} {os.minor(device)}; mount {node} {WITHIN}; chown mysql: {WITHIN}"
    )
    host.write(CONFIG, OPTIONS)


def is_written(host: Host) -> bool:
    """Whether the server of the host writes its binary log there."""
    return any(file.stat().st_size > 1 << 12 for file in place_of(host).glob("bin.[0-9]*"))


def freeze(host: Host) -> None:
    run(["fsfreeze", "--freeze", str(place_of(host))])


def thaw(host: Host) -> None:
    """Thaw it. One that is not frozen, or not there, is no error."""
    if os.path.ismount(place_of(host)):
        run(["fsfreeze", "--unfreeze", str(place_of(host))], check=False)


def forget(host: Host) -> None:
    """Thaw it, and have the next server of the host write no binary log: it may not be mounted there then."""
    thaw(host)
    (host.root / CONFIG.lstrip("/")).unlink(missing_ok=True)
