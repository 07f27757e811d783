"""Writes the fleet's page into a directory, and beside it what the next run needs for the last hour."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ...adapters.files.atomic_write import remove_unfinished, replace_text
from ...adapters.files.whole_file import read_text
from ...core.cluster.fleet.page import render_page
from ...core.cluster.fleet.samples import MAX_BYTES, add_look, parse_samples, render_samples
from ...core.text.values import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.cluster.fleet.samples import ClusterSamples
    from ...core.cluster.fleet.standing import ClusterStanding

PAGE, SAMPLES = "index.html", "samples.json"


def write_page(directory: str, clusters: Sequence[ClusterStanding]) -> None:
    """Replace the page in a directory that exists. clusters: worst first.

    :raises ConfigError: naming the file that cannot be written.
    """
    now = time.time()
    minute = int(now // 60)
    last, before = _read_samples(os.path.join(directory, SAMPLES))
    samples = add_look(before, last, minute, clusters)
    texts = {SAMPLES: render_samples(minute, samples), PAGE: render_page(clusters, samples, now)}
    for name, text in texts.items():
        path = os.path.join(directory, name)
        remove_unfinished(directory, f"{name}.")
        try:
            replace_text(path, text, 0o644)  # a web server of another account shows it
        except OSError as error:
            raise ConfigError(f"{path}: {(error.strerror or 'unwritable').lower()}") from None


def _read_samples(path: str) -> tuple[int, dict[str, ClusterSamples]]:
    """Return what the last run left, nothing where it left nothing that can be used: its hour is not known then."""
    try:
        return parse_samples(read_text(path, MAX_BYTES))
    except (OSError, ValueError):
        return 0, {}
