"""HTTP requests of the checks (requests): one request and one answer, without redirects and without a proxy.

requests and urllib3 limit neither the time of a whole answer nor its bytes; here `limit` and `read_body` do.
"""

from __future__ import annotations

import http.client
import io
import socket
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import requests
import requests.adapters
import urllib3
import urllib3.connection
from urllib3.util.ssl_ import create_urllib3_context

from ...core.services.api.judge import ApiAnswer
from ...core.services.model.reach import Unmet
from ...core.services.model.result import SELF
from ...core.text.numbers import parse_int, parse_json
from ..network.addresses import require_address
from ..network.client_tls import TlsFiles, client_context, speaks_tls, unmet_by, unmet_without_words
from ..network.tls import accept_what_clients_accept
from ..process.alarm import begin_step, finish_within, seconds_left

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...core.services.api.judge import HttpSettings

# Enough for the service list of two thousand hosts, or for two hundred queues of RabbitMQ. A hostile body of half a MiB
# becomes 13 MiB of Python objects (measured).
_MAX_BODY, _MAX_HEADERS = 1 << 19, 1 << 16
# Parts of the deadline: what an answer leaves for finding the cause of a failure, and the least that an answer gets.
_KEPT, _LEAST = 0.35, 0.1
# The part of what is left, to see whether a port that closes a connection wants TLS.
_TLS_SHARE = 0.25
_UNREACHED = ("connection refused", "no route to host", "network is unreachable")
_NO_NAME = "its name is unknown"


class UnfitAnswer(Exception):
    """An answer that a check does not read to its end; the text says why."""


class _Metered(io.RawIOBase):
    """The bytes that arrive on a connection, up to the size of the largest answer."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw, self._left = raw, _MAX_BODY + _MAX_HEADERS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        number: int | None = self._raw.readinto(buffer)
        self._left -= number or 0
        if self._left < 0:
            raise UnfitAnswer(f"the answer is longer than {(_MAX_BODY + _MAX_HEADERS) >> 10} KiB")
        return number

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer whose headers, chunks and trailers count too: a hundred headers of 64 KiB become 47 MiB (measured)."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.fp = io.BufferedReader(_Metered(self.fp.detach()))


class _Connection(urllib3.connection.HTTPConnection):
    response_class = _Response


class _TlsConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(requests.adapters.HTTPAdapter):
    def __init__(self, *, tls: bool) -> None:
        """tls: make a context, which takes a check 3 ms of CPU."""
        self._tls = tls
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        if self._tls:
            named["ssl_context"] = accept_what_clients_accept(create_urllib3_context())
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


class HttpSession(requests.Session):
    """A session that limits what it accepts as an answer.

    - No proxy and no .netrc: the configured address itself is checked.
    - No content encoding: a body of 256 KiB may unfold to 256 MiB.
    - No redirect: requests reads the whole body of a redirect even if it does not follow it.
    """

    def __init__(self, url: str, files: TlsFiles) -> None:
        """Prepare for requests below a URL. :raises Unmet: if a file for TLS cannot be used."""
        super().__init__()
        scheme = urlsplit(url).scheme
        if scheme == "https":
            client_context(files)  # requests would say that a file is missing, or ask for the password of a key
        self.verify = files.ca_file or True
        self.cert = (files.cert_file, files.key_file or files.cert_file) if files.cert_file else None
        self.trust_env = False
        self.headers.update({"User-Agent": "xha", "Accept-Encoding": "identity"})
        self.adapters.clear()  # no redirect is followed: the other scheme is never asked for
        self.mount(f"{scheme}://", _Adapter(tls=scheme == "https"))

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return None, so that no redirect is seen."""
        return None


def read_body(response: requests.Response) -> str:
    """Return the body of an answer whose headers have arrived.

    :raises UnfitAnswer: if it is too long, encoded, or shorter than its headers say.
    """
    body = response.raw.read(_MAX_BODY + 1, decode_content=False)
    announced = parse_int(response.headers.get("Content-Length", ""))
    if announced is not None and len(body) < min(announced, _MAX_BODY) and response.request.method != "HEAD":
        raise UnfitAnswer("the answer breaks off")
    if len(body) > _MAX_BODY:
        raise UnfitAnswer(f"the answer is longer than {_MAX_BODY >> 10} KiB")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnfitAnswer("the answer is compressed, which nobody asked for")
    return str(body.decode("utf-8", "replace"))


