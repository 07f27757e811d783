"""Tokens of keystone's: asked for, kept for the next check, and tried (Identity API v3, Password authentication)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from ...core.galera.json_fields import parse_text
from ...core.services.api.judge import KEYSTONE
from ...core.text.numbers import parse_json, parse_moment
from ..files.atomic_write import replace_text
from ..files.secrets import read_secret
from ..files.whole_file import read_text
from .client import Web

if TYPE_CHECKING:
    from typing import Any, Callable

    from ...core.services.api.judge import ApiAnswer, HttpSettings

# A token is given up this many seconds before it expires, and kept no longer than this.
_MARGIN, _LONGEST = 60.0, 1800.0
# Of the deadline, for a token: the service that it is for gets as long.
_SHARE = 0.35
_MOST_BYTES = 65536


class KeystoneToken(NamedTuple):
    """A token, a secret, with its project's id. fresh: keystone gave it just now."""

    text: str
    project: str
    fresh: bool = True


def password_login(user: str, domain: str, password: str, project: str = "", project_domain: str = "") -> Any:
    """Return the document that asks keystone for a token."""
    identity = {"user": {"name": user, "domain": {"name": domain}, "password": password}}
    auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": identity}}
    if project:
        auth["scope"] = {"project": {"name": project, "domain": {"name": project_domain}}}
    return {"auth": auth}


def tokens_url(auth_url: str) -> str:
    """Return where keystone gives tokens; auth_url may or may not end in /v3, as clouds.yaml has it both ways."""
    return f"{auth_url if auth_url.endswith('/v3') else auth_url + '/v3'}/auth/tokens"


def ask_with_token(
    settings: HttpSettings, ask: Callable[[KeystoneToken], ApiAnswer]
) -> tuple[KeystoneToken | ApiAnswer, ApiAnswer]:
    """Ask with a token, and once more with a new one where a kept one is refused: it may have been revoked.

    Return the token with the answer, or keystone's answer for both where it gives none.
    :raises ConfigError: where the password is not there.
    """
    token = get_token(settings)
    answer = ask(token) if isinstance(token, KeystoneToken) else token
    if answer.status in (401, 403) and isinstance(token, KeystoneToken) and not token.fresh:
        token = get_token(settings, renew=True)
        answer = ask(token) if isinstance(token, KeystoneToken) else token
    return token, answer


def get_token(settings: HttpSettings, *, renew: bool = False) -> KeystoneToken | ApiAnswer:
    """Return a token for the section's account, a kept one unless renew, or keystone's answer where it gives none.

    :raises ConfigError: where the password is not there.
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
    """Return the id of the token's project, "" where the answer does not say."""
    for name in ("token", "project", "id"):
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, str) else ""


def ask_keystone(settings: HttpSettings, token: KeystoneToken) -> str:
    """Return what is wrong with keystone, nothing if it confirms the token."""
    assert settings.auth_url
    headers = {"X-Auth-Token": token.text, "X-Subject-Token": token.text}
    web = _keystone_of(settings)._replace(timeout=settings.deadline / 5)
    answer = web.ask("HEAD", tokens_url(settings.auth_url), headers=headers)
    if answer.status in (200, 204):
        return ""
    return answer.fault or f"answered {answer.status} for a token of its own"


def ask_version(settings: HttpSettings) -> str:
    """Return what is wrong with keystone, nothing if it says its version: all that it says without an account."""
    assert settings.auth_url
    web = _keystone_of(settings)._replace(timeout=settings.deadline / 5)
    answer = web.ask("GET", tokens_url(settings.auth_url).replace("/auth/tokens", ""))
    return "" if answer.status == 200 else answer.fault or f"answered {answer.status}"


def _keystone_of(settings: HttpSettings) -> Web:
    """Return how keystone is asked: on its own account, or as what another service depends on."""
    web = Web.of(settings)
    if settings.auth_url == settings.url:
        return web
    return web._replace(timeout=min(web.timeout, _SHARE * settings.deadline), blame=KEYSTONE)


def _place(settings: HttpSettings) -> str | None:
    """Return where the token is kept: only in a directory that a resident has for itself."""
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
    from ...core.node.disabled import parse_instant

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
