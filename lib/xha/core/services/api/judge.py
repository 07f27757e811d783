"""Services that use HTTP: what each is asked, which answer is right, and who is to blame for another one."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, NamedTuple

from ...text.values import parse_address, parse_path, parse_port, parse_switch, parse_text, parse_words
from ..model.kind import Secret
from ..model.result import SELF, Level, Result, cautioned, dependency, failed, passed, unknown
from ..model.values import parse_secret_file, parse_secret_variable

if TYPE_CHECKING:
    from typing import Any

    from ..model.reach import Place

KEYSTONE, DATABASE = dependency("keystone"), dependency("mysql")
_HOST = r"(?:\[([0-9A-Fa-f:.]+)(?:%[\w.~%-]+)?\]|[^/?#@\s:\[\]]+)"
_URL = re.compile(rf"https?://{_HOST}(?::([0-9]{{1,5}}))?(?:/[^?#@\s]*)?")


class ApiRequest(NamedTuple):
    """One request and its right answer: the status, and what a JSON body must hold at json_path (`()`: any body)."""

    path: str
    statuses: tuple[int, ...] = (200,)
    json_path: tuple[str | int, ...] = ()
    json_value: str | None = None


class RequestPlan(NamedTuple):
    """What one kind is asked without credentials, and with a token. {project} stands for the token's project."""

    protocol: ApiRequest
    deep: ApiRequest | None = None


class HttpSettings(NamedTuple):
    """The section of a service that uses HTTP. url has no slash at its end.

    shared_process: a command line under which the service may run unseen beside others, such as any apache's.
    """

    name: str
    process: str
    deadline: float
    url: str
    plan: RequestPlan
    path: str | None = None
    expect: tuple[int, ...] = ()
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    database: tuple[str, int] | None = None
    required: bool = True
    shared_process: str | None = None
    auth_url: str | None = None
    username: str | None = None
    user_domain: str = "Default"
    project: str | None = None
    project_domain: str = "Default"
    password_file: Secret | None = None
    password_env: Secret | None = None
    neighbours: tuple[Place, ...] = ()

    @property
    def patience(self) -> float:
        """Seconds for one answer. The rest of the deadline is left to find out who is to blame if no answer comes."""
        return self.deadline / 2

    @property
    def password(self) -> Secret | None:
        """Where the password is, or None."""
        return self.password_file or self.password_env

    @property
    def protocol_request(self) -> ApiRequest:
        """The plan's request with the changes of the section."""
        request = self.plan.protocol
        if self.path:
            request = ApiRequest(self.path)
        return request._replace(statuses=self.expect) if self.expect else request


class ApiAnswer(NamedTuple):
    """An HTTP answer, or why there is none (status 0). body is its beginning, document its JSON or None.

    token: the header X-Subject-Token, which is a secret. overdue: there is no answer because its time was up.
    unmet: what the check's own settings lack, so that nothing is known about the service. unreached: there was not even
    a connection.
    """

    status: int
    body: str = ""
    document: Any = None
    fault: str = ""
    token: str | None = None
    overdue: bool = False
    unmet: str = ""
    unreached: bool = False


def judge_request(request: ApiRequest, answer: ApiAnswer) -> str:
    """Return what is wrong with an answer, "" if it is right."""
    if not answer.status:
        return f"{request.path}: {answer.fault}"
    if answer.status not in request.statuses:
        wanted = " or ".join(map(str, request.statuses))
        return f"{request.path} answered {answer.status}, not {wanted}"
    if not request.json_path:
        return ""
    found = _dig(answer.document, request.json_path)
    where = ".".join(map(str, request.json_path))
    if found is None:
        return f"{request.path} answered {answer.status}, and not the service's own JSON: {where} is missing"
    if request.json_value is not None and found != request.json_value:
        return f"{request.path}: {where} is {str(found)[:40]!r}, not {request.json_value!r}"
    return ""


def find_unmet(request: ApiRequest, answer: ApiAnswer) -> str:
    """Return what the check needs if an answer says nothing about the service; "" otherwise.

    An answer that is right but for a field that is absent is of a service that this check does not know. One that leads
    elsewhere is not followed: it comes from a url that is not quite the service's, as http:// for https://.
    """
    if answer.unmet:
        return answer.unmet
    if answer.status in _ELSEWHERE and answer.status not in request.statuses:
        return "another url or path, for this one leads elsewhere"
    is_right = answer.status in request.statuses and isinstance(answer.document, dict)
    if is_right and request.json_path and _dig(answer.document, request.json_path) is None:
        return "an answer that it knows"
    return ""


