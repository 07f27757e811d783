"""The rows of the catalogue that use HTTP: their processes, ports and requests, and what each level proves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model.kind import Proof, Service
from ..model.processes import mod_wsgi_process, python_process, uwsgi_process, uwsgi_title
from ..model.result import Level
from .judge import KEYS, ApiRequest, HttpSettings, RequestPlan, find_fault

if TYPE_CHECKING:
    from typing import Any

_ACCOUNT = "auth_url, username, project, and password_file or password_env"
_RUNS = Proof("a process with its command line exists and is not stopped", "whether it answers anybody")
_HEALTHCHECK = ApiRequest("/healthcheck")
_ANSWERS_ONLY = "a dead or frozen database, keystone or RabbitMQ"
# Without a display-name, as in RDO's placement-api.conf, mod_wsgi's processes are like any other apache's.
# httpd-prefork, httpd2-prefork: SUSE; httpd.worker: CentOS 6.
_APACHE = r"^(?:\S*/)?(?:httpd2?|apache2)(?:[-.](?:prefork|worker|event|itk))?(?: |$)"


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
    process = more.pop("process", None) or _processes(name)
    return Service(
        name, title, "http", process, HttpSettings, KEYS, levels, Level.PROTOCOL, defaults, find_fault, **more
    )


def _processes(name: str, short: str = "", *, script: str = "", wsgi: str = "") -> str:
    """Return how an API runs: by itself (eventlet), in a uwsgi, in mod_wsgi.

    short: a regular expression of the name of its .ini, and of its procname-prefix; script: of its program's.
    wsgi: the pattern of its titles in an apache, if there are others than its name.
    """
    patterns = (python_process(script or name), uwsgi_process(short or name), uwsgi_title(short or name))
    return "|".join((*patterns, wsgi or mod_wsgi_process((name,), (name,))))


# Its WSGIDaemonProcess, by its own httpd/wsgi-keystone.conf, kolla and puppet; `main` and `admin` before Rocky.
_KEYSTONES = ("keystone", *(f"keystone{one}" for one in ("-public", "-main", "-admin", "_wsgi_main", "_wsgi_admin")))


def _keystone() -> Service:
    row = _api(
        "keystone",
        "identity API",
        5000,
        RequestPlan(ApiRequest("/v3", json_path=("version", "status"), json_value="stable")),
        process="|".join(
            (
                mod_wsgi_process(_KEYSTONES, (*_KEYSTONES, "keystone_wsgi")),
                uwsgi_process(r"keystone\S*?"),
                uwsgi_title("keystone(?:-(?:api|public|admin))?"),
            )
        ),
        defaults={"shared_process": _APACHE},
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
        process=_processes(
            "glance-api",
            "glance(?:-api)?",
            wsgi=mod_wsgi_process(("glance-api",), ("glance-api", "glance_wsgi", "glance_api_wsgi")),
        ),
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
        # nova-api-os-compute: the same without the metadata service.
        process=_processes(
            "nova-api",
            "nova-api(?:-os-compute)?",
            script="nova-api(?:-os-compute)?",
            wsgi=mod_wsgi_process(
                ("nova-api", "nova_api", "nova-api-os-compute"),
                ("nova-api", "nova_api_wsgi"),
                ("nova-api-metadata", "nova-metadata-api", "nova_metadata_wsgi"),
            ),
        ),
    ),
    _novncproxy(),
    _api(
        "neutron-server",
        "network API",
        9696,
        RequestPlan(_HEALTHCHECK, ApiRequest("/v2.0/networks?limit=1", json_path=("networks",))),
        process=_processes(
            "neutron-server",
            "neutron-(?:api|server)",
            wsgi=mod_wsgi_process(
                ("neutron", "neutron-api", "neutron_api", "neutron-server"), ("neutron", "neutron-api", "neutron_wsgi")
            ),
        ),
    ),
    _api(
        "placement-api",
        "placement API",
        8778,
        # Its lists are for administrators, so there is no deeper level for a project's own member.
        RequestPlan(ApiRequest("/", json_path=("versions", 0, "id"))),
        process=_processes(
            "placement-api",
            "placement(?:-api)?",
            wsgi=mod_wsgi_process(
                ("placement", "placement-api", "placement_api"), ("placement", "placement-api", "placement_wsgi")
            ),
        ),
        defaults={"shared_process": _APACHE},
    ),
    _api(
        "heat-api",
        "orchestration API",
        8004,
        RequestPlan(
            ApiRequest("/", (300,), json_path=("versions", 0, "status"), json_value="CURRENT"),
            ApiRequest("/v1/{project}/stacks?limit=1", json_path=("stacks",)),
        ),
        process=_processes(
            "heat-api",
            wsgi=mod_wsgi_process(
                ("heat-api", "heat_api"),
                ("heat-api", "heat_api_wsgi"),
                ("heat-api-cfn", "heat_api_cfn", "heat_api_cfn_wsgi", "heat-api-cloudwatch", "heat_api_cloudwatch"),
            ),
        ),
    ),
    _api(
        "cinder-api",
        "volume API",
        8776,
        RequestPlan(_HEALTHCHECK, ApiRequest("/v3/{project}/limits", json_path=("limits",))),
        process=_processes(
            "cinder-api",
            "cinder(?:-api)?",
            wsgi=mod_wsgi_process(
                ("cinder", "cinder-api", "cinder_api", "cinder-wsgi", "cinder_wsgi"),
                ("cinder", "cinder-api", "cinder_wsgi"),
            ),
        ),
    ),
)
