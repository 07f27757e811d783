"""The account with which the agent reads its server, in the order of mysql-wss and of ocf:heartbeat:galera."""

from __future__ import annotations

import pytest

from xha.core.ocf.credentials import Credentials, choose_credentials
from xha.core.ocf.galera_settings import Settings

FILES = {"MYSQL_USERNAME": "fileuser", "MYSQL_PASSWORD": "filepass"}
NONE: dict[str, str] = {}
EXTRA = {**FILES, "MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": "3307"}

CASES = {
    "nothing: root by the socket": (Settings(), NONE, ("", "", "", None)),
    "test_conf goes before all": (Settings(test_conf="/c", test_user="t", check_user="c"), FILES, ("", "", "/c", None)),
    "mysql-wss": (Settings(test_user="t", test_passwd="p"), NONE, ("t", "p", "", None)),
    "mysql-wss without a password": (Settings(test_user="t"), FILES, ("t", "", "", None)),
    "mysql-wss, root by default": (Settings(test_passwd="p"), NONE, ("", "p", "", None)),
    "heartbeat": (Settings(check_user="c", check_passwd="p"), FILES, ("c", "p", "", None)),
    "heartbeat before mysql-wss": (Settings(check_user="c", test_user="t", test_passwd="p"), NONE, ("c", "", "", None)),
    "heartbeat, both from the file": (Settings(), FILES, ("fileuser", "filepass", "", None)),
    "heartbeat, the password from the file": (Settings(check_user="c"), FILES, ("c", "filepass", "", None)),
    "heartbeat, the user from the file": (Settings(check_passwd="p"), FILES, ("fileuser", "p", "", None)),
    "heartbeat, root with a password": (Settings(check_passwd="p"), NONE, ("", "p", "", None)),
    "an empty password on purpose": (
        Settings(check_user="c", check_passwd="p", check_passwd_use_empty=True),
        FILES,
        ("c", "", "", None),
    ),
    "test_user goes before the file": (Settings(test_user="t", test_passwd="p"), EXTRA, ("t", "p", "", None)),
    "extra_port": (Settings(), EXTRA, ("fileuser", "filepass", "", 3307)),
    "localhost is the socket": (Settings(), {**EXTRA, "MYSQL_HOST": "localhost"}, ("fileuser", "filepass", "", None)),
    "another host is not asked": (Settings(), {**EXTRA, "MYSQL_HOST": "10.0.0.9"}, ("fileuser", "filepass", "", None)),
    "no port": (Settings(), {**EXTRA, "MYSQL_PORT": "99999"}, ("fileuser", "filepass", "", None)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_account(case: str) -> None:
    settings, files, expected = CASES[case]
    assert choose_credentials(settings, files)[:4] == expected


def test_an_account_is_shown_without_its_password() -> None:
    chosen = choose_credentials(Settings(test_user="t", test_passwd="geheim"), NONE)
    assert repr(chosen) == "Credentials(test_user)"
    assert chosen == Credentials("t", "geheim", source="test_user")
