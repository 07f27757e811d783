"""ocf_xha_galera(7): groff reports no fault, and the page has every parameter with its exact spelling."""

from __future__ import annotations

import subprocess
from pathlib import Path

from loopback import find_program
from xha import __version__
from xha.core.ocf.galera_description import DESCRIPTION
from xha.core.ocf.galera_settings import PARAMETERS
from xha.core.ocf.manpage import render_manpage

ROFF = render_manpage(__version__, DESCRIPTION)


def shown(page: Path) -> subprocess.CompletedProcess[str]:
    command = [find_program("man", "man-db"), "--warnings=w", "--local-file", str(page)]
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "MANWIDTH": "200",
        "MANPAGER": "cat",
        "MAN_KEEP_FORMATTING": "",
    }
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_man_shows_it_without_a_warning(tmp_path: Path) -> None:
    page = tmp_path / "ocf_xha_galera.7"
    page.write_text(ROFF)
    done = shown(page)
    assert (done.returncode, done.stderr) == (0, "")
    text = " ".join(done.stdout.split())
    missing = [one.name for one in PARAMETERS if " ".join(one.long.split()) not in text]
    assert missing == []
    assert "pcs resource create p_mysql ocf:xha:galera \\" in done.stdout


def test_groff_finds_no_fault() -> None:
    groff = [find_program("groff", "groff-base"), "-man", "-Tutf8", "-ww", "-z"]
    done = subprocess.run(groff, input=ROFF, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_whatis_finds_its_name(tmp_path: Path) -> None:
    page = tmp_path / "ocf_xha_galera.7"
    page.write_text(ROFF)
    done = subprocess.run([find_program("lexgrog", "man-db"), str(page)], capture_output=True, text=True, check=False)
    assert "ocf_xha_galera - " in done.stdout
