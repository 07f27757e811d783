"""mysqld is killed or frozen."""

from __future__ import annotations

import signal
import subprocess
import time

from lab import cluster, processes
from lab.faults.fault import ACTIVE, Act, Fault, Scene
from lab.host import Host
from lab.place import HOSTS
from lab.waiting import wait_until

SERVER = "mariadbd"
# Rows for an ALTER that copies for some seconds, so that a kill hits every node during it.
WIDE_ROWS = 400_000
LAG_COMMITS = 20


def kill(*names: str) -> Act:
    """SIGKILL mysqld on the hosts `names`, all at once."""
    return lambda scene: kill_now(scene, names)


def kill_now(scene: Scene, names: tuple[str, ...]) -> None:
    processes.kill([pid for name in names for pid in scene.lab[name].pids_of(SERVER)])


def kill_apart(seconds: float) -> Act:
    """SIGKILL mysqld on one host after the other, `seconds` between them."""

    def strike(scene: Scene) -> None:
        for name in HOSTS:
            kill_now(scene, (name,))
            time.sleep(seconds if name != HOSTS[-1] else 0)  # the time between them is the fault

    return strike


def freeze(*names: str) -> Act:
    return lambda scene: [scene.lab[name].signal(SERVER, signal.SIGSTOP) for name in names] and None


def thaw(*names: str) -> Act:
    return lambda scene: [scene.lab[name].signal(SERVER, signal.SIGCONT) for name in names] and None


def make_wide_table(scene: Scene) -> None:
    scene.lab["h2"].sh(
        "mariadb lab -e 'CREATE OR REPLACE TABLE lab.wide (id INT PRIMARY KEY, text CHAR(100));"
        f" INSERT INTO lab.wide SELECT seq, MD5(seq) FROM seq_1_to_{WIDE_ROWS}'",
        timeout=60,
    )
    wait_until("every node to have the wide table", lambda: all(count_wide(host) for host in scene.lab), timeout=60)


def count_wide(host: Host) -> bool:
    return host.sh("mariadb -NBe 'SELECT COUNT(*) FROM lab.wide'").out.strip() == str(WIDE_ROWS)


def kill_during_alter(scene: Scene) -> None:
    """Kill every mysqld during one ALTER, which Galera runs on all nodes at once."""
    begin(scene.lab["h2"], "mariadb -e 'ALTER TABLE lab.wide ADD COLUMN more INT DEFAULT 1, ALGORITHM=COPY'")
    wait_until("the ALTER to run everywhere", lambda: all(alters(host) for host in scene.lab), timeout=20, every=0.02)
    kill_now(scene, HOSTS)


def alters(host: Host) -> bool:
    query = "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'copy to tmp table'"
    return host.sh(f'mariadb -NBe "{query}"').out.strip() != "0"


def pause_and_kill(scene: Scene) -> None:
    """Pause h2 with a global read lock, let it fall behind, and kill it. Its files then claim commits that it lacks."""
    paused = scene.lab["h2"]
    begin(paused, "mariadb -e 'FLUSH TABLES WITH READ LOCK; DO SLEEP(600)'")
    wait_until("h2 to fall behind", lambda: lag(scene) >= LAG_COMMITS, timeout=30, every=0.2)
    kill_now(scene, (paused.name,))


def lag(scene: Scene) -> int:
    """How many commits h2 is behind h1."""
    return cluster.read_galera(scene.lab["h1"]).last_committed - cluster.read_galera(scene.lab["h2"]).last_committed


def begin(host: Host, command: str) -> None:
    """Start a command in the host and leave it running. It ends with the server that it is connected to."""
    subprocess.Popen(
        ["setsid", "--fork", *host.enter(), "sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ).wait()


CRASHES = (
    Fault("kill-active", "mysqld of the active node gets SIGKILL", kill(ACTIVE), ends=(ACTIVE,)),
    Fault(
        "kill-two", "two mysqld, the active one among them, get SIGKILL at once", kill("h1", "h2"), ends=("h1", "h2")
    ),
    Fault("kill-all", "all three mysqld get SIGKILL at once", kill(*HOSTS), ends=HOSTS),
    Fault("kill-all-apart", "all three mysqld get SIGKILL, 3 s apart", kill_apart(3), ends=HOSTS),
    Fault(
        "kill-in-alter",
        "all three mysqld get SIGKILL in the middle of an ALTER",
        kill_during_alter,
        prepare=make_wide_table,
        ends=HOSTS,
    ),
    Fault("kill-paused", "a node paused by FLUSH TABLES WITH READ LOCK gets SIGKILL", pause_and_kill, ends=("h2",)),
    Fault(
        "freeze-active",
        "mysqld of the active node is frozen for good (SIGSTOP)",
        freeze(ACTIVE),
        lasts=90,
        ends=(ACTIVE,),
    ),
    Fault(
        "freeze-briefly", "mysqld of the active node is frozen for 8 s", freeze(ACTIVE), relieve=thaw(ACTIVE), lasts=8
    ),
)
