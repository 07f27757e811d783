"""How xha logs in to a MariaDB or MySQL server, and which requests of a server it refuses (PyMySQL).

PyMySQL answers whatever plugin the server names, and some plugins require the password itself. The login is therefore
done here, with PyMySQL's functions and a list of plugins; a plugin that is not on the list is refused. (Protocol:
MariaDB Knowledge Base, "Connection phase".)
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ...core.text.escape import clean
from ..network.channel import Channel, Nonsense, connect_tcp, connect_unix
from .driver import CLIENT, CR, _auth, charset_by_name, pymysql

if TYPE_CHECKING:
    import ssl
    from typing import Any, Callable

    from ..network.channel import Allowance
    from .login_target import Target

_MAX_PACKET = (1 << 24) - 1
_SCRAMBLE, _ED25519_SCRAMBLE = 20, 32
# A server may request several plugins, one after the other, and each may ask several times.
_MAX_STEPS = 16
_NATIVE, _CACHING = "mysql_native_password", "caching_sha2_password"
_OK, _MORE, _SWITCH = b"\x00", b"\x01", b"\xfe"
_CACHED, _WANTS_PASSWORD = b"\x03", b"\x04"


class LoginRefused(Exception):
    """The server asks for something that xha refuses. The text names it and the remedy."""


def _ed25519(password: bytes, scramble: bytes) -> bytes:
    try:
        return bytes(_auth.ed25519_password(password, scramble[:_ED25519_SCRAMBLE]))
    except RuntimeError:
        raise LoginRefused("the account's plugin client_ed25519 needs Python's package pynacl: install it") from None


# These plugins prove the password without revealing it. (An account with the plugin unix_socket or auth_socket is asked
# nothing.)
_PROOFS: dict[str, Callable[[bytes, bytes], bytes]] = {
    _NATIVE: lambda password, scramble: bytes(_auth.scramble_native_password(password, scramble[:_SCRAMBLE])),
    _CACHING: lambda password, scramble: bytes(_auth.scramble_caching_sha2(password, scramble[:_SCRAMBLE])),
    "client_ed25519": _ed25519,
}
# These plugins send the password itself.
_TELLS = ("mysql_clear_password", "sha256_password", "dialog")


def open_connection(target: Target, allowance: Allowance) -> Connection:
    """Connect and log in. The allowance of the channel holds until it is replaced.

    A server whose TLS fails is asked once more without, unless TLS is required: an old server may offer only versions
    that Python refuses. Whoever could break the one could have offered the other; no password is told through either.

    No connection is left open after an error. A server with another protocol makes PyMySQL's parsers raise various
    errors: IndexError, struct.error, ...

    :raises pymysql.MySQLError, OSError, TooLate, Nonsense, WrongAccount, LoginRefused: if there is no login.
    """
    try:
        return _connect(target, allowance)
    except _NoTls as error:
        failed = str(error)
    try:
        return _connect(target._replace(tls=None), allowance)
    except pymysql.MySQLError as error:
        number, text = (*error.args, "", "")[:2]
        raise type(error)(number, f"{text}; this is without TLS, which failed: {failed}") from None


class _NoTls(Exception):
    """TLS failed, and is not required. The text says how."""


def _connect(target: Target, allowance: Allowance) -> Connection:
    if target.socket is not None:
        channel = connect_unix(target.socket, target.server_uids, allowance)
    else:
        channel = connect_tcp(str(target.host), target.port, allowance)
    try:
        return Connection(target, channel)
    except BaseException:
        channel.close()
        raise


class Connection(pymysql.Connection):
    """A connection whose bytes go through a Channel, and whose login uses only the plugins listed above."""

    server_capabilities: int
    server_version: str
    salt: bytes
    _auth_plugin_name: str
    _connect_attrs: dict[str, str]

    def __init__(self, target: Target, channel: Channel) -> None:
        self.channel = channel
        self._target = target
        # The server is proved by the account behind its socket, or by a certificate with its name (_start_tls).
        self._verified = target.socket is not None
        super().__init__(
            user=target.user,
            # PyMySQL would encode it in Latin-1; MySQL's clients send the bytes of the file.
            password=target.password.encode("utf-8", "surrogateescape"),
            host=target.host,
            autocommit=None,  # any other value costs a round trip
            ssl_disabled=True,  # the channel does TLS
            client_flag=CLIENT.MULTI_STATEMENTS | CLIENT.MULTI_RESULTS,
            local_infile=False,
            conv={},  # all values are read as text; converting a number of ten thousand digits would take time
            program_name="xha",
            defer_connect=True,
        )
        self.connect(channel)  # type: ignore[arg-type] # it has the methods that are called on a socket

    def _request_authentication(self) -> None:
        wanted = CLIENT.PROTOCOL_41 | CLIENT.SECURE_CONNECTION | CLIENT.PLUGIN_AUTH
        if self.server_capabilities & wanted != wanted:
            raise Nonsense("it speaks the protocol of a server before MySQL 5.5")
        tls = self._target.tls if self.server_capabilities & CLIENT.SSL else None
        if tls is None and self._target.tls_required:
            raise pymysql.OperationalError(CR.CR_SSL_CONNECTION_ERROR, "TLS is asked for, the server offers none")
        charset: Any = charset_by_name(self.charset)
        flags = self.client_flag | (CLIENT.SSL if tls else 0)
        head = struct.pack("<IIB23s", flags, _MAX_PACKET, charset.id, b"")
        if tls is not None:
            self.write_packet(head)
            self._start_tls(tls)
        plugin = self._auth_plugin_name if self._auth_plugin_name == _CACHING else _NATIVE
        self.write_packet(head + self._answer_greeting(plugin))
        self._log_in(plugin)

    def _start_tls(self, tls: ssl.SSLContext) -> None:
        import ssl

        try:
            self.channel.start_tls(tls, str(self._target.host))
        except (ssl.SSLError, ConnectionError) as error:
            if self._target.tls_required:
                raise
            raise _NoTls(clean(error.strerror or str(error))) from None
        self._verified = tls.check_hostname

    def _answer_greeting(self, plugin: str) -> bytes:
        proof = _PROOFS[plugin](self.password, self.salt)
        user = self._target.user.encode("utf-8", "surrogateescape")
        answer = user + b"\0" + bytes([len(proof)]) + proof + plugin.encode() + b"\0"
        if self.server_capabilities & CLIENT.CONNECT_ATTRS:
            texts = (text.encode() for pair in self._connect_attrs.items() for text in pair)
            attributes = b"".join(bytes([len(text)]) + text for text in texts)
            answer += bytes([len(attributes)]) + attributes
        return answer

    def _log_in(self, plugin: str) -> None:
        """Answer the server's requests until it accepts the login."""
        for _ in range(_MAX_STEPS):
            packet = self._read_packet()  # type: ignore[no-untyped-call]
            if packet.is_ok_packet():
                return
            kind, rest = packet.get_all_data()[:1], packet.get_all_data()[1:]
            if kind == _SWITCH:
                name, _, data = rest.partition(b"\0")
                plugin = name.decode("ascii", "replace") or "mysql_old_password"
                self._answer(plugin, data)
            elif plugin == "dialog":
                self._answer_prompt(kind + rest)
            elif kind == _MORE and plugin == _CACHING and rest[:1] == _WANTS_PASSWORD:
                self._tell_password(_CACHING)
            elif kind != _MORE or plugin != _CACHING or rest[:1] != _CACHED:
                raise Nonsense(f"it answers a login by {clean(plugin, 64)} with what is no part of it")
        raise Nonsense("it asks for one login after the other, without an end")

    def _answer(self, plugin: str, data: bytes) -> None:
        if plugin in _PROOFS:
            self.write_packet(_PROOFS[plugin](self.password, data))
        elif plugin == "dialog":
            self._answer_prompt(data)
        elif plugin in _TELLS:
            self._tell_password(plugin)
        else:
            raise LoginRefused(
                f"the server asks for a login by the plugin {clean(plugin, 64)!r}, which xha does not do; give the "
                "account unix_socket, ed25519 or mysql_native_password"
            )

    def _answer_prompt(self, data: bytes) -> None:
        # The first byte tells how to show the prompt (plugin/auth_dialog.c of MariaDB); PAM's prompt for a password is
        # this.
        if data[1:] != b"Password: ":
            raise LoginRefused(
                f"the server asks {clean(data[1:].decode('utf-8', 'replace'), 64)!r}, which only a person can answer"
            )
        self._tell_password("dialog")

    def _tell_password(self, plugin: str) -> None:
        # A public key does not help either: any server that sent one could read the answer.
        if not self._verified:
            raise LoginRefused(
                f"the server asks for the password in clear text (plugin {plugin}), and nothing proves that it is the "
                "server; use TLS with ssl-verify-server-cert, or the unix socket"
            )
        self.write_packet(self.password + b"\0")
