"""HTTP requests of the checks (requests): one request, one answer, nothing followed, nothing taken from a proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import requests

from ..core.numbers import parse_json
from ..core.services.http import Answer
from ..core.services.result import SELF
from .deadline import begin_step, seconds_left

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..core.services.http import HttpSettings

_MAX_BODY = 1 << 18
# Of the deadline: what an answer leaves for asking whose fault it is that none came, and what it gets all the same.
_KEPT, _LEAST = 0.35, 0.1


class Web(NamedTuple):
    """How to ask: seconds for connecting and for each wait, and whose certificates are trusted.

    blame is whose fault it is if the check's time is up before there is an answer.
    """

    timeout: float
    ca_file: str | None = None
    blame: str = SELF

    @classmethod
    def of(cls, settings: HttpSettings) -> Web:
        """Return how a service's section wants to be asked, with what is left of its deadline."""
        left = seconds_left() - _KEPT * settings.deadline
        return cls(min(settings.patience, max(left, _LEAST * settings.deadline)), settings.ca_file)

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        document: Any = None,
    ) -> Answer:
        """Send one request and return its answer, or status 0 with the reason why there is none."""
        begin_step(f"the answer to {method} {_without_query(url)}", blame=self.blame)
        session = requests.Session()
        session.trust_env = False  # no proxy, no .netrc: what is checked is this very address
        try:
            with session.request(
                method,
                url,
                headers={"User-Agent": "xha", "Accept": "application/json, */*", **(headers or {})},
                json=document,
                timeout=self.timeout,
                verify=self.ca_file or True,
                allow_redirects=False,
                stream=True,
            ) as response:
                body = response.raw.read(_MAX_BODY, decode_content=True)
        except (requests.RequestException, OSError, ValueError) as error:
            return Answer(0, fault=_reason(error), overdue=isinstance(error, requests.exceptions.Timeout))
        except Exception as error:  # urllib3's own, while the body is read
            if type(error).__module__.partition(".")[0] != "urllib3":
                raise
            return Answer(0, fault=f"the answer breaks off ({type(error).__name__})")
        text = body.decode("utf-8", "replace")
        return Answer(response.status_code, text[:1000], _json(text), token=response.headers.get("X-Subject-Token"))


def _json(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        return None


def _without_query(url: str) -> str:
    return url.partition("?")[0]


def _reason(error: Exception) -> str:
    """Return why there is no answer, without the library's own words: they are long, and hold addresses."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted, or it speaks no TLS"
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
        ("Connection refused", "connection refused"),
        ("No route to host", "no route to host"),
        ("Network is unreachable", "network is unreachable"),
        ("resolve", "its name is unknown"),
        ("Remote end closed", "the connection was closed without an answer"),
        ("Connection aborted", "the connection was closed without an answer"),
        ("Connection reset", "the connection was reset"),
    ):
        if words in said:
            return meaning
    return f"no HTTP answer ({type(error).__name__})"
