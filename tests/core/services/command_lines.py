"""How services really run: command lines, each with whose they are and where they were seen.

`words joined by one blank`, as in /proc/PID/cmdline. A source is `ran: ...`, a process that was started for this and
read in /proc; a package and its version, whose script or unit starts it; or a public repository and its file. What is
only said there, as the interpreter of a script or an address, is filled in as the kernel shows it.
"""

from __future__ import annotations

from typing import NamedTuple


class CommandLine(NamedTuple):
    """One command line. services: the names whose main process it is, divided by blanks; "" for nobody's."""

    services: str
    line: str
    source: str


_PYTHON = "/usr/bin/python3 /usr/bin/"
_OLD_PYTHON = "/usr/bin/python2 /usr/bin/"
_UWSGI = "/usr/bin/uwsgi_python311 --http-socket"
_KOLLA = "/var/lib/kolla/venv/bin/python3 /var/lib/kolla/venv/bin/"
_OSA = "/openstack/venvs/nova-31.0.0/bin/"
_SERVER = "neutron-server neutron-rpc-server"  # not split: the RPC workers are its children
_NEUTRON = "--config-file /etc/neutron/neutron.conf"
_RDO_NEUTRON = "--config-file /usr/share/neutron/neutron-dist.conf"

# openstack-pkg-tools 123 has the script that all of them are made from; what it executes, by running it.
_DEBIAN = (
    ("keystone", f"{_UWSGI} :5000 --ini /etc/keystone/keystone-uwsgi.ini", "keystone 2:22.0.2-0+deb12u3"),
    (
        "glance-api",
        f"{_PYTHON}glance-api --config-file=/etc/glance/glance-api.conf --log-file=/var/log/glance/glance-api.log",
        "glance-api 2:25.1.0-2+deb12u3",
    ),
    ("nova-api", f"{_UWSGI} :8774 --ini /etc/nova/nova-api-uwsgi.ini", "nova-api 2:26.2.2-1~deb12u4"),
    ("", f"{_UWSGI} :8775 --ini /etc/nova/nova-api-metadata-uwsgi.ini", "nova-api 2:26.2.2-1~deb12u4"),
    (
        "nova-conductor",
        f"{_PYTHON}nova-conductor --config-file=/etc/nova/nova.conf --log-file=/var/log/nova/nova-conductor.log",
        "nova-conductor 2:26.2.2-1~deb12u4",
    ),
    (
        "nova-scheduler",
        f"{_PYTHON}nova-scheduler --config-file=/etc/nova/nova.conf --log-file=/var/log/nova/nova-scheduler.log",
        "nova-scheduler 2:26.2.2-1~deb12u4",
    ),
    ("", f"{_PYTHON}nova-compute --config-file=/etc/nova/nova.conf", "nova-compute 2:26.2.2-1~deb12u4"),
    ("neutron-server", f"{_UWSGI} :9696 --ini /etc/neutron/neutron-api-uwsgi.ini", "neutron-api 2:21.0.0-7"),
    (
        "neutron-rpc-server",
        f"{_PYTHON}neutron-rpc-server --config-file=/etc/neutron/neutron.conf",
        "neutron-rpc-server 2:21.0.0-7",
    ),
    (
        "neutron-dhcp-agent",
        f"{_PYTHON}neutron-dhcp-agent --config-file=/etc/neutron/dhcp_agent.ini",
        "neutron-dhcp-agent 2:21.0.0-7",
    ),
    (
        "neutron-l3-agent",
        f"{_PYTHON}neutron-l3-agent --config-file=/etc/neutron/neutron.conf --config-file=/etc/neutron/l3_agent.ini",
        "neutron-l3-agent 2:21.0.0-7",
    ),
    (
        "",
        f"{_PYTHON}neutron-metadata-agent --config-file=/etc/neutron/neutron.conf",
        "neutron-metadata-agent 2:21.0.0-7",
    ),
    (
        "",
        f"{_PYTHON}neutron-openvswitch-agent --config-file=/etc/neutron/neutron.conf",
        "neutron-openvswitch-agent 2:21",
    ),
    ("cinder-api", f"{_UWSGI} :8776 --ini /etc/cinder/cinder-api-uwsgi.ini", "cinder-api 2:21.3.1-1~deb12u1"),
    (
        "cinder-scheduler",
        f"{_PYTHON}cinder-scheduler --log-file=/var/log/cinder/cinder-scheduler.log",
        "cinder-scheduler 2:21.3.1-1~deb12u1",
    ),
    (
        "cinder-volume",
        f"{_PYTHON}cinder-volume --config-file=/etc/cinder/cinder.conf --log-file=/var/log/cinder/cinder-volume.log",
        "cinder-volume 2:21.3.1-1~deb12u1",
    ),
    ("", f"{_PYTHON}cinder-backup --config-file=/etc/cinder/cinder.conf", "cinder-backup 2:21.3.1-1~deb12u1"),
    ("placement-api", f"{_UWSGI} :8778 --ini /etc/placement/placement-api-uwsgi.ini", "placement-api 8.0.0-2"),
    ("heat-api", f"{_UWSGI} :8004 --ini /etc/heat/heat-api-uwsgi.ini", "heat-api 1:19.0.0-3"),
    ("", f"{_UWSGI} :8000 --ini /etc/heat/heat-api-cfn-uwsgi.ini", "heat-api-cfn 1:19.0.0-3"),
    ("", f"{_PYTHON}heat-engine --config-file=/etc/heat/heat.conf", "heat-engine 1:19.0.0-3"),
    ("", f"{_UWSGI} :9876 --ini /etc/octavia/octavia-api-uwsgi.ini", "octavia-api 11.0.0-2"),
    ("", f"{_UWSGI} :9001 --ini /etc/designate/designate-api-uwsgi.ini", "designate-api 1:15.0.0-4"),
    ("mysql", "/usr/sbin/mariadbd --wsrep_start_position=x:7", "mariadb-server 1:10.11.18-0+deb12u1, mariadb.service"),
    (
        "haproxy",
        "/usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid -S /run/haproxy-master.sock",
        "haproxy 2.6.12-1+deb12u3",
    ),
    (
        "memcached",
        "/usr/bin/memcached -m 64 -p 11211 -u memcache -l 127.0.0.1 -P /var/run/memcached/memcached.pid",
        "memcached 1.6.18-1",
    ),
    ("pacemaker", "/usr/sbin/pacemakerd", "pacemaker 2.1.5-1+deb12u1, pacemaker.service"),
    ("", "/bin/sh /usr/sbin/rabbitmq-server", "rabbitmq-server 3.10.8-1.1+deb12u1"),
    ("", "perl /usr/share/memcached/scripts/systemd-memcached-wrapper /etc/memcached.conf", "memcached 1.6.18-1"),
    ("", "/bin/sh /etc/init.d/nova-conductor systemd-start", "nova-conductor 2:26.2.2-1~deb12u4"),
)
# The packages of Debian 12 in `make test-openstack`, and what else was started to see it.
_RAN = (
    (_SERVER, f"{_PYTHON}neutron-server --config-file=/etc/neutron/neutron.conf", "neutron-server 21.0.0"),
    (
        _SERVER,
        f"neutron-server: api worker ({_PYTHON}neutron-server --config-file=/etc/neutron/neutron.conf)",
        "neutron-server 21.0.0 with setproctitle",
    ),
    (
        _SERVER,
        f"neutron-server: rpc worker ({_PYTHON}neutron-server --config-file=/etc/neutron/neutron.conf)",
        "neutron-server 21.0.0 with setproctitle",
    ),
    (
        "nova-novncproxy",
        f"{_PYTHON}nova-novncproxy --config-file=/etc/nova/nova.conf --web=/usr/share/novnc",
        "nova-novncproxy 26.2.2",
    ),
    (
        "cinder-api",
        f"{_UWSGI} 127.0.0.1:8776 --ini /etc/cinder/cinder-api-uwsgi.ini --pyargv --debug",
        "cinder-api 21.3.1",
    ),
    (
        "rabbitmq",
        "/usr/lib/erlang/erts-13.1.5/bin/beam.smp -W w -MBas ageffcbf -P 1048576 -A 2 -- -root /usr/lib/erlang -bindir "
        "/usr/lib/erlang/erts-13.1.5/bin -progname erl -- -home /var/lib/rabbitmq -- -pa  -noshell -noinput -s rabbit "
        "boot -boot start_sasl",
        "rabbitmq-server 3.10.8",
    ),
    (
        "",
        "/usr/lib/erlang/erts-13.1.5/bin/beam.smp -- -root /usr/lib/erlang -noshell -s rabbitmqctl_escript",
        "rabbitmqctl",
    ),
    ("", "/usr/lib/erlang/erts-13.1.5/bin/epmd -daemon", "rabbitmq-server 3.10.8"),
    ("nova-api", "nova-api: uWSGI master", "uwsgi 2.0.21, procname-prefix-spaced = nova-api:"),
    ("nova-api", "nova-api: uWSGI worker 1", "uwsgi 2.0.21, procname-prefix-spaced = nova-api:"),
    ("nova-api", "nova-api uWSGI worker 2", "uwsgi 2.0.21, procname-prefix-spaced = nova-api"),
    ("nova-api", "nova-apiuWSGI master", "uwsgi 2.0.21, --procname-prefix nova-api"),
    ("nova-api", "nova-api", "uwsgi 2.0.21, procname = nova-api"),
    ("", "uWSGI master", "uwsgi 2.0.21, auto-procname without a prefix: whose it is cannot be told"),
)
# mod_wsgi 4.9.4 in apache 2.4.68, once as /usr/sbin/apache2 and once as /usr/sbin/httpd, with the group and the
# display-name that these have: (services, name over apache2, over httpd, whose).
_MOD_WSGI = (
    ("keystone", "(wsgi:keystone-pu", "(wsgi:keystone-", "openstack/keystone httpd/wsgi-keystone.conf"),
    ("keystone", "keystone-public  ", "keystone-public", "openstack/kolla-ansible zed-eom wsgi-keystone.conf.j2"),
    ("keystone", "keystone         ", "keystone       ", "openstack/puppet-keystone manifests/wsgi/apache.pp"),
    ("nova-api", "(wsgi:nova-api)  ", "(wsgi:nova-api)", "openstack/kolla-ansible victoria-eol nova-api-wsgi.conf.j2"),
    ("nova-api", "nova-api         ", "nova-api       ", "openstack/kolla-ansible zed-eom nova-api-wsgi.conf.j2"),
    ("nova-api", "nova_api_wsgi    ", "nova_api_wsgi  ", "openstack/puppet-nova manifests/wsgi/apache_api.pp"),
    ("", "(wsgi:nova-metada", "(wsgi:nova-meta", "openstack/kolla-ansible victoria-eol nova-api-wsgi.conf.j2"),
    ("", "nova-metadata-api", "nova-metadata-a", "openstack/kolla-ansible zed-eom nova-api-wsgi.conf.j2"),
    ("", "nova_metadata_wsg", "nova_metadata_w", "openstack/puppet-nova manifests/wsgi/apache_metadata.pp"),
    ("cinder-api", "(wsgi:cinder-api)", "(wsgi:cinder-ap", "openstack/kolla-ansible train-eol cinder-wsgi.conf.j2"),
    ("cinder-api", "cinder-api       ", "cinder-api     ", "openstack/kolla-ansible zed-eom cinder-wsgi.conf.j2"),
    ("cinder-api", "cinder_wsgi      ", "cinder_wsgi    ", "openstack/puppet-cinder manifests/wsgi/apache.pp"),
    ("heat-api", "(wsgi:heat-api)  ", "(wsgi:heat-api)", "openstack/kolla-ansible ussuri-eol wsgi-heat-api.conf.j2"),
    ("heat-api", "heat-api         ", "heat-api       ", "openstack/kolla-ansible zed-eom wsgi-heat-api.conf.j2"),
    ("heat-api", "heat_api_wsgi    ", "heat_api_wsgi  ", "openstack/puppet-heat manifests/wsgi/apache_api.pp"),
    ("", "(wsgi:heat-api-cf", "(wsgi:heat-api-", "openstack/kolla-ansible ussuri-eol wsgi-heat-api-cfn.conf.j2"),
    ("", "heat-api-cfn     ", "heat-api-cfn   ", "openstack/kolla-ansible zed-eom wsgi-heat-api-cfn.conf.j2"),
    ("", "heat_api_cfn_wsgi", "heat_api_cfn_ws", "openstack/puppet-heat manifests/wsgi/apache_api_cfn.pp"),
    (
        "placement-api",
        "(wsgi:placement-a",
        "(wsgi:placement",
        "openstack/kolla-ansible train-eol placement-api-wsgi.conf.j2",
    ),
    (
        "placement-api",
        "placement-api    ",
        "placement-api  ",
        "openstack/kolla-ansible zed-eom placement-api-wsgi.conf.j2",
    ),
    ("placement-api", "placement_wsgi   ", "placement_wsgi ", "openstack/puppet-placement manifests/wsgi/apache.pp"),
    ("neutron-server", "neutron_wsgi     ", "neutron_wsgi   ", "openstack/puppet-neutron manifests/wsgi/apache.pp"),
    ("", "(wsgi:horizon)   ", "(wsgi:horizon) ", "openstack/kolla-ansible train-eol horizon.conf.j2"),
    ("", "horizon          ", "horizon        ", "openstack/kolla-ansible zed-eom horizon.conf.j2"),
    # display-name is not said: whose it is cannot be told
    ("", "/usr/sbin/apache2", "/usr/sbin/httpd", "rdo-packages/placement-distgit placement-api.conf"),
)
# The titles that are cut there, whole; each is shown over a longer word up to its length.
WSGI_TITLES = (
    *(("keystone", f"(wsgi:keystone{one})") for one in ("", "-public", "-main", "-admin", "_wsgi_main", "_wsgi_admin")),
    *(
        ("keystone", f"keystone{one}")
        for one in ("", "-public", "-main", "-admin", "_wsgi", "_wsgi_main", "_wsgi_admin")
    ),
    *(("nova-api", one) for one in ("(wsgi:nova-api)", "(wsgi:nova-api-os-compute)", "nova-api", "nova_api_wsgi")),
    *(
        ("", one)
        for one in ("(wsgi:nova-api-metadata)", "nova-metadata-api", "nova_metadata_wsgi", "(wsgi:nova-metadata)")
    ),
    *(("cinder-api", one) for one in ("(wsgi:cinder-api)", "cinder-api", "cinder_wsgi")),
    *(("heat-api", one) for one in ("(wsgi:heat-api)", "heat-api", "heat_api_wsgi")),
    *(("", one) for one in ("(wsgi:heat-api-cfn)", "heat-api-cfn", "heat_api_cfn_wsgi", "(wsgi:horizon)")),
    *(("placement-api", one) for one in ("(wsgi:placement-api)", "placement-api", "placement_wsgi")),
    *(("neutron-server", one) for one in ("(wsgi:neutron-server)", "(wsgi:neutron-api)", "neutron_wsgi")),
)
# What apache has for its first word, and the rest: SUSE's start_apache2, and Red Hat's software collection.
_LONGER = (
    ("/usr/sbin/httpd-prefork", "-DSYSCONFIG -C PidFile /run/httpd.pid -DSYSTEMD -DFOREGROUND -k start"),
    ("/usr/sbin/httpd-prefork", "-f /etc/apache2/httpd.conf -D SYSTEMD -DFOREGROUND -k start"),
    ("/opt/rh/httpd24/root/usr/sbin/httpd", "-DFOREGROUND"),
)
# `ps` and `systemctl status` in public pages.
_SEEN = (
    ("nova-api", "(wsgi:nova-api-os -k start", "Juju's nova-cloud-controller, Train on Ubuntu 18.04"),
    ("", "(wsgi:nova_meta) -k start", "Juju's nova-cloud-controller, Train on Ubuntu 18.04"),
    ("keystone", "(wsgi:keystone-pu -DFOREGROUND", "kolla, Ubuntu"),
    ("keystone", "(wsgi:keystone- -DFOREGROUND", "RDO"),
    ("keystone", "keystone-main   -DFOREGROUND", "Red Hat OpenStack Platform 12, undercloud"),
    ("keystone", "keystone-admin  -DFOREGROUND", "Red Hat OpenStack Platform 12, undercloud"),
    ("heat-api", "heat_api_wsgi   -DFOREGROUND", "Red Hat OpenStack Platform 12, undercloud"),
    ("", "heat_api_cfn_ws -DFOREGROUND", "Red Hat OpenStack Platform 12, undercloud"),
    ("placement-api", "placement_wsgi  -DFOREGROUND", "Red Hat OpenStack Platform 12, undercloud"),
    ("", "ironic_wsgi     -DFOREGROUND", "Red Hat OpenStack Platform 12, undercloud"),
    ("nova-api", f"{_OLD_PYTHON}nova-api", "RDO, CentOS 7"),
    ("nova-consoleauth", f"{_OLD_PYTHON}nova-consoleauth", "RDO, CentOS 7"),
    (
        "nova-consoleauth",
        "/usr/bin/python /usr/bin/nova-consoleauth --logfile /var/log/nova/consoleauth.log",
        "RDO, CentOS 6",
    ),
    ("nova-conductor", f"{_OLD_PYTHON}nova-conductor", "RDO, CentOS 7"),
    ("nova-scheduler", f"{_OLD_PYTHON}nova-scheduler", "RDO, CentOS 7"),
    ("nova-novncproxy", f"{_OLD_PYTHON}nova-novncproxy --web /usr/share/novnc/", "RDO, CentOS 7"),
    ("", f"{_PYTHON}nova-spicehtml5proxy --config-file=/etc/nova/nova.conf", "Juju, Train on Ubuntu 18.04"),
    ("keystone", "keystoneuWSGI master", "devstack"),
    ("keystone", "keystoneuWSGI worker 1", "devstack"),
    ("keystone", "keystone-api-uWSGI master", "openstack-helm"),
    (
        "rabbitmq",
        "/usr/lib64/erlang/erts-10.4.4/bin/beam.smp -W w -A 64 -MBas ageffcbf -P 1048576 -K true -- -root "
        "/usr/lib64/erlang -progname erl -- -home /var/lib/rabbitmq -- -pa /usr/lib/rabbitmq/lib/rabbitmq_server-3.7.18"
        "/ebin -noshell -noinput -s rabbit boot -sname rabbit@ctl1 -boot start_sasl",
        "RabbitMQ's own package, CentOS 7",
    ),
    ("", "grep --color=auto nova-api", "a shell"),
)
_RDO = (
    ("nova-api", f"{_PYTHON}nova-api", "nova-distgit openstack-nova-api.service"),
    ("nova-api", f"{_PYTHON}nova-api-os-compute", "nova-distgit openstack-nova-os-compute-api.service"),
    ("", f"{_PYTHON}nova-api-metadata", "nova-distgit openstack-nova-metadata-api.service"),
    ("nova-conductor", f"{_PYTHON}nova-conductor", "nova-distgit openstack-nova-conductor.service"),
    ("nova-scheduler", f"{_PYTHON}nova-scheduler", "nova-distgit openstack-nova-scheduler.service"),
    (
        "nova-novncproxy",
        f"{_PYTHON}nova-novncproxy --web /usr/share/novnc/",
        "nova-distgit openstack-nova-novncproxy.service",
    ),
    ("", f"{_PYTHON}nova-serialproxy", "nova-distgit openstack-nova-serialproxy.service"),
    ("", f"{_PYTHON}nova-compute", "nova-distgit openstack-nova-compute.service"),
    ("glance-api", f"{_PYTHON}glance-api", "glance-distgit openstack-glance-api.service"),
    ("", f"{_PYTHON}glance-scrubber --daemon", "glance-distgit openstack-glance-scrubber.service"),
    (
        "glance-registry",
        "/usr/bin/python2 /usr/bin/glance-registry",
        "glance-distgit openstack-glance-registry.service",
    ),
    (_SERVER, f"{_PYTHON}neutron-server {_RDO_NEUTRON} {_NEUTRON}", "neutron-distgit neutron-server.service"),
    (
        "neutron-rpc-server",
        f"{_PYTHON}neutron-rpc-server {_RDO_NEUTRON} {_NEUTRON}",
        "neutron-distgit neutron-rpc-server.service",
    ),
    (
        "neutron-dhcp-agent",
        f"{_PYTHON}neutron-dhcp-agent {_RDO_NEUTRON} {_NEUTRON} --log-file /var/log/neutron/dhcp-agent.log",
        "neutron-distgit neutron-dhcp-agent.service",
    ),
    (
        "neutron-l3-agent",
        f"{_PYTHON}neutron-l3-agent {_RDO_NEUTRON} --config-dir /usr/share/neutron/l3_agent {_NEUTRON}",
        "neutron-distgit neutron-l3-agent.service",
    ),
    (
        "",
        f"{_PYTHON}neutron-metadata-agent {_RDO_NEUTRON} {_NEUTRON}",
        "neutron-distgit neutron-metadata-agent.service",
    ),
    (
        "cinder-api",
        f"{_PYTHON}cinder-api --config-file /usr/share/cinder/cinder-dist.conf --logfile /var/log/cinder/api.log",
        "cinder-distgit openstack-cinder-api.service",
    ),
    (
        "cinder-scheduler",
        f"{_PYTHON}cinder-scheduler --config-file /usr/share/cinder/cinder-dist.conf",
        "cinder-distgit openstack-cinder-scheduler.service",
    ),
    (
        "cinder-volume",
        f"{_PYTHON}cinder-volume --config-file /usr/share/cinder/cinder-dist.conf",
        "cinder-distgit openstack-cinder-volume.service",
    ),
    (
        "",
        f"{_PYTHON}cinder-backup --config-file /usr/share/cinder/cinder-dist.conf",
        "cinder-distgit cinder-backup.service",
    ),
    (
        "heat-api",
        f"{_PYTHON}heat-api --config-file /usr/share/heat/heat-dist.conf",
        "heat-distgit openstack-heat-api.service",
    ),
    (
        "",
        f"{_PYTHON}heat-api-cfn --config-file /usr/share/heat/heat-dist.conf",
        "heat-distgit openstack-heat-api-cfn.service",
    ),
    (
        "",
        f"{_PYTHON}heat-engine --config-file /usr/share/heat/heat-dist.conf",
        "heat-distgit openstack-heat-engine.service",
    ),
    ("mysql", "/usr/libexec/mariadbd --basedir=/usr", "CentOS Stream 9, mariadb-server's mariadb.service"),
    (
        "haproxy",
        "/usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/conf.d -p /run/haproxy.pid",
        "CentOS 9",
    ),
)
_KOLLA_LINES = (
    ("keystone", "uwsgi /etc/keystone/keystone-api-uwsgi.ini", "master keystone-startup.sh.j2"),
    ("glance-api", "uwsgi /etc/glance/glance-api-uwsgi.ini", "master glance-api.json.j2"),
    ("glance-api", f"{_KOLLA}glance-api", "stable/2025.1 glance-api.json.j2"),
    ("glance-registry", f"{_KOLLA}glance-registry", "pike-eol glance-registry.json.j2"),
    ("nova-api", "uwsgi /etc/nova/nova-api-uwsgi.ini", "master nova-api.json.j2"),
    ("nova-api", f"{_KOLLA}nova-api", "train-eol nova-api.json.j2"),
    ("", "uwsgi /etc/nova/nova-metadata-uwsgi.ini", "master nova-metadata.json.j2"),
    ("nova-conductor", f"{_KOLLA}nova-conductor", "master nova-conductor.json.j2"),
    ("nova-scheduler", f"{_KOLLA}nova-scheduler", "master nova-scheduler.json.j2"),
    ("nova-novncproxy", f"{_KOLLA}nova-novncproxy", "master nova-novncproxy.json.j2"),
    ("nova-consoleauth", f"{_KOLLA}nova-consoleauth", "stein-eol nova-consoleauth.json.j2"),
    ("", f"{_KOLLA}nova-compute", "master nova-compute.json.j2"),
    ("neutron-server", "uwsgi /etc/neutron/neutron-server-uwsgi.ini", "master neutron-server.json.j2"),
    (_SERVER, f"{_KOLLA}neutron-server {_NEUTRON}", "stable/2025.1 neutron-server.json.j2"),
    ("neutron-rpc-server", f"{_KOLLA}neutron-rpc-server {_NEUTRON}", "master neutron-rpc-server.json.j2"),
    ("", f"{_KOLLA}neutron-periodic-workers {_NEUTRON}", "master neutron-periodic-worker.json.j2"),
    (
        "neutron-dhcp-agent",
        f"{_KOLLA}neutron-dhcp-agent {_NEUTRON} --config-file /etc/neutron/dhcp_agent.ini",
        "master neutron-dhcp-agent.json.j2",
    ),
    ("neutron-l3-agent", f"{_KOLLA}neutron-l3-agent {_NEUTRON}", "master neutron-l3-agent-wrapper.sh.j2"),
    ("", "/bin/bash /usr/local/bin/neutron-l3-agent-wrapper.sh", "master neutron-l3-agent.json.j2"),
    ("", f"{_KOLLA}neutron-metadata-agent {_NEUTRON}", "master neutron-metadata-agent.json.j2"),
    ("cinder-api", "uwsgi /etc/cinder/cinder-api-uwsgi.ini", "master cinder-api.json.j2"),
    (
        "cinder-scheduler",
        f"{_KOLLA}cinder-scheduler --config-file /etc/cinder/cinder.conf",
        "master cinder-scheduler.json.j2",
    ),
    ("cinder-volume", f"{_KOLLA}cinder-volume --config-file /etc/cinder/cinder.conf", "master cinder-volume.json.j2"),
    ("", f"{_KOLLA}cinder-backup --config-file /etc/cinder/cinder.conf", "master cinder-backup.json.j2"),
    ("placement-api", "uwsgi /etc/placement/placement-api-uwsgi.ini", "master placement-api.json.j2"),
    ("heat-api", "uwsgi /etc/heat/heat-api-uwsgi.ini", "master heat-api.json.j2"),
    ("heat-api", f"{_KOLLA}heat-api", "train-eol heat-api.json.j2"),
    ("", "uwsgi /etc/heat/heat-api-cfn-uwsgi.ini", "master heat-api-cfn.json.j2"),
    ("", "uwsgi /etc/horizon/horizon-uwsgi.ini", "master horizon.json.j2"),
    ("", "/bin/sh /usr/bin/mariadbd-safe", "master mariadb.json.j2"),
    (
        "",
        "/usr/sbin/haproxy-systemd-wrapper -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid",
        "queens-eol haproxy.json.j2",
    ),
    (
        "haproxy",
        "/usr/sbin/haproxy -W -db -p /run/haproxy.pid -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/services.d/",
        "master haproxy_run.sh.j2",
    ),
    ("memcached", "/usr/bin/memcached -v -l 192.0.2.1 -p 11211 -c 5000 -U 0 -m 1024", "master memcached.json.j2"),
    (
        "",
        "/opt/memcached_exporter/memcached_exporter --memcached.address 192.0.2.1:11211",
        "master memcached-exporter.json.j2",
    ),
    ("pacemaker", "/usr/sbin/pacemakerd -f", "master hacluster-pacemaker.json.j2"),
    (
        "",
        "pacemaker-remoted -l /var/log/kolla/hacluster/pacemaker-remoted.log -p 3121",
        "master hacluster-pacemaker-remote.json.j2",
    ),
    ("", "/usr/sbin/corosync -f", "master hacluster-corosync.json.j2"),
    ("", "haproxy -f /var/lib/neutron/ns-metadata-proxy/5f1c.conf", "kolla docker/neutron/neutron-base/haproxy"),
    ("", "haproxy -f /var/lib/neutron/ovn-metadata-proxy/5f1c.conf", "neutron-ovn-metadata-agent"),
)
_OTHER_TOOLS = (
    (
        "nova-api",
        f"{_OSA}uwsgi --autoload --ini /etc/uwsgi/nova-api-os-compute.ini",
        "openstack/ansible-role-uwsgi tasks",
    ),
    (
        "",
        f"{_OSA}uwsgi --autoload --ini /etc/uwsgi/nova-api-metadata.ini",
        "openstack/openstack-ansible-os_nova defaults",
    ),
    (
        "keystone",
        "uwsgi --autoload --ini /etc/uwsgi/keystone-wsgi-public.ini",
        "openstack/openstack-ansible-os_keystone defaults",
    ),
    (
        "neutron-server",
        "uwsgi --autoload --ini /etc/uwsgi/neutron-server.ini",
        "openstack/openstack-ansible-os_neutron vars",
    ),
    ("nova-conductor", f"{_OSA}python3 {_OSA}nova-conductor", "openstack/openstack-ansible-os_nova defaults"),
    ("nova-scheduler", f"{_OSA}python3 {_OSA}nova-scheduler", "openstack/openstack-ansible-os_nova defaults"),
    (
        "neutron-server",
        "uwsgi --ini /etc/neutron/neutron-api-uwsgi.ini --pyargv  --config-file /etc/neutron/neutron.conf ",
        "openstack/openstack-helm _neutron-server.sh.tpl",
    ),
    ("", "nova-metadata: uWSGI master", "openstack/openstack-helm nova/values.yaml procname-prefix-spaced"),
    ("heat-api", "heat-api: uWSGI worker 1", "openstack/openstack-helm heat/values.yaml procname-prefix-spaced"),
    ("", "heat-api-cfn: uWSGI worker 1", "openstack/openstack-helm heat/values.yaml procname-prefix-spaced"),
    ("glance-api", "glance-api: uWSGI master", "openstack/openstack-helm glance/values.yaml procname-prefix-spaced"),
    ("cinder-api", "cinder-api: uWSGI master", "openstack/openstack-helm cinder/values.yaml procname-prefix-spaced"),
    (
        "placement-api",
        "placement-api: uWSGI master",
        "openstack/openstack-helm placement/values.yaml procname-prefix-spaced",
    ),
    (
        "neutron-server",
        "neutron-api: uWSGI master",
        "openstack/openstack-helm neutron/values.yaml procname-prefix-spaced",
    ),
    ("glance-api", "glance-apiuWSGI master", "openstack/devstack lib/glance --procname-prefix"),
    ("nova-api", "nova-apiuWSGI worker 2", "openstack/devstack lib/nova --procname-prefix"),
    ("", "nova-api-metauWSGI master", "openstack/devstack lib/nova --procname-prefix"),
    ("cinder-api", "cinder-apiuWSGI master", "openstack/devstack lib/cinder --procname-prefix"),
    ("placement-api", "placementuWSGI master", "openstack/devstack lib/placement --procname-prefix"),
    ("neutron-server", "neutron-apiuWSGI master", "openstack/devstack lib/neutron --procname-prefix"),
)
# What names a service, and is not it.
_WATCHERS = (
    "vi /etc/nova/{}.conf",
    "/usr/bin/vim.basic /etc/nova/{}-uwsgi.ini",
    "nano /usr/bin/{}",
    "emacs /etc/{}/{}.conf",
    "tail -f /var/log/nova/{}.log",
    "tail -f /var/log/{}",
    "less /var/log/nova/{}.log",
    "journalctl -f -u {}",
    "journalctl -u openstack-{}.service",
    "systemctl restart {}",
    "grep -r {} /etc",
    "grep {}",
    "ps -C {}",
    "pgrep -f {}",
    "watch -n 1 pgrep {}",
    "bash -c /usr/bin/python3 /usr/bin/{}",
    "sh -c exec {} --config-file /etc/x.conf",
    "su -s /bin/sh -c {} nova",
    "sudo -u nova {}",
    "strace -f -p 1 -o /tmp/{}",
    "gdb --args /usr/bin/python3 /usr/bin/{}",
    "timeout 5 {}",
    "docker logs {}",
    "podman exec -it {} bash",
    "dumb-init --single-child -- kolla_start {}",
    "scp {} root@192.0.2.1:",
    "/usr/bin/python3 /usr/local/bin/watch.py {}",
    "/usr/bin/python3 -m pdb /usr/bin/{}",
    "/usr/bin/python3 /usr/bin/{}-exporter",
    "/usr/bin/python3 /usr/bin/{}.py",
    "/usr/bin/{}-manage db sync",
    "uwsgitop /run/{}.ini",
    "/usr/sbin/{}_safe",
    "/usr/bin/{}-tool localhost stats",
)

