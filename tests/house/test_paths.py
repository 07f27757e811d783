"""Which paths each file of lib/xha uses, and whose they are. The test reads the source.

Root opens a name in another account's directory only through files/foreign.py, or in a child of that account
(files/as_account.py). Every other file that uses a path is listed here, with the owner of the path and the calls.
"""

from __future__ import annotations

import ast

import pytest

from house.test_imports import HOUSE, NAMES, tree

# The functions of os, and those of os.path that read the disk.
OS = {
    *("access", "chdir", "chmod", "chown", "lchmod", "lchown", "link", "listdir", "lstat", "makedirs", "mkdir"),
    *("mkfifo", "mknod", "open", "readlink", "remove", "removedirs", "rename", "renames", "replace", "rmdir"),
    *("scandir", "stat", "statvfs", "symlink", "truncate", "unlink", "utime", "walk"),
}
OS_PATH = {"exists", "getmtime", "getsize", "isdir", "isfile", "islink", "ismount", "lexists", "realpath", "samefile"}
# The modules with this purpose. Each docstring says which protection stops which attack.
FOREIGN = {
    "adapters/mysqld/default_files.py",  # opened in a child of the server's account
    "adapters/mysqld/error_log.py",  # opened in a child of the server's account
    "adapters/files/as_account.py",
    "adapters/files/foreign.py",
    "adapters/files/report_file.py",
    "adapters/files/scratch.py",
    "adapters/files/walk.py",
    "adapters/lifecycle/disk_writes.py",  # written in a child of the server's account
    "adapters/lifecycle/remains.py",  # removed in a child of the server's account
}
KERNEL = "the kernel's: /proc, /dev, /sys"
ROOTS = "root's own, below /run and /etc"
OPERATORS = "what root, or who runs the command, names in a configuration"
NOT_FOLLOWED = "another account's, looked at by lstat or readlink: nothing is opened, and no link followed"
OTHERS = {
    "adapters/host/login_name.py": (ROOTS, {"open", "os.stat"}),
    "adapters/network/addresses.py": (KERNEL, {"open"}),
    "adapters/pacemaker/tracebacks.py": (ROOTS, {"os.makedirs"}),
    "adapters/pacemaker/standalone.py": (ROOTS, {"open", "os.path.exists"}),
    "adapters/lifecycle/creation.py": ("programs of the distribution", {"os.access"}),
    "adapters/pacemaker/tools.py": ("Pacemaker's tools, in directories of root's", {"shutil.which"}),
    "adapters/process/daemons.py": (KERNEL, {"os.path.isdir"}),
    "adapters/process/descriptors.py": (KERNEL, {"os.open"}),
    "adapters/files/agent_rundir.py": (
        ROOTS,
        {"open", "os.chmod", "os.mkdir", "os.path.isdir", "os.stat", "os.unlink"},
    ),
    "adapters/pacemaker/failure_claims.py": (ROOTS, {"os.link", "os.listdir"}),
    "adapters/files/atomic_write.py": (
        "of whoever runs it; the name beside is made by O_EXCL, for others may guess it",
        {"open", "os.listdir", "os.lstat", "os.open", "os.path.exists", "os.replace", "os.unlink"},
    ),
    "adapters/files/config_files.py": (
        OPERATORS,
        {"os.path.lexists", "os.stat", "os.unlink"},
    ),
    "adapters/mysql/option_files.py": (
        OPERATORS + "; and a home of root's or of who runs it",
        {"os.listdir", "os.path.isfile", "os.path.lexists", "os.stat"},
    ),
    "adapters/files/result_files.py": (
        "of the account of xha-services, which has the directory; the responder is not root",
        {"os.listdir", "os.lstat", "os.unlink"},
    ),
    "adapters/history/ledger_file.py": (
        "of the responder's account, which has the directory; the responder is not root, and follows no link",
        {"os.open", "os.replace"},
    ),
    "adapters/rabbitmq/oslo_files.py": (OPERATORS, {"os.listdir"}),
    "adapters/files/watch_state.py": (ROOTS, {"os.makedirs", "os.unlink"}),
    "adapters/files/whole_file.py": (OPERATORS, {"os.open"}),
    "adapters/datadir/hold.py": (ROOTS + ": the locks of data directories", {"os.makedirs", "os.open"}),
    "adapters/lifecycle/launch.py": (
        ROOTS + ", whether a directory is in it; and /proc/self",
        {"open", "os.path.realpath"},
    ),
    "adapters/network/unix_listeners.py": (KERNEL, {"open", "os.listdir", "os.readlink"}),
    "adapters/network/whereabouts.py": (KERNEL + "; and the owner of a socket, " + NOT_FOLLOWED, {"open", "os.lstat"}),
    "adapters/host/disk_room.py": (
        "the server's directories, looked at, never opened, in a thread that may hang; the responder is not root",
        {"os.stat", "os.statvfs"},
    ),
    "adapters/mysql/agent_login.py": (OPERATORS, {"os.path.exists"}),
    "adapters/mysqld/program.py": (
        "programs, which run as the server's account, and its option file, both named by root",
        {"os.access", "os.path.exists", "os.path.isfile", "os.path.realpath"},
    ),
    "adapters/host/mounts.py": (KERNEL, {"open", "os.readlink"}),
    "adapters/mysqld/notify_listener.py": (
        ROOTS + ": a socket that root has just bound there",
        {"os.chown", "os.unlink"},
    ),
    "adapters/datadir/coming_up.py": (KERNEL, {"os.readlink"}),
    "adapters/datadir/launched.py": (KERNEL, {"os.readlink", "os.stat"}),
    "adapters/datadir/open_files.py": (
        "the kernel's, and what they point at only where its mount is the data directory's own",
        {"os.lstat", "os.open", "os.path.realpath", "os.readlink", "os.scandir", "os.stat"},
    ),
    "adapters/process/privileges.py": (KERNEL, {"open"}),
    "adapters/process/procfs.py": (KERNEL, {"os.listdir", "os.open", "os.readlink", "os.stat"}),
    "adapters/datadir/suspects.py": (NOT_FOLLOWED, {"os.lstat", "os.statvfs"}),
    "adapters/mysql/login_target.py": (OPERATORS, {"os.access", "os.path.exists"}),
    "adapters/mysqld/trust.py": ("programs that root names", {"os.open", "os.path.realpath"}),
    "adapters/host/systemd_units.py": (ROOTS, {"os.path.isdir"}),
    "adapters/datadir/writers.py": (
        "looked at, never opened: what the modes of the data, and of the directories above, allow",
        {"os.path.realpath", "os.stat"},
    ),
    "adapters/network/resident_client.py": (
        "looked at, never opened: root's directories, this process's own socket, and what root names in settings",
        {"posix.lstat", "posix.readlink", "posix.stat"},
    ),
    "adapters/network/private_socket.py": ("of this process's account, which has the directory", {"os.unlink"}),
    "doors/resident_first.py": (NOT_FOLLOWED, {"posix.lstat"}),
    "doors/clustercheck.py": (OPERATORS, {"os.access"}),
    "app/node/keepers.py": (ROOTS, {"os.listdir", "os.path.lexists"}),
    "app/node/local_reader.py": (
        "looked at, never opened: whose socket it is, is asked of the kernel",
        {"os.path.exists"},
    ),
    "app/keeper/main.py": ("looked at, never opened", {"os.path.isdir"}),
    "app/agent/monitor.py": ("the agent's own; the disk is looked at by a child", {"os.path.isdir", "os.statvfs"}),
    "app/keeper/process.py": (ROOTS, {"os.open"}),
    "doors/services_daemon.py": ("of the account of xha-services", {"os.makedirs"}),
    "doors/terminal/streams.py": (KERNEL, {"open"}),
    "app/node/host_findings.py": (
        "looked at, never opened",
        {"os.path.exists", "os.path.isdir", "os.path.realpath", "os.stat"},
    ),
    "adapters/host/surroundings.py": (
        KERNEL + "; the room of the data, looked at, never opened; and programs of the distribution",
        {"open", "os.path.exists", "os.statvfs", "shutil.which"},
    ),
    "app/doctor/haproxy.py": (OPERATORS, {"os.listdir"}),
    "adapters/host/enabled_units.py": (ROOTS, {"os.listdir"}),
}


def touches(name: str) -> set[str]:
    """The calls of a file that take a path, as they are written."""
    found = set()
    for node in ast.walk(tree(HOUSE / name)):
        if not isinstance(node, ast.Call):
            continue
        function = ast.unparse(node.func)
        module, _, called = function.rpartition(".")
        known = {"os": OS, "posix": OS, "os.path": OS_PATH, "": {"open"}}.get(module, set())
        if called in known or module in ("shutil", "tempfile", "glob", "pathlib") or function == "Path":
            found.add(function)
    return found


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FOREIGN])
def test_whoever_touches_a_path_says_whose_it_is(name: str) -> None:
    allowed = OTHERS.get(name, ("", set()))[1]
    assert touches(name) == allowed, "go through files/foreign.py, or say in OTHERS whose path it is"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FOREIGN])
def test_only_what_was_just_made_is_given_away(name: str) -> None:
    given = {"os.chown", "os.lchown", "shutil.chown", "os.fchown"} & {
        ast.unparse(node.func) for node in ast.walk(tree(HOUSE / name)) if isinstance(node, ast.Call)
    }
    assert given == ({"os.chown"} if name == "adapters/mysqld/notify_listener.py" else set())
