"""Ansible's connection to a host of the laboratory: nsenter in place of ssh. Ansible loads it, and no test does."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: lab
short_description: run commands in a host of the laboratory
description: Each command is a child of nsenter, in the namespaces of the host's first process.
options:
  enter:
    description: The words before a command that make it run in the host.
    required: true
    vars:
      - name: lab_enter
"""


class Connection(ConnectionBase):  # type: ignore[misc]
    """One host. There is nothing to connect: each command enters it."""

    transport = "lab"
    has_pipelining = False

    def _connect(self) -> Connection:
        self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        argv = [*shlex.split(self.get_option("enter")), "/bin/sh", "-c", cmd]
        done = subprocess.run(argv, input=in_data or b"", capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path: str, out_path: str) -> None:
        super().put_file(in_path, out_path)
        code, _, error = self.exec_command(f"cat >{shlex.quote(out_path)}", Path(in_path).read_bytes())
        if code:
            raise AnsibleConnectionFailure(f"{out_path}: {error.decode(errors='replace')}")

    def fetch_file(self, in_path: str, out_path: str) -> None:
        super().fetch_file(in_path, out_path)
        code, data, error = self.exec_command(f"cat {shlex.quote(in_path)}")
        if code:
            raise AnsibleConnectionFailure(f"{in_path}: {error.decode(errors='replace')}")
        Path(out_path).write_bytes(data)

    def close(self) -> None:
        self._connected = False
