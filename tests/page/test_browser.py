"""The fleet's page in a real Chromium: it shows, nothing in it runs, and it fits a screen, a phone and paper.

`make test-page` runs this; the pictures are below build/page, to be looked at.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Callable

import pytest

from core.cluster.fleet.pages import HOSTILE, hostile_page, usual_page
from loopback import find_program
from xha.core.text.escape import clean

pytestmark = pytest.mark.skipif("XHA_PAGE" not in os.environ, reason="make test-page runs it")

PICTURES = Path(__file__).parents[2] / "build/page"
PAGES: dict[str, Callable[[], str]] = {"usual": usual_page, "hostile": hostile_page}
SIZES = {"screen": (1280, 900), "tablet": (820, 1180), "phone": (390, 844)}
SECONDS = 60


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"{request.param}.html"
    path.write_text(PAGES[request.param]())
    return path


def chromium(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the browser without a window, a sandbox (root has none) and a network of its own."""
    argv = [
        *(find_program("chromium", "chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
        *(
            "--no-first-run",
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
            f"--user-data-dir={tmp_path}/profile",
        ),
        *words,
    ]
    result = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert result.returncode == 0, result.stderr
    return result


def test_nothing_in_it_runs_and_nothing_is_refused(page: Path, tmp_path: Path) -> None:
    """The title would be another if a script ran; the console would tell of all that the policy refuses."""
    result = chromium(tmp_path, "--dump-dom", page.as_uri())
    title = re.search("<title>(.*?)</title>", result.stdout)
    assert title is not None
    assert "clusters need a look" in title[1]
    assert "Refused" not in result.stderr
    assert "violates" not in result.stderr
    assert "<script" not in result.stdout
    if page.stem == "hostile":
        shown = re.sub("&lt;", "<", re.sub("&gt;", ">", result.stdout))
        assert all(clean(text)[:20].replace('"', "") in shown.replace('"', "") for text in HOSTILE[:5])


def test_a_script_would_not_run(tmp_path: Path) -> None:
    """The policy is the second wall: were the first one open, the script would still be refused."""
    path = tmp_path / "open.html"
    path.write_text(usual_page().replace("</main>", "<script>document.title = 'owned'</script></main>"))
    result = chromium(tmp_path, "--dump-dom", path.as_uri())
    assert "<title>owned" not in result.stdout
    assert "Content Security Policy" in result.stderr


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_is_drawn_at_this_size(page: Path, tmp_path: Path, size: str, theme: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = PICTURES / f"{page.stem}-{size}-{theme}.png"
    width, height = SIZES[size]
    scheme = f"--blink-settings=preferredColorScheme={0 if theme == 'dark' else 1}"
    chromium(tmp_path, f"--screenshot={picture}", f"--window-size={width},{height}", scheme, page.as_uri())
    assert picture.stat().st_size > 10_000


def test_it_prints(page: Path, tmp_path: Path) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    paper = PICTURES / f"{page.stem}.pdf"
    chromium(tmp_path, f"--print-to-pdf={paper}", "--no-pdf-header-footer", page.as_uri())
    assert paper.read_bytes().startswith(b"%PDF")