COMMAND_LINES = (
    *(CommandLine(whose, line, f"Debian: {source}") for whose, line, source in _DEBIAN),
    *(CommandLine(whose, line, f"ran: {source}") for whose, line, source in _RAN),
    *(
        CommandLine(whose, f"{title} {option}", f"ran: mod_wsgi; {source}")
        for whose, apache2, httpd, source in _MOD_WSGI
        for title, option in ((apache2, "-k start"), (apache2, "-DFOREGROUND"), (httpd, "-DFOREGROUND"))
    ),
    *(
        CommandLine(
            whose, f"{title[: len(word)]:{len(word)}} {rest}", f"GrahamDumpleton/mod_wsgi wsgi_daemon.c; {word}"
        )
        for whose, title in WSGI_TITLES
        for word, rest in _LONGER
    ),
    *(CommandLine(whose, line, f"seen: {source}") for whose, line, source in _SEEN),
    *(CommandLine(whose, line, f"rdo-packages: {source}") for whose, line, source in _RDO),
    *(CommandLine(whose, line, f"openstack/kolla-ansible {source}") for whose, line, source in _KOLLA_LINES),
    *(CommandLine(whose, line, source) for whose, line, source in _OTHER_TOOLS),
)


def watchers(name: str) -> list[str]:
    """Return command lines that name a program or a service, and are not it."""
    return [one.replace("{}", name) for one in _WATCHERS]
