"""What is kept of a laboratory that was never built: nothing, and that is said. Nothing is built here."""

from __future__ import annotations

from pathlib import Path

from lab import evidence
from lab.laboratory import Laboratory
from lab.place import HOSTS, Place


def test_hosts_that_were_never_built_hide_no_failure(tmp_path: Path) -> None:
    """The failure that made the laboratory impossible is told after this: it must not become another one."""
    kept = evidence.keep(Laboratory(Place("never-built")), tmp_path / "build")
    assert evidence.tell(kept) == ""
    for name in HOSTS:
        assert "var/log/journal" in (kept / name / "not-kept").read_text()


def test_a_directory_and_a_file_are_kept_and_one_that_went_is_named(tmp_path: Path) -> None:
    (tmp_path / "journal" / "machine").mkdir(parents=True)
    (tmp_path / "journal" / "machine" / "system.journal").write_text("binary")
    (tmp_path / "h1.err").write_text("said")
    kept = tmp_path / "kept"
    kept.mkdir()
    for name in ("journal", "h1.err", "gone.log"):
        evidence.keep_file(tmp_path / name, kept)
    assert (kept / "journal.d" / "machine" / "system.journal").read_text() == "binary"
    assert (kept / "h1.err").read_text() == "said"
    assert (kept / "not-kept").read_text().startswith(f"{tmp_path / 'gone.log'}: ")
