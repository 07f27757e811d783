"""What a server's ERR packet says about the node: the server was reached, and it refused.

A refusal is no fault of the check's own, and none of a server that is down. The numbers are MariaDB's and MySQL's
(sql/share/errmsg.txt; mysql/share/messages_to_clients.txt). An ERR packet may answer the connection itself (1040,
1135), the login (1045) or the first statement after it (1184).
"""

from __future__ import annotations

from .codes import Code

_CODES = {
    Code.ACCESS_DENIED: (
        *(1045, 1130, 1129, 1251, 1275, 1698),  # password; host; host blocked; old protocol; old hash; socket account
        *(1820, 1862),  # the password has expired
        *(4151, 3118, 3955),  # the account is locked, in MySQL also for a while after wrong passwords
        1524,  # the account's login plugin is not loaded
        4020,  # seen at a login; MariaDB gives this number to no login
        3159,  # require_secure_transport
    ),
    Code.TOO_MANY_CONNECTIONS: (1040, 1203, 1226),
    Code.OUT_OF_RESOURCES: (1135, 1037, 1041),  # no thread; no memory
    Code.MAINTENANCE: (3032,),  # offline_mode, of MySQL and Percona
    Code.REJECTING_QUERIES: (1184,),  # init_connect has failed, which ends the connection of every application
    Code.NOT_READY: (1047,),
    Code.SERVER_DOWN: (1053,),  # it shuts down
}
_BY_NUMBER = {number: code for code, numbers in _CODES.items() for number in numbers}


def code_of_error(number: int) -> Code:
    """Return the reason code of an ERR packet's number. `refused` for a number that is not known: it is quoted."""
    return _BY_NUMBER.get(number, Code.REFUSED)
