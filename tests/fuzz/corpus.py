"""Every parser of lib/xha with valid inputs to begin from. test_fuzz.py fails for a parser that is not here.

A parser is what test_fuzz.py finds by its name: parse_*, load_*, decode_* in lib/xha/core and lib/xha/adapters.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from core.kept import KEPT, LINE, RESOURCE, VIEW
from xha.core.config.xha_conf import Config, parse_config
from xha.core.node.verdict import LastNode
from xha.core.ocf.api import RESKEY
from xha.core.ocf.galera_parameters import PARAMETERS
from xha.core.services.workers.oslo_config import parse_options
from xha.core.text.values import ConfigError

CORE = Path(__file__).parents[1] / "core"
ROOT = Path(__file__).parents[2]
UUID = "6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18"


class Start(NamedTuple):
    """Samples of a parser's first argument, and how to call the parser with a similar one."""

    samples: Sequence[Any]
    call: Callable[[Callable[..., Any], Any], Any] = lambda parse, value: parse(value)


def _texts(*samples: str) -> Start:
    return Start(samples)


def _values(*samples: Any) -> Start:
    return Start(samples)


def _with(*more: Any, samples: Sequence[Any]) -> Start:
    return Start(samples, lambda parse, value: parse(value, *more))


def _files(directory: str, *names: str) -> list[str]:
    return [path.read_text() for name in names for path in sorted((CORE / directory).glob(name))]


