"""TLS that verifies a peer as strictly as the services' own clients do, on every Python."""

from __future__ import annotations

import ssl


def verifying_tls(ca_file: str | None = None, ca_path: str | None = None) -> ssl.SSLContext:
    """Return TLS that proves who the peer is: by those authorities, or by the system's where none is named.

    :raises OSError: if an authority cannot be read; ssl.SSLError is one.
    """
    return accept_what_clients_accept(ssl.create_default_context(cafile=ca_file, capath=ca_path))


def accept_what_clients_accept(context: ssl.SSLContext) -> ssl.SSLContext:
    """Take back VERIFY_X509_STRICT, which Python 3.13 sets in its own contexts and urllib3 in its.

    With it, a chain is refused if a certificate in it lacks an extension that RFC 5280 asks of its issuer, as the
    authority key identifier that many sites' own authorities leave out. MariaDB's and MySQL's clients, curl, Erlang and
    Python until 3.12 accept such a chain, so a check that refuses it would report a fault that no client has. Chain,
    dates, purpose and name are verified as before.
    """
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