def _dig(document: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        if isinstance(step, str):
            document = document.get(step) if isinstance(document, dict) else None
        elif isinstance(document, list):
            document = document[step] if -len(document) <= step < len(document) else None
        else:
            document = None
    return document


def judge_protocol(settings: HttpSettings, answer: ApiAnswer) -> Result:
    """Return the result of the request without credentials."""
    request, level = settings.protocol_request, Level.PROTOCOL
    fault = judge_request(request, answer)
    unmet = find_unmet(request, answer)
    if unmet:
        return unknown(settings.name, level, f"needs {unmet}: {fault}")
    if not fault:
        return passed(settings.name, level, f"GET {request.path} answered {answer.status}")
    # disable_by_file of oslo.middleware: an operator drains the service, and nothing is broken.
    if answer.status == 503 and "DISABLED BY FILE" in answer.body.upper():
        return cautioned(settings.name, level, f"{request.path}: disabled by file, an operator drains it")
    # The root of an API is there, or the API is not. Another path is a matter of the pipeline in its paste.ini.
    if answer.status in (401, 403, 404) and request.path not in _ROOTS:
        return unknown(settings.name, level, f"needs path, one that it has and that needs no account: {fault}")
    return failed(settings.name, level, fault)


_ROOTS = ("/", "/v3")
_ELSEWHERE = (301, 302, 303, 307, 308)  # RFC 9110, 15.4: to one other place


class Cause(NamedTuple):
    """What the services behind this one answered when it failed. None: not asked. An empty text: they work."""

    keystone: str | None = None
    database: str | None = None


def judge_cause(name: str, fault: str, proved: str, cause: Cause) -> Result:
    """Return who is to blame if the service answers, but a request fails that needs keystone and the database."""
    level = Level.DEEP
    if cause.database:
        return failed(name, level, f"{fault}; the database: {cause.database}", blame=DATABASE, proved=proved)
    if cause.keystone:
        return failed(name, level, f"{fault}; keystone: {cause.keystone}", blame=KEYSTONE, proved=proved)
    return failed(name, level, fault, blame=SELF, proved=proved)


def judge_no_token(name: str, answer: ApiAnswer, proved: str) -> Result | None:
    """Return the result if keystone gives no token because of this section: its account, or its way to keystone."""
    if answer.unmet:
        return unknown(
            name, Level.DEEP, f"needs {answer.unmet}: keystone gives no token, {answer.fault}", proved=proved
        )
    if answer.status in _ELSEWHERE:
        needs = f"needs another url of keystone, for this one leads elsewhere: it answered {answer.status}"
        return unknown(name, Level.DEEP, needs, proved=proved)
    if 400 <= answer.status < 500:
        needs = f"needs an account that keystone accepts: it answered {answer.status}"
        return unknown(name, Level.DEEP, needs, proved=proved)
    return None


def find_fault(settings: HttpSettings) -> tuple[str, str] | None:
    """Return the key that lacks or contradicts another one."""
    said = (settings.auth_url or settings.plan.deep is None, settings.username, settings.project, settings.password)
    if settings.password_file and settings.password_env:
        return "password_env", "password_file is said too: leave out one"
    if any((settings.username, settings.project, settings.password)) and not all(said):
        return "username", "goes with project, password_file or password_env, and auth_url"
    if settings.key_file and not settings.cert_file:
        return "key_file", "goes with cert_file"
    return None


def parse_url(text: str) -> str:
    """Return a base URL without a slash at its end.

    :raises ValueError: without the text, which may have a password; naming a port or an IPv6 address that is none.
    """
    found = _URL.fullmatch(text)
    if not found:
        raise ValueError("not http://HOST:PORT or https://HOST:PORT, with a path perhaps, without an account")
    if found[1]:
        IPv6Address(found[1])
    if found[2]:
        parse_port(found[2])
    return text.rstrip("/")


def parse_statuses(text: str) -> tuple[int, ...]:
    """Return HTTP statuses. :raises ValueError: naming the first invalid one."""
    for word in parse_words(parse_text(text)):
        if not re.fullmatch(r"[1-5]\d\d", word, re.ASCII):
            raise ValueError(f"{word!r} is not an HTTP status")
    return tuple(int(word) for word in parse_words(text))


# How and with which account an API is asked, and what may be to blame. The section of a worker has these keys too.
API_KEYS = {
    "url": parse_url,
    "ca_file": parse_path,
    "cert_file": parse_path,
    "key_file": parse_path,
    "database": parse_address,
    "auth_url": parse_url,
    "username": parse_text,
    "user_domain": parse_text,
    "project": parse_text,
    "project_domain": parse_text,
    "password_file": parse_secret_file,
    "password_env": parse_secret_variable,
}
KEYS = {**API_KEYS, "path": parse_path, "expect": parse_statuses, "required": parse_switch}
