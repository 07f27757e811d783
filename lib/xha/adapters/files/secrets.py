"""Reads secrets from files and the environment, never from a command line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...core.text.values import ConfigError
from .whole_file import read_whole

if TYPE_CHECKING:
    from ...core.services.model.kind import Secret

_MAX_BYTES = 64 << 10


def read_secret(secret: Secret) -> str:
    """Return the secret without the newline at its end.

    :raises ConfigError: if there is none; the text names the file or variable, never its content.
    """
    if secret.path is not None:
        return _read_file(secret.path)
    value = os.environ.get(secret.variable or "")
    if not value:
        raise ConfigError(f"the environment has no {secret.variable}")
    return value


def _read_file(path: str) -> str:
    if "/" not in path:  # a credential of the unit (LoadCredential=)
        directory = os.environ.get("CREDENTIALS_DIRECTORY")
        if not directory:
            raise ConfigError(f"{path} is a systemd credential, and this process has none; a file begins with /")
        path = os.path.join(directory, path)
    try:
        text = read_whole(path, _MAX_BYTES).data.decode().rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"{path}: {(error.strerror or 'unreadable').lower()}") from None
    except UnicodeError:
        raise ConfigError(f"{path}: not UTF-8 text") from None
    if not text:
        raise ConfigError(f"{path}: the secret in it is missing")
    return text
