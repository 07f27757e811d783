"""What a child gives up before it becomes another program: capabilities(7), prctl(2), setrlimit(2).

The agent is root, and the server's account is not. What runs as that account for the agent (the listing of its options,
a recovery, the creation of a database) needs none of root's rights, and must not be able to regain them.
"""

from __future__ import annotations

import os
import resource
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Sequence

# linux/prctl.h, linux/capability.h
_SET_PDEATHSIG, _SET_NAME, _CAPBSET_READ, _CAPBSET_DROP, _SET_NO_NEW_PRIVS, _CAP_AMBIENT = 1, 15, 23, 24, 38, 47
_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522


class Confinement:
    """Switches to an account and drops all of root's rights. Made in the parent, called in the child (preexec_fn).

    uid, gid, groups: the account. without_core: the program holds secrets, so it leaves no core file. ends_with_parent:
    SIGKILL if the parent dies first, for a program whose output nobody else reads.

    The order matters:

    1. The bounding set is cleared while CAP_SETPCAP is still held.
    2. Then groups, gid and uid are set.
    3. Then all capability sets are cleared, because setuid leaves the inheritable one.
    4. no_new_privs keeps sudo, and every other set-user-ID program, from giving rights back.
    5. The signal is requested last, because a change of the uid cancels it (prctl(2)).

    The calls raise OSError in the child, which subprocess reports in the parent as SubprocessError; the program is then
    not run.
    """

    def __init__(
        self, uid: int, gid: int, groups: Sequence[int], *, without_core: bool = False, ends_with_parent: bool = False
    ) -> None:
        # Loaded here and not in the child: nothing may be imported between fork and exec.
        self._libc = _load_libc()
        self._account = uid, gid, list(groups)
        self._without_core, self._ends_with_parent = without_core, ends_with_parent
        self._parent = os.getpid()

    def __call__(self) -> None:
        """Drop all rights; this runs in the child."""
        if self._without_core:
            limit_core()
        if os.geteuid() == 0:
            self._clear_bounding_set()
            uid, gid, groups = self._account
            os.setgroups(groups)
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
        self._clear_capabilities()
        self._prctl(_SET_NO_NEW_PRIVS, 1)
        if self._ends_with_parent:
            self._prctl(_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != self._parent:  # the parent died before the signal was requested
                os.kill(os.getpid(), signal.SIGKILL)

    def _clear_bounding_set(self) -> None:
        """Drop every capability that this kernel knows; reading the first unknown number fails."""
        number = 0
        while self._libc.prctl(_CAPBSET_READ, number, 0, 0, 0) >= 0:
            # Without CAP_SETPCAP, as for root of a container, this fails; no_new_privs prevents gaining these rights
            # anyway.
            self._libc.prctl(_CAPBSET_DROP, number, 0, 0, 0)
            number += 1

    def _clear_capabilities(self) -> None:
        """Clear the effective, permitted, inheritable and ambient sets. That needs no capability."""
        import ctypes

        self._libc.prctl(_CAP_AMBIENT, _AMBIENT_CLEAR_ALL, 0, 0, 0)
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        nothing = (ctypes.c_uint32 * 6)()
        if self._libc.capset(header, nothing):
            self._fail(ctypes.get_errno())

    def _prctl(self, option: int, value: int) -> None:
        import ctypes

        if self._libc.prctl(option, value, 0, 0, 0):
            self._fail(ctypes.get_errno())

    @staticmethod
    def _fail(number: int) -> None:
        raise OSError(number, os.strerror(number))


class DeathSignal:
    """Has the kernel kill a fork when its parent dies, and gives it a name. Made in the parent, called in the fork."""

    def __init__(self, name: str) -> None:
        self._libc, self._name, self._parent = _load_libc(), name[:15].encode(), os.getpid()

    def __call__(self) -> None:
        """Request the signal; this runs in the child. :raises OSError: as prctl(2) does."""
        import ctypes

        name = ctypes.create_string_buffer(self._name)
        self._libc.prctl(_SET_NAME, ctypes.addressof(name), 0, 0, 0)
        if self._libc.prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        if os.getppid() != self._parent:  # the parent died before the signal was requested
            os.kill(os.getpid(), signal.SIGKILL)


def _load_libc() -> ctypes.CDLL:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    # The function is variadic in C; each of its arguments is an unsigned long.
    libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    libc.prctl.restype = ctypes.c_int
    return libc


def limit_core() -> None:
    """Make this process, and the program it becomes, leave no core file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_memory(more: int) -> None:
    """Let this process allocate this many bytes more than it has; beyond that, Python raises MemoryError.

    Only the soft limit is set: a program that this process runs may have more (adapters/process/command.py). No limit
    is set if /proc does not tell the present size, or if a lower limit is set already.
    """
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            has = int(file.read().split()[5]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if soft == resource.RLIM_INFINITY or soft > has + more:
        resource.setrlimit(resource.RLIMIT_DATA, (has + more, hard))
