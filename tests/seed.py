"""The seed document's own words, to the letter, for the tests that take them; addresses are filled in."""

from __future__ import annotations

from collections.abc import Sequence

# "fall 2s" is a slip of the pen: the option counts checks, and HAProxy reads 2.
LISTEN_MYSQL = """\
listen mysql
  bind 0.0.0.0:3307
  mode tcp
  balance source
  option tcplog
  option clitcpka
  option srvtcpka
  option httpchk
  timeout client 48h
  timeout server 48h
  server mysql-2 192.168.0.7:3306 check port 49000 inter 5000 rise 2 fall 3 backup
  server mysql-3 192.168.0.8:3306 check port 49000 inter 5000 rise 2 fall 3 backup
  server mysql-1 192.168.0.6:3306 check port 49000 inter 10s fastinter 2s downinter 3s rise 3 fall 2s
"""

XINETD_STANZA = """\
service galeracheck
{
        port            = 49000
        disable        = no
        socket_type    = stream
        protocol        = tcp
        wait            = no
        user            = nobody
        group          = nobody
        groups          = yes
        server          = /usr/bin/galeracheck
        bind            = 0.0.0.0
        only_from      = 0.0.0.0
        per_source      = UNLIMITED
        cps            = 512 10
        flags          = IPv4
        instances      = UNLIMITED
}
"""


def listen_mysql_for(bind: str, nodes: Sequence[str]) -> str:
    """The section on `bind` (ADDRESS:PORT) for the addresses of mysql-1, mysql-2 and mysql-3."""
    text = LISTEN_MYSQL.replace("0.0.0.0:3307", bind)
    for said, node in zip(("192.168.0.6", "192.168.0.7", "192.168.0.8"), nodes):
        text = text.replace(f" {said}:", f" {node}:")
    return text
