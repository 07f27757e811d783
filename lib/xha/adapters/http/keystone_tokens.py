"""Tokens of keystone: requested, kept for the next check, and verified (Identity API v3, Password authentication)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from ...core.services.api.judge import KEYSTONE
from ...core.text.json_types import parse_text
from ...core.text.numbers import parse_json, parse_moment
from ..files.atomic_write import replace_text
from ..files.secrets import read_secret
from ..files.whole_file import read_text
from .client import Web

if TYPE_CHECKING:
    from typing import Any, Callable

    from ...core.services.api.judge import ApiAnswer, HttpSettings

# A token is not used in the last _MARGIN seconds before it expires, and is kept for at most _LONGEST seconds.
_MARGIN, _LONGEST = 60.0, 1800.0
# The part of the deadline for a request to keystone; the service that needs the token gets as much.
_SHARE = 0.35
_MOST_BYTES = 65536


class KeystoneToken(NamedTuple):
    """A token, which is a secret, with the id of its project. fresh: keystone issued it in this check."""

    text: str
    project: str
    fresh: bool = True


def password_login(user: str, domain: str, password: str, project: str = "", project_domain: str = "") -> Any:
    """Return the document of a request for a token."""
    identity = {"user": {"name": user, "domain": {"name": domain}, "password": password}}
    auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": identity}}
    if project:
        auth["scope"] = {"project": {"name": project, "domain": {"name": project_domain}}}
    return {"auth": auth}


def tokens_url(auth_url: str) -> str:
    """Return the URL at which keystone issues tokens. auth_url may end in /v3 or not; clouds.yaml has both."""
    return f"{auth_url if auth_url.endswith('/v3') else auth_url + '/v3'}/auth/tokens"


def ask_with_token(
    settings: HttpSettings, ask: Callable[[KeystoneToken], ApiAnswer]
) -> tuple[KeystoneToken | ApiAnswer, ApiAnswer]:
    """Call `ask` with a token. If a kept token is refused, call it again with a new one: it may have been revoked.

    Return the token with the answer; keystone's answer for both if it issues none.
    :raises ConfigError: if the password cannot be read.
    """
    token = get_token(settings)
    answer = ask(token) if isinstance(token, KeystoneToken) else token
    if answer.status in (401, 403) and isinstance(token, KeystoneToken) and not token.fresh:
        token = get_token(settings, renew=True)
        answer = ask(token) if isinstance(token, KeystoneToken) else token
    return token, answer


def get_token(settings: HttpSettings, *, renew: bool = False) -> KeystoneToken | ApiAnswer:
    """Return a token for the section's account; keystone's answer if it issues none. renew: do not use a kept token.

    :raises ConfigError: if the password cannot be read.
    """
    assert settings.auth_url
    assert settings.password
    kept = None if renew else _read_kept(settings)
    if kept:
        return kept
    login = password_login(
        settings.username or "",
        settings.user_domain,
        read_secret(settings.password),
        settings.project or "",
        settings.project_domain,
    )
    answer = _keystone_of(settings).ask("POST", tokens_url(settings.auth_url), document=login)
    if answer.status != 201 or not answer.token:
        return answer
    token = KeystoneToken(answer.token, _project_of(answer.document))
    _keep(settings, token, answer.document)
    return token


def _project_of(document: Any) -> str:
    """Return the id of the token's project; "" if the answer does not say."""
    for name in ("token", "project", "id"):
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, str) else ""


def ask_keystone(settings: HttpSettings, token: KeystoneToken) -> str | None:
    """Return what is wrong with keystone; "" if it confirms the token; None if the settings do not let it be asked."""
    assert settings.auth_url
    headers = {"X-Auth-Token": token.text, "X-Subject-Token": token.text}
    web = _keystone_of(settings)._replace(timeout=settings.deadline / 5)
    answer = web.ask("HEAD", tokens_url(settings.auth_url), headers=headers)
    if answer.unmet:
        return None
    if answer.status in (200, 204):
        return ""
    return answer.fault or f"answered {answer.status} for a token of its own"


def ask_version(settings: HttpSettings) -> str | None:
    """Return what is wrong with keystone; "" if it answers with its version, which it does without an account.

    None if the settings do not let it be asked.
    """
    assert settings.auth_url
    web = _keystone_of(settings)._replace(timeout=settings.deadline / 5)
    answer = web.ask("GET", tokens_url(settings.auth_url).replace("/auth/tokens", ""))
    if answer.unmet:
        return None
    return "" if answer.status == 200 else answer.fault or f"answered {answer.status}"


def _keystone_of(settings: HttpSettings) -> Web:
    """Return the settings for a request to keystone, which is the checked service itself or a dependency of another."""
    web = Web.of(settings)
    if settings.auth_url == settings.url:
        return web
    return web._replace(timeout=min(web.timeout, _SHARE * settings.deadline), blame=KEYSTONE)


def _place(settings: HttpSettings) -> str | None:
    """Return the file in which the token is kept; None without the private directory of a resident process."""
    directory = os.environ.get("XHA_TOKENS")
    if not directory:
        return None
    account = (settings.auth_url, settings.username, settings.user_domain, settings.project, settings.project_domain)
    return os.path.join(directory, hashlib.sha256(repr(account).encode()).hexdigest()[:32])


def _read_kept(settings: HttpSettings) -> KeystoneToken | None:
    place = _place(settings)
    if place is None:
        return None
    try:
        kept = parse_json(read_text(place, _MOST_BYTES))
        if parse_moment(kept["until"]) <= time.time():
            return None
        return KeystoneToken(parse_text(kept["token"]), parse_text(kept["project"]), fresh=False)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(settings: HttpSettings, token: KeystoneToken, document: Any) -> None:
    from ...core.node.withdrawal import parse_instant

    place = _place(settings)
    if place is None:
        return
    try:
        until = min(parse_instant(document["token"]["expires_at"]) - _MARGIN, time.time() + _LONGEST)
    except (ValueError, KeyError, TypeError):
        return
    text = json.dumps({"token": token.text, "project": token.project, "until": until})
    with contextlib.suppress(OSError):
        replace_text(place, text, 0o600)
