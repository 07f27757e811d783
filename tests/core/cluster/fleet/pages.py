"""Pages of fleets for the tests: a usual one, and one in which every text that others choose is hostile."""

from __future__ import annotations

from core.cluster.fleet.fleets import document, member
from xha.core.cluster.fleet.fleet_file import FleetCluster
from xha.core.cluster.fleet.page import render_page
from xha.core.cluster.fleet.samples import GAP, LETTERS, MINUTES, ClusterSamples
from xha.core.cluster.fleet.standing import ClusterStanding, FleetMember, judge_cluster, judge_member, order_clusters
from xha.core.cluster.members import Member
from xha.core.cluster.responder_word import HttpAnswer
from xha.core.node.codes import Code

NOW = 1796000000.0
MINUTE = int(NOW // 60)
HOSTILE = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "\"'><svg/onload=document.title='owned'>",
    "</style><style>body{display:none}</style>",
    "javascript:document.title='owned'",
    "&lt;b&gt;&#60;i&#62;",
    "\u202egnp.exe\x1b[31m\x00\u2028",
    "{{7*7}}${7*7}",
)


def cluster(name: str, *members: FleetMember) -> ClusterStanding:
    return judge_cluster(FleetCluster(name, tuple(one.view.member for one in members)), members)


def usual_page() -> str:
    clusters = order_clusters(
        [
            cluster("eu-1", member(1), member(2, None), member(3)),
            cluster("eu-2", member(4), member(5), member(6)),
            cluster("eu-3", member(7, Code.NON_PRIMARY), member(8, Code.SERVER_DOWN), member(9, Code.SERVER_DOWN)),
            cluster("us-1", member(10, None), member(11, "no answer on port 49000 in time"), member(12, Code.JOINING)),
            cluster("us-2", member(13), member(14, wsrep_cluster_state_uuid="1" * 8), member(15)),
            cluster("us-3-a-name-that-is-quite-long-for-a-phone", member(16), member(17, Code.DRAINING)),
        ]
    )
    hour = "o" * 23 + GAP * 10 + "o" * 10 + "d" * 5 + "u" * 5
    samples = {one.name: ClusterSamples(hour + LETTERS[one.standing] * 7, MINUTE - 7, True) for one in clusters}
    samples["eu-2"] = ClusterSamples("o" * MINUTES, MINUTE - 300, False)
    del samples["us-1"]
    return render_page(clusters, samples, NOW)


def hostile_page() -> str:
    found = []
    for number, text in enumerate(HOSTILE):
        host = Member(text, 49000)
        said = document(wsrep_cluster_state_uuid=text).replace("2026-11-27T10:00:00+00:00", "SINCE")
        quoted = text.encode("unicode_escape").decode().replace('"', "").replace("\\", "")
        members = [
            judge_member(host, HttpAnswer(200, said.replace("SINCE", quoted))),
            judge_member(Member("10.0.0.2", 49000), HttpAnswer(200, document())),
            judge_member(Member(f"{text}2", 49000), None, cause=text),
            judge_member(Member("10.0.0.4", 49000), HttpAnswer(200, document().replace("synced", quoted))),
            judge_member(Member("10.0.0.5", 49000), HttpAnswer(503, text)),
        ]
        found.append(cluster(f"{number} {text}", *members))
    clusters = order_clusters(found)
    return render_page(clusters, {}, NOW)
