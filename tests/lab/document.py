"""The document's cluster, step by step: the document's commands, and those that are run here today.

`Step.today` is executed and printed word for word (`python -m lab document`), so the page in docs/lab shows only what
was run. The order is the document's, with one exception that the document implies: the two files at its end,
haproxy.cfg and the xinetd stanza, are in place before Pacemaker starts what needs them.
"""

from __future__ import annotations

from collections.abc import Sequence

from lab.place import ADDRESSES, HOSTS, PREFIX, VIP
from lab.step import On, Step
from seed import LISTEN_MYSQL, XINETD_STANZA

PACKAGES = Step(
    "the packages",
    On.EVERY,
    said="""\
$ yum install -y pacemaker pcs psmisc policycoreutils-python
$ yum install -y MariaDB-server MariaDB-client percona-xtrabackup socat
$ yum install -y openstack-resource-agent""",
    today="""\
apt-get install -y --no-install-recommends --no-upgrade pacemaker pacemaker-cli-utils corosync pcs resource-agents \\
    xinetd haproxy mariadb-server galera-4 mariadb-backup socat""",
    why="Debian keeps Galera's library and the backup tool apart from the server; HAProxy and xinetd are named too. "
    "What is installed stays as it is.",
)

HACLUSTER = Step(
    "pcsd, and a password for hacluster",
    On.EVERY,
    said="""\
$ systemctl start pcsd.service
$ systemctl enable pcsd.service
$ echo <some_password> | passwd hacluster --stdin""",
    today="""\
systemctl start pcsd.service
systemctl enable pcsd.service
echo hacluster:lab | chpasswd""",
    why="Debian's passwd has no --stdin.",
)

HOST_AUTH = Step(
    "the hosts trust each other",
    On.ONE,
    said="""\
$ pcs cluster auth ip1 ip2 ip3
Username: hacluster
Password:""",
    today="pcs host auth h1 h2 h3 -u hacluster -p lab",
    why="pcs 0.10 renamed it; a host is authenticated by the name it will have in the cluster.",
)

CLUSTER_SETUP = Step(
    "the cluster's configuration",
    On.ONE,
    said="$ pcs cluster setup --name lb_cluster ip1 ip2 ip3",
    today="pcs cluster setup lb_cluster h1 h2 h3",
    why="pcs 0.10 made the name an argument.",
)


def without_pcsd(hosts: Sequence[str]) -> Step:
    nodes = " ".join(f"{name} addr={name}" for name in hosts)
    return Step(
        "the cluster's configuration, without pcsd",
        On.EVERY,
        said=f"{HACLUSTER.said}\n{HOST_AUTH.said}\n{CLUSTER_SETUP.said}",
        today=f"""\
pcs cluster setup lb_cluster {nodes} transport knet crypto cipher=none hash=none \\
    --no-cluster-uuid --corosync_conf /etc/corosync/corosync.conf""",
        why="Ours, where a test is not about pcsd: the same cluster without 20 s of three pcsd at work on two cores.",
    )


FIRST_ELECTION = Step(
    "no wait at the very first election",
    On.EVERY,
    said="",
    today="""\
cd /var/lib/pacemaker/cib
cibadmin --empty >cib.xml
CIB_file=cib.xml crm_attribute --type crm_config --name dc-deadtime --update 2s
rm -f cib.xml.sig
chown hacluster:haclient cib.xml
chmod 600 cib.xml""",
    why="Ours, and only to save 20 s of every test: a cluster that never had a coordinator waits that long for one. "
    "The property goes again once there is one.",
)

START = Step(
    "corosync and Pacemaker start",
    On.EVERY,
    said="""\
$ systemctl start corosync.service
$ systemctl enable corosync.service
$ systemctl start pacemaker.service
$ systemctl enable pacemaker.service""",
    today="""\
systemctl start corosync.service
systemctl enable corosync.service
systemctl start pacemaker.service
systemctl enable pacemaker.service""",
)

SEED_PROPERTIES = Step(
    "the cluster's properties",
    On.ONE,
    said="""\
$ pcs property set stonith-enabled=false
$ pcs property set no-quorum-policy=ignore
$ pcs property set start-failure-is-fatal=false
$ pcs resource defaults resource-stickiness=10""",
    today="""\
pcs property set stonith-enabled=false
pcs property set no-quorum-policy=ignore
pcs property set start-failure-is-fatal=false
pcs resource defaults update resource-stickiness=10
pcs property unset dc-deadtime --force""",
    why="`resource defaults` has sub-commands since pcs 0.10. The last line takes back what is ours.",
)

# A server of a larger laboratory: as the document's other backups.
BACKUP = "  server mysql-{number} {address}:3306 check port 49000 inter 5000 rise 2 fall 3 backup"


HAPROXY_CFG = "/etc/haproxy/haproxy.cfg"


def haproxy_cfg(members: Sequence[str]) -> Step:
    """HAProxy's file. The document names three servers; where there are more, they follow as backups."""
    more = [BACKUP.format(number=name[1:], address=ADDRESSES[name]) for name in members if name not in HOSTS]
    return Step(
        "haproxy.cfg",
        On.EVERY,
        path=HAPROXY_CFG,
        said=LISTEN_MYSQL.rstrip(),
        today="""\
global
  stats socket /run/haproxy/admin.sock mode 660 level admin
  user haproxy
  group haproxy

defaults
  log stdout format raw local0
  timeout connect 5s

"""
        + "\n".join((LISTEN_MYSQL.rstrip().replace("fall 2s", "fall 2"), *more)),
        why="`fall 2s` is a slip of the pen: the option counts checks. The sections above it, which the document "
        "leaves out, are the least that HAProxy starts with.",
    )


