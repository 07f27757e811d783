"""What a person needs after a failure, taken from every host before the laboratory is removed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from lab.host import Host
from lab.laboratory import Laboratory
from lab.shell import CommandFailed

# File name -> the command with its content. The journal has the messages of Pacemaker, corosync, agent and mysqld.
LOOKS = {
    "journal": "journalctl --no-pager --output=short-precise",
    "crm_mon": "crm_mon -1 --inactive --show-detail --failcounts --show-node-attributes",
    "cib.xml": "cibadmin --query",
    "processes": "ps -eo pid,ppid,stat,lstart,args --forest",
    "sockets": "ss -tunap",
    "addresses": "ip address",
    "haproxy": "echo 'show stat' | socat -t 2 - /run/haproxy/admin.sock",
    "status": "mariadb --connect-timeout=3 -NBe \"show global status like 'wsrep%'\"",
}
LOOK_SECONDS = 20
# Files on the database's disk that show its history. They are read from outside, so also from a host without power.
KEPT_FILES = ("grastate.dat", "gvwstate.dat", "*.log", "*.err")
# The agents' messages and results in the journal. The last ones are also in a test's output.
TOLD = re.compile(r" \S*galera\(p_mysql\)| Result of .* operation for p_mysql ")
TOLD_LINES, TOLD_CHARACTERS = 60, 240


def keep(lab: Laboratory, directory: Path) -> Path:
    """Write everything about every host of `lab` below `directory`, which is created, and return it. It never fails."""
    directory.mkdir(parents=True, exist_ok=True)
    lab.on_all(lambda host: keep_host(host, directory / host.name))
    for path in (
        *lab.place.root.glob("writers-*.jsonl"),
        *lab.place.root.glob("*.log"),
        *lab.place.root.glob("struck"),
    ):
        keep_file(path, directory)
    return directory


def tell(directory: Path) -> str:
    """Return the last messages of the agents of all hosts, by time, from what was kept: CI may keep nothing else."""
    journals = [path.read_text() for path in directory.glob("*/journal")]
    lines = [line for journal in journals for line in journal.splitlines() if TOLD.search(line)]
    return "\n".join(line[:TOLD_CHARACTERS] for line in sorted(lines)[-TOLD_LINES:])


def keep_host(host: Host, directory: Path) -> None:
    directory.mkdir(exist_ok=True)
    for name, command in LOOKS.items():
        (directory / name).write_text(look(host, command))
    for pattern in KEPT_FILES:
        for path in host.datadir.glob(pattern):
            keep_file(path, directory)
    if not host.has_power():
        # The journal on the host's disk has a binary format. journalctl reads it from outside.
        keep_file(host.root / "var/log/journal", directory)


def keep_file(path: Path, directory: Path) -> None:
    """Copy a file, or a directory with all that is in it. What cannot be copied is named in `directory`/not-kept.

    A file may go meanwhile, and a host that was never started has no journal: the failure itself is what counts.
    """
    try:
        if path.is_dir():
            shutil.copytree(path, directory / f"{path.name}.d", dirs_exist_ok=True)
        else:
            shutil.copy(path, directory)
    except OSError as error:  # copytree's own is one, too
        with open(directory / "not-kept", "a", encoding="utf-8") as file:
            file.write(f"{path}: {error}\n")


def look(host: Host, command: str) -> str:
    try:
        result = host.sh(command, timeout=LOOK_SECONDS, check=False)
        return result.out + result.err
    except (CommandFailed, ConnectionError) as error:
        return f"{error}\n"
