"""Another account of this host, and commands that it runs."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path


class Attacker:
    """An account, by its name: it runs commands with its own rights."""

    def __init__(self, name: str) -> None:
        self.name, self.entry = name, pwd.getpwnam(name)

    def run(self, command: str) -> str:
        """Run a line of shell as the account, and return its output."""
        done = subprocess.run(
            ["/bin/sh", "-c", command], capture_output=True, text=True, check=False, **self._identity()
        )
        assert done.returncode == 0, f"{self.name}: {command}: {done.stderr}"
        return done.stdout

    def _identity(self) -> dict[str, object]:
        return {"user": self.entry.pw_uid, "group": self.entry.pw_gid, "extra_groups": [], "cwd": "/"}

    @staticmethod
    def reach(path: Path) -> None:
        """Let every account enter a directory, and those above it: pytest's own are closed to all but root."""
        for one in (path, *path.parents):
            if one.stat().st_uid == os.geteuid() and not one.stat().st_mode & 0o001:
                one.chmod(one.stat().st_mode | 0o011)