class Web(NamedTuple):
    """How requests are sent: timeout is in seconds for a whole answer; files are those for TLS.

    blame is whose fault it is if the check's time ends before there is an answer.
    """

    timeout: float
    files: TlsFiles = TlsFiles()
    blame: str = SELF

    @classmethod
    def of(cls, settings: HttpSettings) -> Web:
        """Return the settings of a service's section, with what is left of its deadline."""
        left = seconds_left() - _KEPT * settings.deadline
        files = TlsFiles(settings.ca_file, settings.cert_file, settings.key_file)
        return cls(min(settings.patience, max(left, _LEAST * settings.deadline)), files)

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        document: Any = None,
    ) -> ApiAnswer:
        """Send one request and return its answer; status 0 with the reason if there is none."""
        begin_step(f"the answer to {method} {_without_query(url)}", blame=self.blame)
        try:
            answer = finish_within(self.timeout, lambda: self._ask(method, url, headers or {}, document))
        except Unmet as unmet:
            return ApiAnswer(0, fault="not asked", unmet=str(unmet))
        except UnfitAnswer as error:
            return ApiAnswer(0, fault=str(error), unmet="an answer that it can read")
        except TimeoutError:
            return ApiAnswer(0, fault="no answer in time", overdue=True)
        except (requests.RequestException, OSError, ValueError) as error:
            answer = _failure(error)
        except Exception as error:  # urllib3's own errors, while the body is read
            if type(error).__module__.partition(".")[0] != "urllib3":
                raise
            fault = f"the answer breaks off ({type(error).__name__})"
            return ApiAnswer(0, fault=fault, unmet="a whole answer")
        return self._look_for_tls(url, answer)

    def _look_for_tls(self, url: str, answer: ApiAnswer) -> ApiAnswer:
        """Return the answer; what of TLS is needed if a port closed the connection, or answered 400 in the clear."""
        split = urlsplit(url)
        is_closed = not answer.status and not (answer.overdue or answer.unreached or answer.unmet)
        host, port, seconds = split.hostname or "", split.port, min(self.timeout, seconds_left()) * _TLS_SHARE
        if split.scheme == "https" and is_closed and not self.files.cert_file:
            return answer._replace(unmet=unmet_without_words(host, port or 443, self.files, seconds))
        if split.scheme != "http" or not (is_closed or answer.status == 400):
            return answer
        if not speaks_tls(host, port or 80, seconds):
            return answer
        return ApiAnswer(
            0, fault=answer.fault or "answered 400", unmet=f"https:// instead of http:// at port {port or 80}"
        )

    def _ask(self, method: str, url: str, headers: Mapping[str, str], document: Any) -> ApiAnswer:
        require_address(urlsplit(url).hostname or "", self.timeout)
        with (
            HttpSession(url, self.files) as session,
            session.request(
                method,
                url,
                headers={"Accept": "application/json, */*", **headers},
                json=document,
                timeout=self.timeout,
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            if response.is_redirect:  # its body says nothing, and may have no end
                return ApiAnswer(response.status_code)
            text = read_body(response)
        return ApiAnswer(response.status_code, text[:1000], _json(text), token=response.headers.get("X-Subject-Token"))


def _json(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        return None


def _without_query(url: str) -> str:
    return url.partition("?")[0]


def _failure(error: Exception) -> ApiAnswer:
    """Return why there is no answer, and whether the check's own settings are the reason."""
    unmet = unmet_by(error)
    if unmet:
        return ApiAnswer(0, fault="no TLS with these settings", unmet=unmet)
    fault = _reason(error)
    if isinstance(error, socket.gaierror) or fault == _NO_NAME:
        return ApiAnswer(0, fault=fault, unmet="a host name that is known")
    overdue = isinstance(error, requests.exceptions.Timeout)
    unreached = isinstance(error, requests.exceptions.ConnectTimeout) or fault in _UNREACHED
    return ApiAnswer(0, fault=fault, overdue=overdue and not unreached, unreached=unreached)


def _reason(error: Exception) -> str:
    """Return why there is no answer. The library's own texts are not used: they are long, and contain addresses."""
    if isinstance(error, socket.gaierror):
        return str(error.strerror)
    if isinstance(error, requests.exceptions.SSLError):
        return "no TLS with these settings"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    cause: BaseException | None = error
    texts: list[str] = []
    while cause is not None and len(texts) < 10:
        texts.append(str(cause))
        cause = cause.__cause__ or cause.__context__ or next((a for a in cause.args if isinstance(a, Exception)), None)
    said = " ".join(texts)
    for words, meaning in (
        *((one.capitalize(), one) for one in _UNREACHED),
        ("resolve", _NO_NAME),
        ("Remote end closed", "the connection was closed without an answer"),
        ("Connection aborted", "the connection was closed without an answer"),
        ("Connection reset", "the connection was reset"),
    ):
        if words in said:
            return meaning
    return f"no HTTP answer ({type(error).__name__})"
