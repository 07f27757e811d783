"""A certificate authority for one test session, and server certificates that it signs (openssl)."""

from __future__ import annotations

import subprocess
from functools import cached_property
from pathlib import Path

from loopback import find_program


class Authority:
    """ca is the file to trust; other_ca is one that signed nothing here.

    key_identifiers: without them its certificates lack what VERIFY_X509_STRICT asks for, as those of many sites do.
    """

    def __init__(self, directory: Path, *, key_identifiers: bool = True) -> None:
        directory.mkdir(mode=0o755)
        self._identifiers = "" if key_identifiers else "subjectKeyIdentifier = none\nauthorityKeyIdentifier = none\n"
        self.directory = directory
        self.ca = self._self_signed("ca")
        self.other_ca = self._self_signed("other-ca")

    def _self_signed(self, name: str) -> Path:
        config = self.directory / f"{name}.cnf"
        config.write_text(
            "[req]\ndistinguished_name = name\nx509_extensions = ca\n[name]\n"
            f"[ca]\nbasicConstraints = critical, CA:TRUE\n{self._identifiers}"
        )
        self._openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-config", str(config), "-keyout", f"{name}.key", "-out", f"{name}.pem",
        )  # fmt: skip
        return self.directory / f"{name}.pem"

    def certify(self, name: str, *addresses: str) -> tuple[Path, Path]:
        """The certificate and key of a server at these addresses, readable by every account."""
        key = self._key
        self._openssl("req", "-new", "-key", str(key), "-subj", f"/CN={name}", "-out", f"{name}.csr")
        extensions = self.directory / f"{name}.ext"
        names = ", ".join(f"IP:{address}" for address in addresses)
        extensions.write_text(f"subjectAltName = {names}\n{self._identifiers}")
        self._openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", str(extensions), "-out", f"{name}.pem",
        )  # fmt: skip
        return self.directory / f"{name}.pem", key

    @cached_property
    def _key(self) -> Path:
        """The key of all its servers: making one takes ten times as long as a certificate."""
        key = self.directory / "server-key.pem"
        self._openssl("genrsa", "-out", str(key), "2048")
        key.chmod(0o644)  # mysqld runs as a user of its own
        return key

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(
            [find_program("openssl", "openssl"), *arguments], cwd=self.directory, check=True, capture_output=True
        )
