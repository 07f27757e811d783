"""What operators do: planned, by mistake, and without telling the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from lab import processes
from lab.cluster import has_past_failures
from lab.faults.crashes import SERVER, begin, kill_now
from lab.faults.fault import ACTIVE, Act, Fault, Scene
from lab.host import Host
from lab.place import DATABASE_PASSWORD, DATABASE_USER, HOSTS
from lab.waiting import GaveUp, wait_until

STOP_SECONDS = 180
PASSWORD_SECONDS = 60
HISTORY_SECONDS = 45
FEW_CONNECTIONS = 10  # the smallest max_connections that the server accepts


def on_one(command: str, timeout: int = 60) -> Act:
    """An operator's command, typed on h3, which no other fault of this file stops."""
    return lambda scene: scene.lab["h3"].sh(command, timeout=timeout) and None


def then(*acts: Act) -> Act:
    def all_of_them(scene: Scene) -> None:
        for act in acts:
            act(scene)

    return all_of_them


@contextmanager
def desynced(host: Host) -> Iterator[None]:
    """A node that an operator desynchronises for a while. It is Synced again whatever becomes of the test."""
    host.sh("mariadb -e 'SET GLOBAL wsrep_desync = ON'")
    try:
        yield
    finally:
        host.sh("mariadb -e 'SET GLOBAL wsrep_desync = OFF'", timeout=60)


def set_password(password: str) -> Act:
    """Set it for the agent's account, on the first node that accepts it: the agent may have stopped some or all."""

    def act(scene: Scene) -> None:
        order = f"ALTER USER {scene.contender.account.user}@localhost IDENTIFIED BY '{password}'"

        def takes(host: Host) -> bool:
            return host.sh(f'timeout 5 mariadb -e "{order}"', check=False).ok

        wait_until("a node to take it", lambda: any(map(takes, scene.lab)), timeout=PASSWORD_SECONDS, every=0.2)

    return act


def give_password_back(scene: Scene) -> None:
    """If no node ever accepts it, the fault goes on, and that is due to the agent: no operator could end it so."""
    with suppress(GaveUp):
        set_password(scene.contender.account.password)(scene)


def await_clean_history(scene: Scene) -> None:
    """Wait for past failures to leave Pacemaker's list. With one in the list, any agent is restarted."""
    with suppress(GaveUp):
        wait_until(
            "a clean history", lambda: not has_past_failures(scene.lab["h3"], "p_mysql"), timeout=HISTORY_SECONDS
        )


def change_a_check(scene: Scene) -> None:
    on_one(scene.contender.another_check)(scene)


def crowd(scene: Scene) -> None:
    """Take every connection that the active node has for users. The one reserved for administrators stays free."""
    host = scene.lab[ACTIVE]
    host.sh(f"mariadb -e 'SET GLOBAL max_connections={FEW_CONNECTIONS}'")
    sleeper = f"mariadb -h {host.address} -u {DATABASE_USER} -p{DATABASE_PASSWORD} -e 'DO SLEEP(600)'"
    begin(scene.lab["h2"], f"for i in $(seq {FEW_CONNECTIONS}); do {sleeper} & done; wait")


def disperse(scene: Scene) -> None:
    processes.kill(scene.lab["h2"].pids_of("mariadb"))
    scene.lab[ACTIVE].sh("mariadb -e 'SET GLOBAL max_connections=DEFAULT'", check=False)


def stop_in_order(scene: Scene) -> None:
    for host in scene.lab:
        host.sh("systemctl stop pacemaker corosync", timeout=STOP_SECONDS)


def start_pacemaker(scene: Scene) -> None:
    scene.lab.on_all(lambda host: host.sh("systemctl start corosync pacemaker", timeout=60))


def leave_running(scene: Scene) -> None:
    """Maintenance mode, then stop Pacemaker on every host, as for its own upgrade. mysqld must not notice."""
    on_one("pcs property set maintenance-mode=true")(scene)
    stop_in_order(scene)


