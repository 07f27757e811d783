"""The fleet as one HTML page: complete in itself, without a script, and with every text of others escaped.

Its policy forbids everything but its own style, by the hash of that: whatever got into the page would not run, and
could load nothing.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections import Counter
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ...text.ages import render_age
from ...text.escape import clean
from .page_style import CSS
from .samples import GAP, LETTERS, MINUTES
from .standing import FleetStanding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .samples import ClusterSamples
    from .standing import ClusterStanding, FleetMember

REFRESH_SECONDS = 60
_LONGEST = 2000
_NAMES = {letter: standing.value for standing, letter in LETTERS.items()}
# The height of a minute's bar, of 24: what is worse is higher, so that colour is not needed to tell.
_HEIGHTS = {"x": 24, "s": 24, "u": 18, "d": 12, "o": 5}
_HASH = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"


def render_page(clusters: Sequence[ClusterStanding], samples: Mapping[str, ClusterSamples], now: float) -> str:
    """Return the page. clusters: worst first. samples: by the name of the cluster. now: seconds since 1970."""
    counts = Counter(one.standing for one in clusters)
    listed = "".join(
        f'<li><span class="{one.value}">{counts[one]} {one.value}</span></li>' for one in FleetStanding if counts[one]
    )
    bodies = "\n".join(_cluster(one, samples.get(one.name), now) for one in clusters)
    ill = len(clusters) - counts[FleetStanding.OK]
    title = f"{ill} of {len(clusters)} clusters need a look" if ill else f"all {len(clusters)} clusters are well"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{html.escape(POLICY)}">
<meta http-equiv="refresh" content="{REFRESH_SECONDS}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{CSS}</style>
</head>
<body>
<h1>{title}</h1>
<p class="when">Written at <time datetime="{_rfc3339(now)}">{_instant(now)}</time>. If that is more than five minutes
ago, nobody keeps this page up to date, and it says nothing about now.</p>
<ul class="counts">{listed}</ul>
<main>
{bodies}
</main>
</body>
</html>
"""


def _text(text: str) -> str:
    """Return a text of others as HTML text, or as the value of an attribute in quotes."""
    return html.escape(clean(text, _LONGEST), quote=True)


def _cluster(one: ClusterStanding, samples: ClusterSamples | None, now: float) -> str:
    standing, is_open = one.standing.value, "" if one.standing is FleetStanding.OK else " open"
    told = [f"<p>Why: {_text(one.why)}</p>"] if one.why else []
    told += [f"<p>To do: {_text(one.to_do)}</p>"] if one.to_do else []
    rows = "\n".join(_member(each) for each in one.members)
    return f"""<details{is_open}>
<summary><span class="standing {standing}">{standing}</span><span class="name">{_text(one.name)}</span>
<span class="in">{one.serving}/{len(one.members)} in</span>{_sparkline(samples)}
<span class="since">{_since(samples, now)}</span></summary>
<div class="more">{"".join(told)}
<table><thead><tr><th>node</th><th>service</th><th>reason</th><th>why</th><th>since</th><th>to do</th></tr></thead>
<tbody>
{rows}
</tbody></table></div>
</details>"""


def _member(one: FleetMember) -> str:
    remedy = one.answer.remedy if one.exit_code else ""
    kind = {"in": "ok", "out": "out", "unknown": "unknown"}[one.service]
    age = one.answer.age
    service = one.service if age is None else f"{one.service} ({render_age(age)} ago)"
    cells = (("reason", one.code), ("why", one.why), ("since", _moment(one.since)), ("to do", remedy or "-"))
    tail = "".join(f'<td data-of="{of}">{_text(cell)}</td>' for of, cell in cells)
    first = f'<td data-of="service"><span class="{kind}">{_text(service)}</span></td>'
    return f'<tr><td data-of="node">{_text(one.name)}</td>{first}{tail}</tr>'


def _moment(since: str | None) -> str:
    """Return a member's own word of a moment, shorter where it is one."""
    if since is None:
        return "not known"
    try:
        return _instant(datetime.fromisoformat(since).timestamp())
    except (ValueError, OverflowError, OSError):
        return since


def _since(samples: ClusterSamples | None, now: float) -> str:
    if samples is None:
        return "since when is not known"
    age = render_age(max(60.0, now - samples.since * 60))
    return f"for {age}" if samples.seen_change else f"for {age} at least"


def _sparkline(samples: ClusterSamples | None) -> str:
    minutes = samples.minutes if samples else GAP * MINUTES
    counts = Counter(minutes)
    told = [f"{counts[letter]} min {name}" for letter, name in _NAMES.items() if counts[letter]]
    told += [f"{counts[GAP]} min not looked at"] if counts[GAP] else []
    bars = "".join(_bar(at, letter) for at, letter in enumerate(minutes) if letter != GAP)
    label = f"the last hour: {', '.join(told)}"
    return (
        f'<svg role="img" width="122" height="26" viewBox="-1 -1 122 26" aria-label="{label}"><title>{label}</title>'
        f"{bars}</svg>"
    )


def _bar(minute: int, letter: str) -> str:
    height = _HEIGHTS[letter]
    return f'<rect class="f-{_NAMES[letter]}" x="{2 * minute}" y="{24 - height}" width="2" height="{height}"/>'


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