XINETD = Step(
    "the check on port 49000",
    On.EVERY,
    path="/etc/xinetd.d/galeracheck",
    said=XINETD_STANZA.rstrip(),
    today="""\
service galeracheck
{
        type            = UNLISTED
        port            = 49000
        disable         = no
        socket_type     = stream
        protocol        = tcp
        wait            = no
        user            = xha
        group           = xha
        groups          = yes
        server          = /usr/local/libexec/xha/xha-responder
        bind            = 0.0.0.0
        only_from       = 0.0.0.0
        per_source      = UNLIMITED
        cps             = 512 10
        flags           = IPv4
        instances       = UNLIMITED
}""",
    why="`server` is our responder. It runs as the user whose database account needs no password. `type = UNLISTED`, "
    "because /etc/services does not list the name.",
)

XINETD_START = Step(
    "xinetd starts",
    On.EVERY,
    said="# 在galera 节点安装xinetd服务",
    today="systemctl start xinetd.service\nsystemctl enable xinetd.service",
    why="The document installs xinetd and leaves starting it to the package.",
)

BALANCER = Step(
    "the VIP and HAProxy",
    On.ONE,
    said="""\
$ pcs resource create p_vip ocf:heartbeat:IPaddr2 ip=ip4 cidr_netmask=24 op monitor interval=2s
$ pcs resource create p_haproxy systemd:haproxy op monitor interval=2s --clone
$ pcs constraint colocation add p_vip with p_haproxy-clone --force
$ pcs resource meta p_vip migration-threshold=3 failure-timeout=60s""",
    today=f"""\
pcs resource create p_vip ocf:heartbeat:IPaddr2 ip={VIP} cidr_netmask={PREFIX} op monitor interval=2s
pcs resource create p_haproxy systemd:haproxy op monitor interval=2s clone
pcs constraint colocation add p_vip with p_haproxy-clone
pcs resource meta p_vip migration-threshold=3 failure-timeout=60s""",
    why="`clone` lost its dashes in pcs 0.10. The constraint needs no --force where the clone exists.",
)

ACCOUNTS = Step(
    "the accounts in the database",
    On.EVERY,
    said="""\
$ mysql -e 'grant all on *.* to "wsrep_sst"@"%" identified by "DJ1JAs8z"'
$ mysql -e 'grant all on *.* to "wsrep_sst"@"localhost" identified by "DJ1JAs8z"'""",
    today="""\
systemctl start mariadb.service
mariadb -e 'grant all on *.* to "wsrep_sst"@"%" identified by "DJ1JAs8z"'
mariadb -e 'grant all on *.* to "wsrep_sst"@"localhost" identified by "DJ1JAs8z"'
mariadb -e 'create user xha@localhost identified via unix_socket'
mariadb -e 'create user clustercheck@localhost identified by "c1ustercheck"'
systemctl stop mariadb.service""",
    why="Two accounts are added, without any right: xha for the responder, clustercheck for an agent's own looks. "
    "Here the server is started alone to be told so, before there is a cluster; the document does not say how it ran.",
)

OPTIONS = "/etc/mysql/mariadb.conf.d/70-wsrep.cnf"


def wsrep_cnf(members: Sequence[str]) -> Step:
    addresses = ",".join(ADDRESSES[name] for name in members)
    return Step(
        "Galera's options",
        On.EVERY,
        path=OPTIONS,
        said="""\
# /etc/my.cnf.d/wsrep.cnf
[mysqld]
binlog_format=row
wsrep_on=ON
wsrep_cluster_address="gcomm://ip1,ip2,ip3?pc.wait_prim=no"
wsrep_provider=/usr/lib64/galera/libgalera_smm.so
wsrep_cluster_name="openstack"
wsrep_slave_threads=4
wsrep_sst_method=xtrabackup-v2
wsrep_sst_auth=wsrep_sst:DJ1JAs8z
wsrep_node_address=ip1
[xtrabackup]
parallel=2
[sst]
streamfmt=xbstream
transferfmt=socat
sockopt=,nodelay,sndbuf=1048576,rcvbuf=1048576""",
        today=f"""\
[mysqld]
bind_address=0.0.0.0
binlog_format=row
wsrep_on=ON
wsrep_cluster_address="gcomm://{addresses}?pc.wait_prim=no"
wsrep_provider=/usr/lib/galera/libgalera_smm.so
wsrep_provider_options="gcache.size=32M"
wsrep_cluster_name="openstack"
wsrep_slave_threads=4
wsrep_sst_method=mariabackup
wsrep_sst_auth=wsrep_sst:DJ1JAs8z
wsrep_node_address={{address}}
[mariabackup]
parallel=2
[sst]
streamfmt=mbstream
transferfmt=socat
sockopt=,nodelay,sndbuf=1048576,rcvbuf=1048576""",
        why="Percona's xtrabackup cannot read MariaDB since 10.3: mariadb-backup and mbstream took its place. Debian "
        "binds to 127.0.0.1 unless told otherwise. gcache.size only spares the laboratory's memory.",
    )


def balancer_files(members: Sequence[str]) -> tuple[Step, ...]:
    """HAProxy's file, and the check that it asks."""
    return haproxy_cfg(members), XINETD, XINETD_START


PCSD = (PACKAGES, HACLUSTER, HOST_AUTH, CLUSTER_SETUP)
