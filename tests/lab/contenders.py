"""The agents that can run Galera here, each with the commands that an operator uses to create and to change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from lab.step import On, Step

SAID = """\
$ pcs resource create p_mysql ocf:mysql-wss binary=/usr/sbin/mysqld test_passwd=DJ1JAs8z test_user=wsrep_sst \\
      socket=/var/lib/mysql/mysql.sock --disabled --clone
$ pcs resource update p_mysql op monitor interval=90 timeout=300
$ pcs resource update p_mysql op stop interval=0 timeout=120
$ pcs resource update p_mysql op start interval=0 timeout=300
$ pcs resource enable p_mysql"""
WHY = "mysql-wss itself can no longer be created: pcs 0.11 refuses its metadata."


class Account(NamedTuple):
    """A database account of this host, created by the document (document.ACCOUNTS)."""

    user: str
    password: str


@dataclass(frozen=True)
class Contender:
    """One agent under test.

    `create`: the document's step with this agent.
    `another_check`: a command that changes a parameter of its checks.
    `account`: the account that it logs in with. `password`: the parameter with that account's password.
    `give_up`: what a person types on a host, once the agent has refused, to give up the data there; "" if it has no
      such command.
    """

    name: str
    create: Step
    another_check: str
    account: Account
    password: str
    give_up: str = ""


HEARTBEAT = Contender(
    name="ocf:heartbeat:galera",
    create=Step(
        "the agent takes charge",
        On.ONE,
        said=SAID,
        today="""\
pcs resource create p_mysql ocf:heartbeat:galera binary=/usr/sbin/mariadbd config=/etc/mysql/my.cnf \\
    pid=/run/mysqld/mysqld.pid socket=/run/mysqld/mysqld.sock wsrep_cluster_address=gcomm://h1,h2,h3 \\
    check_user=clustercheck check_passwd=c1ustercheck \\
    op monitor interval=10s timeout=30s role=Promoted op monitor interval=11s timeout=30s role=Unpromoted \\
    op start timeout=300s op promote timeout=300s op stop timeout=120s op demote timeout=120s \\
    --disabled promotable
pcs resource meta p_mysql-clone promoted-max=3 ordered=true
pcs resource enable p_mysql""",
        why=WHY + " The yardstick is ocf:heartbeat:galera, which wants to be promotable and to look every few seconds.",
    ),
    another_check="pcs resource update p_mysql check_passwd_use_empty=0",
    account=Account("clustercheck", "c1ustercheck"),
    password="check_passwd",
)

XHA = Contender(
    name="ocf:xha:galera",
    create=Step(
        "the agent takes charge",
        On.ONE,
        said=SAID,
        today="""\
pcs resource create p_mysql ocf:xha:galera binary=/usr/sbin/mysqld test_passwd=DJ1JAs8z test_user=wsrep_sst \\
    socket=/run/mysqld/mysqld.sock op monitor interval=10s timeout=30s --disabled clone
pcs resource update p_mysql op stop interval=0 timeout=120
pcs resource update p_mysql op start interval=0 timeout=300
pcs resource enable p_mysql""",
        why=WHY
        + " ocf:xha:galera is a plain clone like it, with the same parameters, and looks every 10 s; Debian has "
        "the socket elsewhere.",
    ),
    another_check="pcs resource update p_mysql check_passwd_use_empty=0",
    account=Account("wsrep_sst", "DJ1JAs8z"),
    give_up="xha-check grant discard=$(crm_node -n) --why 'the other one has served' --yes",
    password="test_passwd",
)

# How an operator takes the resource away.
DELETE = "pcs resource disable p_mysql --wait=120 && pcs resource delete p_mysql"

CONTENDERS = {contender.name: contender for contender in (HEARTBEAT, XHA)}
# A short form: `AGENT=xha` means `AGENT=ocf:xha:galera`.
BY_PROVIDER = {name.split(":")[1]: name for name in CONTENDERS}
