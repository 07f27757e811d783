"""How a child process ended that gave no answer: asked before it is collected."""

from __future__ import annotations

import os
import signal
import time


def wait_fate(pid: int) -> str:
    """Return how a child ends that has closed its pipe, such as `exit status 70`; "" if it does not end in a moment.

    It stays a zombie: its number, and that of its group, are its own until it is collected.
    """
    for _ in range(50):
        try:
            ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return ""
        if ended and ended.si_code == os.CLD_EXITED:
            return f"exit status {ended.si_status}"
        if ended:
            return _signal_name(ended.si_status)
        time.sleep(0.002)
    return ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


def describe_end(fate: str) -> str:
    """Return how a child ended, from what wait_fate returned, in words for a result."""
    if fate == signal.SIGKILL.name:
        return f" ({fate}): somebody killed it, or the kernel for want of memory"
    return f" ({fate or 'it closed its pipe and did not end'}): this is a fault of xha's"
