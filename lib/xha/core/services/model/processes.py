r"""How services run, as patterns of their command lines: by an interpreter, in a uwsgi, in an apache with mod_wsgi.

A pattern is for the whole command line with words joined by one blank, and begins with `^`: what only names a service,
as an editor, a pager or a shell, is not it. tests/core/services/command_lines.py has the lines that they are for, each
with where it was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# mod_wsgi writes a title over the first word of apache's command line, and cuts what is longer (wsgi_setup_daemon_name,
# src/server/wsgi_daemon.c). /usr/sbin/httpd is the shortest word; /usr/sbin/apache2, SUSE's /usr/sbin/httpd-prefork
# and the collections' /opt/rh/httpd24/root/usr/sbin/httpd leave more of it, or all.
_LEAST_ROOM = len("/usr/sbin/httpd")
# The rest of the command line stays: `-DFOREGROUND` (systemd on Red Hat, kolla), `-k start` (apachectl of Debian),
# `-DSYSCONFIG -C PidFile ...` and `-f /etc/apache2/httpd.conf` (start_apache2 of SUSE).
_APACHE_OPTION = r" +-(?:D ?[A-Z][A-Z_]+|k (?:start|restart|graceful)|[fd] /\S*|C (?:PidFile|Include))(?: |$)"


def python_process(script: str) -> str:
    """Return the pattern of a Python program: run directly, by an interpreter, or with a title of its own."""
    return rf"^(?:\S*python[\d.]*(?: -\S+)* )?(?:\S*/)?(?:{script})(?:: .*)?(?: |$)"


def uwsgi_process(ini: str) -> str:
    """Return the pattern of a uwsgi with this .ini, as Debian, kolla and openstack-ansible start the API services."""
    return rf"^(?:\S*/)?uwsgi(?:[-_](?:core|python[\d.]*))?(?: \S+)* (?:\S*/)?(?:{ini})(?:-uwsgi)?\.ini(?: |$)"


def uwsgi_title(prefix: str) -> str:
    """Return the pattern of a uwsgi that shows a title of its own (procname-prefix, with auto-procname or without).

    `keystoneuWSGI master` (devstack's procname-prefix), `keystone-api-uWSGI master`, `nova-api: uWSGI worker 1`
    (openstack-helm's procname-prefix-spaced).
    """
    return rf"^(?:{prefix})[-:]? ?uWSGI \w+"


def mod_wsgi_process(groups: Iterable[str], names: Iterable[str], others: Iterable[str] = ()) -> str:
    """Return the pattern of mod_wsgi's daemon processes.

    :param groups: of the WSGIDaemonProcess with display-name=%{GROUP}, as in `(wsgi:keystone-pu -k start`
    :param names: of its display-name, as in `heat_api_wsgi   -DFOREGROUND`
    :param others: groups and names of others, whose titles may be cut to the same: such a title tells nothing
    """
    foreign = {cut for other in others for title in (f"(wsgi:{other})", other) for cut in _cut(title)}
    titles = {cut for group in groups for cut in _cut(f"(wsgi:{group})")} - foreign
    plain = {cut for name in names for cut in _cut(name)} - foreign
    shown = "|".join(sorted(title[len("(wsgi:") :].replace(")", r"\)") for title in titles))
    return rf"^\(wsgi:(?:{shown})(?: |$)|^(?:{'|'.join(sorted(plain))}){_APACHE_OPTION}"


def _cut(title: str) -> set[str]:
    return {title[:room] for room in range(_LEAST_ROOM, max(_LEAST_ROOM, len(title)) + 1)}
