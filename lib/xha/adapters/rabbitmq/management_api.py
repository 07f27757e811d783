"""RabbitMQ's management API (requests). Each part is requested separately; one without an answer is a gap, no fault.

With a frozen peer /api/nodes and /api/overview hang, and the health checks and /api/queues answer (measured).
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import requests

from ...core.services.model.reach import Unmet
from ...core.services.rabbitmq.facts import parse_document, parse_health, parse_nodes, parse_policies, parse_queues
from ...core.services.rabbitmq.state import Cluster
from ..http.client import HttpSession, UnfitAnswer, read_body
from ..network.addresses import require_address
from ..network.client_tls import unmet_by
from ..process.alarm import CheckStep, begin_step, finish_within

if TYPE_CHECKING:
    from typing import Any, Callable, TypeVar

    from ...core.services.rabbitmq.state import Policies, QueueFact
    from ..network.client_tls import TlsFiles

    T = TypeVar("T")

# A queue has about 0.7 KiB.
_PAGE, _MAX_PAGES = 200, 50
_MAX_BYTES = 1 << 23
# The part of the whole time that one request may take, so that one without an answer leaves enough for the others.
_SHARE = 0.4
_QUEUE_COLUMNS = (
    "name,vhost,type,state,node,policy,effective_policy_definition,exclusive,owner_pid_details,"
    "synchronised_slave_nodes,members,online,leader,arguments"
)


class Refused(Exception):
    """The API does not accept the account."""


class _Gap(Exception):
    pass


class Api:
    """One node's API during one check: `seconds` for all of it, and a share of them for each request.

    account: user name and password. step: whose fault it is if the check's time ends meanwhile, and what was proved
    before.
    """

    def __init__(self, url: str, account: tuple[str, str], files: TlsFiles, seconds: float, step: CheckStep) -> None:
        """Prepare the requests. :raises Unmet: if a file for TLS cannot be used."""
        self._url, self._step, self._until = url, step, time.monotonic() + seconds
        self._longest = _SHARE * seconds
        self._gaps: list[str] = []
        self._bytes_left = _MAX_BYTES
        self._session = HttpSession(url, files)
        self._session.auth = account

    def read_cluster(self) -> Cluster:
        """Request everything that is judged.

        :raises Refused: if the account may not. :raises Unmet: if the settings of TLS do not suffice.
        """
        # The parts that always answer are requested first.
        alarms = self._read("/api/health/checks/alarms", parse_health, (200, 503))
        nodes = self._read(
            "/api/nodes?columns=name,running,partitions,mem_alarm,disk_free_alarm,being_drained", parse_nodes
        )
        about = self._read("/api/overview?columns=node,rabbitmq_version", lambda document: document)
        policies = self._read("/api/policies", parse_policies)
        queues, left = self._read_queues(policies or {})
        about = about if isinstance(about, dict) else {}
        own, version = (str(about.get(name, "")) for name in ("node", "rabbitmq_version"))
        return Cluster(own, version, nodes, alarms, queues, left, tuple(self._gaps))

    def _read_queues(self, policies: Policies) -> tuple[tuple[QueueFact, ...] | None, int]:
        queues: list[QueueFact] = []
        total = 0
        for page in range(1, _MAX_PAGES + 1):
            path = f"/api/queues?page={page}&page_size={_PAGE}&columns={_QUEUE_COLUMNS}"
            document = self._read(path, _require_page)
            if document is None:
                return (tuple(queues), total - len(queues)) if queues else (None, 0)
            rows = document["items"]
            try:
                total = int(document.get("filtered_count") or document.get("total_count") or len(rows))
                pages = int(document.get("page_count") or 1)
                queues += parse_queues(rows, policies)
            except (ValueError, KeyError, TypeError, OverflowError):
                self._gaps.append("/api/queues (not the answer of a RabbitMQ)")
                return None, 0
            if page >= pages:
                return tuple(queues), 0
        return tuple(queues), max(total - _PAGE * _MAX_PAGES, 0)

    def _read(self, path: str, parse: Callable[[Any], T], statuses: tuple[int, ...] = (200,)) -> T | None:
        shown = path.partition("?")[0]
        begin_step(f"the answer to GET {shown}", blame=self._step.blame, proved=self._step.proved)
        try:
            return parse(self._get(path, statuses))
        except _Gap as gap:
            reason = str(gap)
        except (ValueError, KeyError, TypeError):
            reason = "not the answer of a RabbitMQ"
        self._gaps.append(f"{shown} ({reason})")
        return None

    def _get(self, path: str, statuses: tuple[int, ...]) -> Any:
        seconds = min(self._longest, self._until - time.monotonic())
        if seconds <= 0:
            raise _Gap("no time left")
        try:
            return finish_within(seconds, lambda: parse_document(self._ask(path, statuses, seconds)))
        except UnfitAnswer as error:
            raise _Gap(str(error)) from None
        except socket.gaierror as error:
            raise _Gap(str(error.strerror)) from None
        except requests.exceptions.SSLError as error:
            unmet = unmet_by(error)
            raise (Unmet(f"{unmet}: {self._url}") if unmet else _Gap("the connection was closed")) from None
        except (requests.exceptions.Timeout, TimeoutError):
            raise _Gap("no answer in time") from None
        except (requests.RequestException, OSError):
            raise _Gap("no connection") from None
        except Exception as error:  # urllib3's own errors, while the body is read
            if type(error).__module__.partition(".")[0] != "urllib3":
                raise
            raise _Gap("the answer breaks off") from None

    def _ask(self, path: str, statuses: tuple[int, ...], seconds: float) -> str:
        require_address(urlsplit(self._url).hostname or "", seconds)
        with self._session.get(
            self._url + path,
            timeout=seconds,
            allow_redirects=False,
            stream=True,
            headers={"Accept": "application/json"},
        ) as response:
            if response.status_code in (401, 403):
                raise Refused(f"its management API answers {response.status_code}")
            if response.status_code not in statuses:
                raise _Gap(f"answered {response.status_code}")
            text = read_body(response)
        self._bytes_left -= len(text)
        if self._bytes_left < 0:
            raise _Gap(f"more than {_MAX_BYTES >> 20} MiB in all")
        return text


def _require_page(document: Any) -> dict[str, Any]:
    rows = document.get("items") if isinstance(document, dict) else None
    if not isinstance(rows, list) or len(rows) > _PAGE:
        raise ValueError("not a page")
    return cast("dict[str, Any]", document)
