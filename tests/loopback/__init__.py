"""Real daemons on loopback, for the tests, the demo and the benchmark.

    with claim() as net:
        with Cluster(net, net.directory / "cluster") as cluster:
            cluster.nodes[1].freeze()

Nothing here is imitated: MariaDB with Galera, HAProxy and xinetd are the distribution's own programs, and the responder
is the checkout's. A program that is not installed raises MissingProgram, which names the package.
"""

from loopback.addresses import Net, claim
from loopback.cluster import Cluster
from loopback.daemon import Daemon, Died, MissingProgram, NotInTime, find_program, wait_until
from loopback.doors import door
from loopback.galera import Arbitrator, Node
from loopback.haproxy import HAProxy, listen_mysql
from loopback.responder import Responder
from loopback.sockets import is_listening
from loopback.xinetd import Xinetd

__all__ = [
    "Arbitrator",
    "Cluster",
    "Daemon",
    "Died",
    "HAProxy",
    "MissingProgram",
    "Net",
    "Node",
    "NotInTime",
    "Responder",
    "Xinetd",
    "claim",
    "door",
    "find_program",
    "is_listening",
    "listen_mysql",
    "wait_until",
]