def take_back(scene: Scene) -> None:
    start_pacemaker(scene)
    wait_until("Pacemaker to answer", lambda: scene.lab["h3"].sh("crm_mon -1", check=False).ok, timeout=60)
    on_one("pcs property set maintenance-mode=false")(scene)


def bootstrap_on(*names: str) -> Act:
    """Stop everything, the active node last. Then bootstrap each host of `names`, like people who do not talk."""

    def act(scene: Scene) -> None:
        rest = " ".join(name for name in HOSTS if name != ACTIVE)
        on_one(f"pcs node standby {rest} --wait={STOP_SECONDS}", STOP_SECONDS + 30)(scene)
        on_one("pcs resource disable p_mysql")(scene)
        wait_until(
            "every mysqld to end", lambda: not any(host.pids_of(SERVER) for host in scene.lab), timeout=STOP_SECONDS
        )
        on_one(f"pcs node unstandby {rest}")(scene)
        for name in names:
            scene.lab[name].sh("sed -i 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' /var/lib/mysql/grastate.dat")
            scene.lab[name].sh("galera_new_cluster", timeout=60)

    return act


def give_up_h3(scene: Scene) -> None:
    """Two clusters run. The active host's cluster has served the clients: no backup was ever used."""
    if scene.contender.give_up:
        on_one(scene.contender.give_up)(scene)


def start_outside(scene: Scene) -> None:
    """Take h2 away from Pacemaker and start its mysqld as a service."""
    host: Host = scene.lab["h2"]
    on_one("pcs resource ban p_mysql-clone h2")(scene)
    wait_until("h2's mysqld to end", lambda: not host.pids_of(SERVER), timeout=STOP_SECONDS)
    host.sh("systemctl start mariadb", timeout=120)


CLEAR = on_one("pcs resource clear p_mysql-clone")

ORDERS = (
    Fault("max-connections", "the active node has no connection left for 40 s", crowd, relieve=disperse, lasts=40),
    Fault(
        "password-changed",
        "the password of the agent's check account is changed for 60 s",
        set_password("another"),
        relieve=give_password_back,
        lasts=60,
    ),
    Fault(
        "parameter-changed",
        "one parameter of the agent's check is changed with pcs",
        change_a_check,
        prepare=await_clean_history,
        lasts=40,
    ),
    Fault(
        "stop-in-order",
        "all hosts leave the cluster cleanly, in order, and return",
        stop_in_order,
        relieve=start_pacemaker,
        ends=HOSTS,
    ),
    Fault(
        "planned-stop",
        "the active node is stopped by plan",
        on_one(f"pcs resource ban p_mysql-clone {ACTIVE}"),
        relieve=CLEAR,
        lasts=30,
        ends=(ACTIVE,),
    ),
    Fault(
        "standby",
        "the active host is put on standby for 30 s",
        on_one(f"pcs node standby {ACTIVE}"),
        relieve=on_one(f"pcs node unstandby {ACTIVE}"),
        lasts=30,
        ends=(ACTIVE,),
    ),
    Fault(
        "two-bootstraps",
        "after a clean stop two operators bootstrap a node each",
        bootstrap_on(ACTIVE, "h3"),  # the active node has the last writes, so one of the two is right
        relieve=on_one("pcs resource enable p_mysql"),
        lasts=20,
        ends=HOSTS,
        elsewhere=1,  # only one cluster can stay: the other bootstrap has to end
        hand=give_up_h3,
    ),
    Fault(
        "started-outside",
        "a stopped node's mysqld is started as a service, then the cluster may have it again",
        start_outside,
        relieve=CLEAR,
        lasts=20,
        ends=("h2",),
    ),
    Fault(
        "maintenance",
        "maintenance mode, Pacemaker stopped everywhere and started again",
        leave_running,
        relieve=take_back,
        lasts=10,
    ),
    Fault(
        "kill-all-ordered",
        "all three mysqld get SIGKILL at once, and the clone has ordered=true",
        lambda scene: kill_now(scene, HOSTS),
        prepare=on_one("pcs resource meta p_mysql-clone ordered=true"),
        ends=HOSTS,
    ),
)