_RECORD, _LINE = json.loads(KEPT["a service's record"].text), [one._asdict() for one in LINE]
_OSLO = (
    "[DEFAULT]\ntransport_url = rabbit://a:b@h1:5672,a:b@[::1]/v?ssl=1\nhost = $my\nmy = c1\n[x]\nssl=true\n  more\n"
)
_RABBIT_HOSTS = "[DEFAULT]\nrabbit_hosts = h1:5672, h2\nrabbit_port=5672\n[oslo_messaging_rabbit]\nssl = true\n"
_NODES = [{"name": "rabbit@a", "running": True, "partitions": [], "mem_alarm": False}]
_QUEUES = [
    {
        "name": "q",
        "vhost": "/",
        "type": "quorum",
        "members": ["rabbit@a"],
        "online": ["rabbit@a"],
        "leader": "rabbit@a",
    },
    {"name": "m", "effective_policy_definition": {"ha-mode": "exactly", "ha-params": 2}, "exclusive": False},
]
_NODE = {
    "kind": "node",
    "age_ms": 12,
    "reading": {"wsrep_local_state": 4, "wsrep_ready": True, "wsrep_flow_control_paused": 0.5, "version": "10.11"},
}
_VERDICT = {"available": True, "code": "synced", "since": "2026-11-27T10:00:00+00:00"}
_LEDGER = (
    '{"kind": "run", "at": 1790000000.5, "mono": 10.25, "run": "0123456789abcdef"}\n'
    '{"kind": "state", "at": 1790000000.5, "mono": 10.25, "available": true, "code": "synced", "planned": false, '
    '"gap": 0}\n'
    '{"kind": "members", "at": 1790000001, "mono": 11, "node": "db1", "members": ["10.0.0.1:3306"]}\n'
    '{"kind": "blind", "at": 1790000031, "mono": 41}\n{"kind": "lost", "at": 1790000032, "mono": 42}\n'
    '{"kind": "mark", "at": 1790000050, "mono": 60}\n'
)
_STATUS = {"running_nodes": ["rabbit@a"], "disk_nodes": ["rabbit@a"], "partitions": {"rabbit@a": ["rabbit@b"]}}
_SERVICES = {"services": [{"binary": "nova-compute", "host": "c1", "state": "up", "status": "enabled"}]}
_STAT = (
    "# pxname,svname,scur,slim,status\nb,BACKEND,0,9,UP\nb,s1,0,,UP 1/2\nb,s2,0,,MAINT (via a/b)\n"
    "f,FRONTEND,0,9,OPEN\n\n"
)
_CRM_MON = (
    '<crm_mon version="2.1.5"><summary><current_dc present="true" name="n1" with_quorum="true"/><cluster_options '
    'stonith-enabled="true"/></summary><nodes><node name="n1" online="true" type="member"/></nodes><resources><clone '
    'id="c"><resource id="r:0" active="true"><node name="n1"/></resource></clone></resources><failures><failure '
    'op_key="r_monitor_0" node="n1"/></failures></crm_mon>'
)
_ENVIRONMENT = {f"{RESKEY}{one.name}": one.default or "x" for one in PARAMETERS}
_ENVIRONMENT[f"{RESKEY}wsrep_cluster_address"] = "gcomm://n1,n2:4567"
_ENVIRONMENT[f"{RESKEY}additional_parameters"] = "--wsrep-sst-method=rsync --innodb='a b'"
_CALL = {
    "OCF_RESOURCE_INSTANCE": "p_mysql:1",
    "OCF_CHECK_LEVEL": "10",
    f"{RESKEY}CRM_meta_timeout": "20000",
    f"{RESKEY}CRM_meta_interval": "10000",
}
_WATCH = {f"{RESKEY}name": "memcached", f"{RESKEY}grace": "5s", f"{RESKEY}fall": "3", f"{RESKEY}attribute": "a"}
_SECTION = {
    "kind": "http", "url": "http://127.0.0.1:80", "expect": "200 204", "interval": "1s", "level": "deep", "fall": "3",
    "process": "^httpd", "grace": "5s", "required": "1",
}  # fmt: skip
_BOOK = {
    f"xha-{RESOURCE}-{name}": KEPT[document].text
    for name, document in (
        ("line", "a line of generations"),
        ("grant-forget-n2", "a grant"),
        ("stop-n1", "a clean stop"),
    )
}
_PROBES = [
    b"OPTIONS / HTTP/1.0\r\n\r\n",
    b"GET /node?x=1 HTTP/1.1\r\nHost: a:49000\r\nX-Haproxy-Server-State: UP 2/3; name=b/s; weight=1/2\r\n\r\n",
    b"HEAD http://a/ready HTTP/1.1\nName: value\n\n",
    b"\r\nGET /ready\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]
_PROXY_HEADERS = [
    b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 49000\r\n",
    b"PROXY TCP6 fd00::1 ::ffff:192.0.2.2 1 65535\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0f" + bytes(12) + b"\x04\x00\x00",
    b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00",
]
_ATTRD_TEXT = b'<reply t="attrd" subt="query" attr_name="a"><node attr_host="n1" attr_value="1"/></reply>\0'
_ATTRD = struct.pack("<i4xi4xi4xIIIB3x", 7, 40 + len(_ATTRD_TEXT), 0, len(_ATTRD_TEXT), 0, 0, 1) + _ATTRD_TEXT
_REPLY = {"_msg_id": "m", "result": "pong", "failure": None, "ending": True}
_FAILURE = {"_msg_id": "m", "failure": json.dumps({"class": "NoSuchMethod", "message": "x"})}
_GVWSTATE = (
    f"my_uuid: {UUID}\n#vwbeg\nview_id: 3 {UUID} 5\nbootstrap: 0\nmember: {UUID} 0\nmember: "
    "9a51f3c2-8b0e-11ef-b7d4-6c2e1f0a9d35 0\n#vwend\n"
)
_MYCNF = (
    "[client]\nuser = xha\npassword='a#b'\n!include /etc/a.cnf\n[client-server]\nsocket=/run/a\n#\n!includedir /etc/b\n"
)
_LISTING = _files("listings", "mariadb-10.11.txt")
_ROWS = [
    ("wsrep_local_state", "4"),
    ("wsrep_ready", "ON"),
    ("threads_connected", "9"),
    ("read_only", "NO_LOCK"),
    (1, 2),
]
_HELP = (
    "Variables (--variable-name=value)\nand boolean options {FALSE|TRUE}  Value (after reading options)\n-----  ----\n"
    "datadir  /var/lib/mysql/\nport  3306\nextra-port  0\nwsrep-on  TRUE\nwsrep-provider  none\n"
    "log-error  (No default value)\npid-file  h.pid\nsocket  /run/a\n"
    "\nTo see what variables a running server is using, type\n"
)


def _choose(parse: Callable[..., Any], text: str) -> Any:
    return parse(LastNode)(text)


def _parse_sections(parse: Callable[..., Any], text: str) -> Any:
    try:
        config = parse_config(text, "/etc/xha/xha.conf")
    except ConfigError:
        config = Config()
    return parse(config)


STARTS: dict[str, Start] = {
    "core.galera.cluster_address.parse_cluster_address": _texts(
        "gcomm://n1,n2:4567,[fd00::1]:4567?pc.wait_prim=no", "gcomm://"
    ),
    "core.galera.cluster_address.parse_peers": _texts("n1,n2:4567,[fd00::1]", "10.0.0.1"),
    "core.galera.cluster_address.parse_host_map": _texts("n1:host1;n2:10.0.0.2;n3:[fd00::1]"),
    "core.election.position_report.parse_position_report": _texts(KEPT["a report"].text),
    "core.election.stall.parse_stall_report": _texts(KEPT["a report of a stall"].text),
    "core.monitor.keeper_status.parse_keeper_status": _texts(KEPT["a status"].text),
    "core.pacemaker.cib.parse_cib": _with("p_mysql", samples=_files("pacemaker/cibs", "*.xml")),
    "core.cluster.members.parse_member": _texts("10.0.0.1", "db1:3306", "[fd00::1]:3306", "fd00::1"),
    "core.cluster.members.parse_cluster_address": _texts("gcomm://a,b:4567,[fd00::1]?x=y", "gcomm://"),
    "core.cluster.members.parse_incoming_member": _texts("10.0.0.1:3306", "[fd00::1]:3306", "fd00::1:3306"),
    "core.cluster.members.parse_incoming_addresses": _texts("10.0.0.1:3306,,AUTO,[fd00::1]:3306"),
    "core.cluster.responder_word.parse_response": _values(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nsynced 12 ms\n"
    ),
    "core.cluster.responder_word.parse_ready_line": _texts("synced 12 ms\n", "donor-sst 3 ms"),
    "core.cluster.responder_word.parse_node_claim": _texts(json.dumps(_NODE)),
    "core.text.netstrings.parse_netstrings": _values(b"7:xha 0.1,4:http,0:,", b"1:a,"),
    "core.text.values.parse_port": _texts("3306", "65535"),
    "core.text.values.parse_address": _texts("0.0.0.0:49000", "[::]:49000"),
    "core.text.values.parse_account": _texts("mysql", "999"),
    "core.text.values.parse_switch": _texts("1", "off"),
    "core.text.values.parse_networks": _texts("10.0.0.0/8, fd00::/8 127.0.0.1"),
    "core.config.xha_conf.parse_config": _with(
        "/etc/xha/xha.conf", samples=[(ROOT / "docs/examples/xha.conf").read_text()]
    ),
    "core.cluster.fleet.fleet_file.parse_fleet": _texts("prod: 10.0.0.1 10.0.0.2:49001 [fd00::1]\n# all\ntest: db1\n"),
    "core.cluster.fleet.samples.parse_samples": _texts(
        '{"minute": 29900000, "clusters": {"prod": {"minutes": "..ooduxs", "since": 29899999, "seen_change": true}}}'
    ),
    "core.cluster.fleet.standing.parse_node_verdict": _texts(json.dumps({**_NODE, "verdict": _VERDICT})),
    "core.cluster.history.ledger_lines.parse_ledger_line": _texts(*_LEDGER.splitlines()),
    "core.cluster.history.timeline.parse_ledger": _with("db1", samples=[_LEDGER, ""]),
    "core.node.withdrawal.parse_withdrawal": _with(
        1.8e9, samples=['{"by": "ann", "why": "disk", "until": "2026-01-31T22:00:00+01:00"}', '{"until": null}']
    ),
    "core.node.withdrawal.parse_instant": _texts("2026-01-31T22:00:00+01:00", "2026-01-31T22:00:00Z"),
    "core.text.repeats.parse_repeats": _texts(
        '{"schema": 1, "said": [["about", "kind", ["text", 6, "2027-01-31 12:01", 1.5, 2.5, 3]]]}'
    ),
    "core.text.durations.parse_duration": _texts("100ms", "1.5 s", "2h"),
    "core.config.haproxy_cfg.parse_haproxy_cfg": _texts(
        "defaults a\n timeout check 5s\nlisten b from a\n option httpchk\n http-check expect ! rstatus ^5\n"
        " default-server check port 49000\n server s 192.0.2.1:3306 backup\n server t [::1]:3306 no-check # x\n"
    ),
    "core.doctor.facts.parse_grant": _texts(
        "GRANT PROCESS ON *.* TO `xha`@`localhost`",
        "GRANT SELECT (a, b) ON `d`.`t` TO x WITH GRANT OPTION",
        "GRANT `r` TO x",
    ),
    "core.config.haproxy_words.parse_haproxy_count": _texts("3", "2s", "$N"),
    "core.config.haproxy_words.parse_haproxy_time": _texts("5s", "500", "10ms"),
    "core.pacemaker.operations.parse_pacemaker_time": _texts("10s", "20000ms", "5min", "20"),
    "core.text.durations.parse_galera_period": _texts("PT5S", "PT1M30.5S", "P1DT2H", "7.5"),
    "core.monitor.start_failures.parse_failures": _texts(KEPT["failures"].text),
    "core.text.json_types.parse_text": _values("a text"),
    "core.text.json_types.parse_flag": _values(True),
    "core.text.json_types.parse_texts": _values(["a", "b"]),
    "core.galera.json_fields.parse_ports": _values([4567, 3306]),
    "core.galera.json_fields.parse_known_position": _values(f"{UUID}:12"),
    "core.galera.json_fields.parse_view": _values(VIEW._asdict()),
    "core.galera.json_fields.parse_line": _values(_LINE),
    "core.http.haproxy_state.parse_last_server": _texts(
        "UP 2/3; name=bck/srv2; node=lb1; weight=1/2; scur=13/22; qcur=0"
    ),
    "core.http.message.parse_request": _values(*_PROBES, *(header + _PROBES[0] for header in _PROXY_HEADERS)),
    "core.http.proxy_header.parse_proxy_header": _values(*_PROXY_HEADERS),
    "core.pacemaker.telling.parse_claim": _texts("keeper 1234.5", "monitor 7.25"),
    "core.keeper.outcomes.parse_outcome": _texts(
        '{"at": 1.5, "cause": "BUSY", "text": "somebody uses the data"}',
        '{"at": 1.5, "recovered": null, "unfit": null}',
        '{"at": 1.5, "recovered": null, "unfit": {"text": "wsrep_on is OFF", "permanent": true}}',
        json.dumps(
            {
                "at": 1.5,
                "recovered": {
                    "kind": "intact",
                    "position": f"{UUID}:5",
                    "cause": "",
                    "record": KEPT["a node's record"].text,
                    "safe_to_bootstrap": True,
                    "unmendable": False,
                    "busy": False,
                },
                "unfit": None,
            }
        ),
    ),
    "core.galera.node_record.parse_node_record": _texts(KEPT["a node's record"].text),
    "core.text.numbers.parse_int": _texts("12", "-1"),
    "core.text.numbers.parse_float": _texts("0.25", "1e-5"),
    "core.text.numbers.parse_json": _texts(*(kept.text for kept in KEPT.values())),
    "core.text.numbers.parse_number": _values(7),
    "core.text.numbers.parse_count": _values(7),
    "core.text.numbers.parse_moment": _values(7.5, 7),
    "core.ocf.api.parse_instance": _with("monitor", samples=[_CALL]),
    "core.text.mysql_option_file.parse_option_file": Start([_MYCNF], lambda parse, text: list(parse(text))),
    "core.ocf.parameter_values.parse_text": _texts("x"),
    "core.ocf.parameter_values.parse_name": _texts("mysql"),
    "core.ocf.parameter_values.parse_path": _texts("/var/lib/mysql"),
    "core.ocf.parameter_values.parse_program": _texts("mariadbd", "/usr/sbin/mysqld"),
    "core.ocf.parameter_values.parse_switch": _texts("ja", "0"),
    "core.ocf.parameter_values.parse_seconds": _texts("30", "1.5", "2h"),
    "core.ocf.parameter_values.parse_positive": _texts("30", "100ms"),
    "core.ocf.parameter_values.parse_stall": _texts("30", "0"),
    "core.ocf.parameter_values.parse_cluster_address": _texts("gcomm://n1,n2:4567"),
    "core.ocf.parameter_values.parse_host_map": _texts("n1:host1;n2:host2"),
    "core.ocf.parameter_values.parse_peers": _texts("n1,n2:4567"),
    "core.ocf.parameter_values.parse_options": _texts("--a=b --c='d e' \"--f g\"h"),
    "core.ocf.galera_settings.load_settings": _texts(KEPT["a resource's settings"].text),
    "core.ocf.galera_settings.parse_settings": _values(_ENVIRONMENT),
    "core.ocf.galera_settings.parse_settings_leniently": _values(_ENVIRONMENT),
    "core.ocf.galera_settings.parse_values": _with(PARAMETERS, samples=[_ENVIRONMENT]),
    "core.galera.position.parse_position": _texts(f"{UUID}:12", f"{UUID}:0-1-2,12"),
    "core.galera.position.parse_recovered_position": _texts(f"[Note] WSREP: Recovered position: {UUID}:12\n"),
    "core.galera.position.parse_grastate": _texts(
        f"# GALERA saved state\nversion: 2.1\nuuid: {UUID}\nseqno: 12\nsafe_to_bootstrap: 1\n"
    ),
    "core.galera.position.parse_gvwstate": _texts(_GVWSTATE),
    "core.galera.reading.parse_flag": _texts("ON"),
    "core.galera.reading.parse_read_only": _texts("NO_LOCK"),
    "core.galera.reading.parse_status": Start(_LISTING, lambda parse, text: parse(_rows(text))),
    "core.galera.reading.parse_threads": Start(
        ["system user\tCommit\t\napp\taltering table\tALTER\nsystem user\t\t"],
        lambda parse, text: parse([(*line.split("\t"), "", "")[:3] for line in text.split("\n")]),
    ),
    "core.node.commit_record.parse_commit_record": _texts(KEPT["what is known of commits"].text),
    "core.galera.reading.parse_variables": Start(_LISTING, lambda parse, text: parse(_rows(text))),
    "core.pacemaker.cib_records.parse_book": Start([_BOOK], lambda parse, properties: parse(RESOURCE, properties)),
    "core.ocf.service_parameters.parse_service_name": _texts("memcached"),
    "core.ocf.service_parameters.parse_attribute_name": _texts("xha-service"),
    "core.ocf.service_parameters.parse_fall": _texts("3"),
    "core.ocf.service_parameters.parse_watch_settings": _values(_WATCH),
    "core.galera.known_servers.parse_known_servers": _texts(
        '{"schema": 1, "servers": [{"datadir": "/d", "programs": ["/bin/x"], "uid": 9, "pid": 7, "started": 5}]}'
    ),
    "core.galera.server_options.parse_server_options": _texts(_HELP),
    "core.galera.server_options.parse_default_files": _texts(
        "Default options are read from the following files in the given order:\n/etc/my.cnf /etc/mysql/my.cnf ~/.my.cnf"
    ),
    "core.galera.server_options.parse_weight": Start(
        ["pc.weight = 1; base_dir = /d;", "2"],
        lambda parse, text: parse({"wsrep_provider_options": text, "wsrep_provider_pc_weight": text}),
    ),
    "core.galera.server_options.parse_provider_options": _texts("gmcast.listen_addr=tcp://[::]:4567; base_dir = /d;"),
    "core.services.daemons.haproxy_stat.parse_info": _texts("Name: HAProxy\nVersion: 2.6\nCurrConns: 1\nMaxconn: 9\n"),
    "core.services.daemons.haproxy_stat.parse_stat": _texts(_STAT),
    "core.services.daemons.haproxy_stat.parse_server_names": _texts(
        "1\n# be_name srv_name srv_fqdn srvrecord\nb s1 host -\n"
    ),
    "core.services.daemons.haproxy.parse_stats_socket": _texts("/run/x.sock", "ipv4@127.0.0.1:9", "unix@/x"),
    "core.services.daemons.memcached_binary.decode_head": _values(bytes.fromhex("810b000000000000") + bytes(16)),
    "core.services.api.judge.parse_url": _texts("http://127.0.0.1:5000/v3", "https://[::1]"),
    "core.services.api.judge.parse_statuses": _texts("200, 204 300"),
    "core.services.daemons.memcached.parse_stats": _texts(
        "STAT curr_connections 1\r\nSTAT accepting_conns 1\r\nEND\r\n"
    ),
    "core.services.workers.oslo_rpc.decode_reply": _with(
        "m",
        samples=[
            json.dumps(_REPLY).encode(),
            json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(_FAILURE)}).encode(),
        ],
    ),
    "core.services.workers.oslo_config.parse_options": _texts(_OSLO, _RABBIT_HOSTS),
    "core.services.workers.oslo_config.parse_messaging": Start(
        [_OSLO, _RABBIT_HOSTS], lambda parse, text: parse(parse_options(text))
    ),
    "core.services.workers.oslo_url.parse_truth": _with("ssl", samples=["1", "off"]),
    "core.services.workers.oslo_url.parse_host_port": _with(
        5672, "transport_url", samples=["h:1", "[::1]:2", "fd00::1"]
    ),
    "core.services.workers.oslo_url.parse_transport": _texts("rabbit://a:b%20c@h1:5672,d:e@[::1]:5671/v%2f?ssl=1"),
    "core.services.daemons.pacemaker.parse_crm_mon": _texts(_CRM_MON),
    "core.services.rabbitmq.facts.parse_document": _texts(json.dumps(_QUEUES), '{"a": [1], "a": [2]}'),
    "core.services.rabbitmq.facts.parse_nodes": _values(_NODES),
    "core.services.rabbitmq.facts.parse_health": _values({"alarms": [{"node": "rabbit@a", "resource": "memory"}]}),
    "core.services.rabbitmq.facts.parse_policies": _values(
        [{"vhost": "/", "name": "p", "definition": {"ha-mode": "all"}}]
    ),
    "core.services.rabbitmq.facts.parse_queues": _with({("/", "p"): {"ha-mode": "all"}}, samples=[_QUEUES]),
    "core.services.rabbitmq.facts.parse_cluster_status": _values(_STATUS),
    "core.services.rabbitmq.table.parse_expected": _texts("3", "rabbit@a, rabbit@b"),
    "core.services.last_result.parse_record": _texts(KEPT["a service's record"].text),
    "core.services.model.result.parse_field": Start([_RECORD], lambda parse, document: parse(document, "at", str)),
    "core.services.model.result.parse_level": _texts("deep"),
    "core.services.model.result.parse_result": _values(_RECORD),
    "core.services.settings.parse_service": Start(
        [_SECTION], lambda parse, items: parse("/etc/xha/xha.conf", "service x", "x", items)
    ),
    "core.services.settings.parse_services": Start(
        ["[service mysql]\nfall = 2\n[service a]\nkind = memcached\nport 1\n[service a]\nkind = haproxy\nvip = ::1\n"],
        _parse_sections,
    ),
    "core.services.model.values.parse_count": _texts("3"),
    "core.services.model.values.parse_pattern": _texts("^/usr/sbin/x( |$)"),
    "core.services.model.values.parse_secret_file": _texts("/etc/xha/secret", "credential"),
    "core.services.model.values.parse_secret_variable": _texts("XHA_PASSWORD"),
    "core.services.model.values.parse_percentage": _texts("90%", "5 %"),
    "core.services.model.values.parse_limit": _texts("0", "12"),
    "core.ocf.service_rule.parse_watch": _texts(KEPT["what ocf:xha:service remembers"].text),
    "core.services.workers.judge.parse_services": _with("nova-compute", samples=[_SERVICES]),
    "core.services.workers.table.parse_hosts": _texts("controller-1, controller-1@lvm"),
    "core.galera.status_file.parse_status_file": _texts(*_files("galera/statusfiles", "*.json")),
    "core.text.shell_assignments.parse_sysconfig": _texts("MYSQL_PASSWORD='a b'\nexport A=\"b\\$c\" # d\nB=c\\ d\n"),
    "core.text.values.parse_words": _texts("a, b c"),
    "core.text.values.parse_positive_duration": _texts("1s"),
    "core.text.values.parse_choice": Start(["1", "haproxy"], _choose),
    "core.text.values.parse_path": _texts("/etc/xha"),
    "core.text.values.parse_text": _texts("x"),
    "adapters.process.control_groups.parse_unit": _texts(
        "0::/system.slice/mariadb.service\n", "1:name=systemd:/system.slice/x.service\n"
    ),
    "adapters.network.unix_listeners.parse_listening": Start(
        ["0: 00000002 00000000 00010000 0001 01 17 /run/mysqld/mysqld.sock"],
        lambda parse, text: parse(
            [line.encode("utf-8", "surrogatepass") for line in text.split("\n")], {"socket:[17]"}
        ),
    ),
    "core.http.haproxy_state.parse_server_name": _texts("UP 2/3; name=bck/srv2; node=lb1; weight=1/2; scur=13/22"),
    "core.election.writer.parse_writer_word": _texts(KEPT["a word of the writer"].text),
    "core.election.writer.parse_claim": _values([3, "h1"], [0, ""]),
    "core.node.writer_rule.parse_writer_record": _texts(KEPT["who the writer is"].text),
    "core.monitor.keeper_tally.parse_keeper_tally": _texts(KEPT["what a keeper counts"].text),
    "core.node.writer_rule.parse_writer_order": _with(
        20.0, samples=['{"schema": 1, "counter": 3, "target": "h2", "at": 11.5}']
    ),
    "core.node.writer_rule.parse_takers": _texts(
        json.dumps({"writer": {"balancers": {"asking": 1, "untold": [], "unknown": None}}})
    ),
    "core.node.drain_rule.parse_responder_view": _texts(
        json.dumps(
            {
                "verdict": {"available": True, "code": "synced"},
                "reading": {"datadir": "/var/lib/mysql"},
                "balancers": {"done": True, "untold": ["lb1 bck/srv2"]},
            }
        )
    ),
    "adapters.network.whereabouts.parse_listening": Start(
        [
            "0: 0100007F:1388 00000000:0000 0A 0:0 00:0 0 112 0 2211",
            f"0: {'0' * 24}01000000:138B :0 0A 0:0 00:0 0 112 0 9",
        ],
        lambda parse, text: list(parse([line.encode("utf-8", "surrogatepass") for line in text.split("\n")], {112})),
    ),
    "core.pacemaker.past_results.parse_past_result": _texts(
        '<lrm_rsc_op id="db_last_failure_0" call-id="8" rc-code="190" interval="10000" last-rc-change="1795772186"/>'
    ),
    "core.pacemaker.past_results.parse_monitors": _texts(
        '<xpath-query><op id="a" name="monitor" interval="10s"><instance_attributes id="xha-a"><nvpair id="xha-a-h1" '
        'name="xha_forget_h1" value="8-1795772186"/></instance_attributes></op></xpath-query>'
    ),
    "adapters.pacemaker.attributes.parse_attribute": _texts(
        '<pacemaker-result><attributes><attribute name="a" value="1" host="n1"/></attributes></pacemaker-result>'
    ),
    "adapters.pacemaker.kept_connection.parse_answer": _with(7, "a", samples=[_ATTRD, _ATTRD[:41]]),
}


def _rows(text: str) -> list[tuple[str, str]]:
    pairs = (line.split("\t", 1) for line in text.split("\n"))
    return [(pair[0], pair[1]) for pair in pairs if len(pair) == 2] + [(str(a), str(b)) for a, b in _ROWS]
