"""Stand-ins for OpenStack's APIs: real HTTP and WebSockets on loopback, with the answers that were measured on Zed.

They are not OpenStack. They test what xha asks, byte for byte, and what it concludes from each answer, from none, and
from a connection that is refused, closed or never answered. The real packages belong to `make test-openstack`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any, NamedTuple

TOKEN, PASSWORD = "gAAAAAB-a-token", "k3ystone:'pass"
KEYSTONE_V3 = {"version": {"id": "v3.14", "status": "stable"}}
NOVA_VERSIONS = {"versions": [{"id": "v2.0", "status": "SUPPORTED"}, {"id": "v2.1", "status": "CURRENT"}]}


class Reply(NamedTuple):
    """An answer; status 0 closes the connection instead. seconds: the wait before it."""

    status: int
    document: Any = None
    headers: dict[str, str] | None = None
    seconds: float = 0.0


class Seen(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    document: Any


class NamelessServer(ThreadingHTTPServer):
    """A server that does not ask the DNS for the name of its own address."""

    def server_bind(self) -> None:
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]


class Api:
    """An API on an address: its replies by `METHOD path`, and the requests that it received."""

    def __init__(self, address: str, port: int = 0) -> None:
        self.replies: dict[str, Reply] = {}
        self.seen: list[Seen] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                api.seen.append(Seen(self.command, self.path, dict(self.headers), json.loads(body) if body else None))
                if self.headers.get("Upgrade") == "websocket":
                    return api.upgrade(self)
                reply = api.reply(api.seen[-1])
                time.sleep(reply.seconds)
                if reply.status:
                    text = b"" if reply.document is None else json.dumps(reply.document).encode()
                    self.send_response(reply.status)
                    self.send_header("Content-Length", str(len(text)))
                    for name, value in (reply.headers or {}).items():
                        self.send_header(name, value)
                    with suppress(OSError):  # the client may have given up
                        self.end_headers()
                        self.wfile.write(b"" if self.command == "HEAD" else text)
                self.close_connection = True

            do_GET = do_POST = do_HEAD = answer  # noqa: N815

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = NamelessServer((address, port), Handler)
        self._server.daemon_threads = True
        self.address, self.port = self._server.server_address[:2]
        self.url = f"http://{self.address}:{self.port}"

    def reply(self, seen: Seen) -> Reply:
        return self.replies.get(f"{seen.method} {seen.path}", Reply(404))

    def upgrade(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_error(400)

    def serve(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Keystone(Api):
    """Gives `TOKEN` to the account xha and 401 to every other one, while its database is there.

    failure is the reply to everything that needs the database; keystone 22 closes the connection.
    """

    failure: Reply | None = None
    refuses = False

    def reply(self, seen: Seen) -> Reply:
        if seen.path == "/v3":
            return Reply(200, KEYSTONE_V3)
        if seen.path == "/":
            return Reply(300, {"versions": {"values": []}})
        if seen.path != "/v3/auth/tokens":
            return Reply(404)
        if self.failure:
            return self.failure
        if seen.method == "HEAD":
            good = {"X-Auth-Token": TOKEN, "X-Subject-Token": TOKEN}.items() <= seen.headers.items()
            return Reply(200 if good else 401)
        user = seen.document["auth"]["identity"]["password"]["user"]
        if self.refuses or (user["name"], user.get("password")) != ("xha", PASSWORD):
            return Reply(401, {"error": {"code": 401, "title": "Unauthorized"}})
        document = {"token": {"expires_at": "2036-01-01T00:00:00.000000Z", "project": {"id": "p1d", "name": "admin"}}}
        return Reply(201, document, {"X-Subject-Token": TOKEN})


class Vnc(Api):
    """A console proxy's WebSocket. closes: it has looked the token up and refuses it; otherwise its database hangs."""

    closes = True
    accept_key = ""

    def upgrade(self, handler: BaseHTTPRequestHandler) -> None:
        key = handler.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = self.accept_key or base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        handler.wfile.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept.encode() + b"\r\nSec-WebSocket-Protocol: binary\r\n\r\n"
        )
        time.sleep(0.1 if self.closes else 30)
        handler.close_connection = True


class Saslauthd:
    """The password check of Cyrus SASL (lib/checkpw.c): four counted words, and OK or NO. It knows one account."""

    def __init__(self, path: Path, user: str, password: str) -> None:
        self._account = [user.encode(), password.encode()]
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        path.chmod(0o777)
        self._socket.listen()

    def __enter__(self) -> Saslauthd:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                with client, client.makefile("rb") as asked:
                    words = [asked.read(int.from_bytes(asked.read(2), "big")) for _ in range(4)]
                    answer = b"OK" if words[:2] == self._account else b"NO"
                    client.sendall(len(answer).to_bytes(2, "big") + answer)


@contextmanager
def serving(api: Any) -> Iterator[Any]:
    api.serve()
    try:
        yield api
    finally:
        api.close()
