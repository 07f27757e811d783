"""The rows of the catalogue that use HTTP: their processes, ports and requests, and what each level proves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model.kind import Proof, Service
from ..model.result import Level
from .judge import KEYS, ApiRequest, HttpSettings, RequestPlan, find_fault

if TYPE_CHECKING:
    from typing import Any

_ACCOUNT = "auth_url, username, project, and password_file or password_env"
_RUNS = Proof("a process with its command line exists and is not stopped", "whether it answers anybody")
_HEALTHCHECK = ApiRequest("/healthcheck")
_ANSWERS_ONLY = "a dead or frozen database, keystone or RabbitMQ"


def python_process(script: str) -> str:
    """Return the pattern of a Python program: run directly, by an interpreter, or with a title of its own."""
    return rf"^(?:\S*python[\d.]*(?: -\S+)* )?(?:\S*/)?(?:{script})(?:: .*)?(?: |$)"


def uwsgi_process(ini: str) -> str:
    """Return the pattern of a uwsgi with this .ini, as Debian starts the API services."""
    return rf"^(?:\S*/)?uwsgi\S*(?: \S+)* (?:\S*/)?(?:{ini})\.ini(?: |$)"


def uwsgi_title(prefix: str) -> str:
    """Return the pattern of a uwsgi that shows a title of its own (procname-prefix, with auto-procname or without).

    `keystoneuWSGI master` (devstack), `keystone-api-uWSGI master` (openstack-helm), `keystone: uWSGI worker 1`
    (procname-prefix-spaced).
    """
    return rf"^{prefix}[-:]? ?uWSGI \w+"


def mod_wsgi_process(group: str) -> str:
    """Return the pattern of mod_wsgi's daemon processes with display-name=%{{GROUP}}: cut, as `(wsgi:keystone-pu`."""
    return rf"^\(wsgi:{group}"


def _api(name: str, title: str, port: int, plan: RequestPlan, **more: Any) -> Service:
    asked, deep = plan.protocol, plan.deep
    levels = {
        Level.PROCESS: _RUNS,
        Level.PROTOCOL: Proof(f"GET {asked.path} is answered {asked.statuses[0]}", _ANSWERS_ONLY),
    }
    if deep:
        levels[Level.DEEP] = Proof(
            f"GET {deep.path} with a token of keystone's is answered {deep.statuses[0]} from the database",
            "a dead RabbitMQ, and workers that do nothing",
            _ACCOUNT,
        )
    defaults = {"url": f"http://127.0.0.1:{port}", "deadline": 10.0, "plan": plan, **more.pop("defaults", {})}
    process = more.pop("process", "|".join(_processes(name, more.pop("short", name), more.pop("group", name))))
    return Service(
        name, title, "http", process, HttpSettings, KEYS, levels, Level.PROTOCOL, defaults, find_fault, **more
    )


def _processes(name: str, short: str, group: str) -> tuple[str, ...]:
    """Return how an API runs: by itself (eventlet), in a uwsgi, in mod_wsgi. short: the name of its file or title."""
    ini = uwsgi_process(f"(?:{name}|{short})(?:-uwsgi)?")
    return python_process(name), ini, uwsgi_title(f"(?:{name}|{short})"), mod_wsgi_process(group)


def _keystone() -> Service:
    row = _api(
        "keystone",
        "identity API",
        5000,
        RequestPlan(ApiRequest("/v3", json_path=("version", "status"), json_value="stable")),
        process="|".join(
            (
                mod_wsgi_process("keystone"),
                uwsgi_process(r"keystone\S*"),
                uwsgi_title("keystone(?:-(?:api|public|admin))?"),
            )
        ),
        # Without display-name=%{GROUP}, mod_wsgi's processes are like any other apache's.
        defaults={"shared_process": r"^(?:\S*/)?(?:httpd|apache2)(?: |$)"},
    )
    deep = Proof(
        "the login of a user that does not exist is refused with 401, for which keystone asks its database; with an "
        "account, that keystone gives it a token",
        "a token key that differs between the nodes",
        f"nothing; optional: {_ACCOUNT}",
    )
    levels = {**row.levels, Level.DEEP: deep}
    return row._replace(module="keystone", levels=levels, default_level=Level.DEEP)


def _novncproxy() -> Service:
    row = _api("nova-novncproxy", "console proxy", 6080, RequestPlan(ApiRequest("/vnc_lite.html")))
    deep = Proof(
        "a WebSocket is opened and a token that does not exist is refused, for which it asks nova's database",
        "a database that refuses connections, unless the key database says where it is",
        "nothing",
    )
    return row._replace(module="novncproxy", levels={**row.levels, Level.DEEP: deep})


ROWS = (
    _keystone(),
    _api(
        "glance-api",
        "image API",
        9292,
        RequestPlan(_HEALTHCHECK, ApiRequest("/v2/images?limit=1", json_path=("images",))),
        short="glance",
    ),
    # Glance 21 (Victoria) removed it. On a host without it the result is not applicable.
    _api(
        "glance-registry",
        "image registry, before Glance 21",
        9191,
        RequestPlan(_HEALTHCHECK, ApiRequest("/images", json_path=("images",))),
        defaults={"required": False},
    ),
    _api(
        "nova-api",
        "compute API",
        8774,
        # Its /healthcheck is answered with 300, like every path that it does not know.
        RequestPlan(
            ApiRequest("/", json_path=("versions", -1, "status"), json_value="CURRENT"),
            ApiRequest("/v2.1/flavors?limit=1", json_path=("flavors",)),
        ),
        group="nova[-_]api(?![-_]?meta)",
    ),
    _novncproxy(),
    _api(
        "neutron-server",
        "network API",
        9696,
        RequestPlan(_HEALTHCHECK, ApiRequest("/v2.0/networks?limit=1", json_path=("networks",))),
        process="|".join(
            (
                python_process("neutron-server"),
                uwsgi_process("neutron-api(?:-uwsgi)?"),
                uwsgi_title("neutron-(?:api|server)"),
                mod_wsgi_process("neutron[-_](?:api|server)"),
            )
        ),
    ),
    _api(
        "placement-api",
        "placement API",
        8778,
        # Its lists are for administrators, so there is no deeper level for a project's own member.
        RequestPlan(ApiRequest("/", json_path=("versions", 0, "id"))),
        short="placement",
        group="placement",
    ),
    _api(
        "heat-api",
        "orchestration API",
        8004,
        RequestPlan(
            ApiRequest("/", (300,), json_path=("versions", 0, "status"), json_value="CURRENT"),
            ApiRequest("/v1/{project}/stacks?limit=1", json_path=("stacks",)),
        ),
        group="heat[-_]api(?![-_]?(?:cfn|clou))",
    ),
    _api(
        "cinder-api",
        "volume API",
        8776,
        RequestPlan(_HEALTHCHECK, ApiRequest("/v3/{project}/limits", json_path=("limits",))),
        short="cinder",
        group="cinder(?:[-_](?:api|wsg)|\\))",
    ),
)
