"""Screens are written beside the files of others, and never over them."""

from pathlib import Path

from panda_ioc.ioc.screens import write_files

FILES = {"a.bob": "<a/>\n", "b.bob": "<b/>\n"}


def test_files_are_written_and_written_anew(tmp_path: Path) -> None:
    assert write_files(tmp_path, FILES) == []
    assert {path.name for path in tmp_path.iterdir()} == FILES.keys()
    assert write_files(tmp_path, {"a.bob": "<c/>\n"}) == []
    assert (tmp_path / "a.bob").read_text().startswith("<c/>\n<!-- ")
    assert (tmp_path / "b.bob").read_text().startswith("<b/>\n<!-- ")


def test_files_that_are_right_are_not_touched(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    write_files(tmp_path, FILES)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_the_files_of_others_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.bob").write_text("mine")
    (tmp_path / "other.bob").write_text("mine too")
    assert write_files(tmp_path, FILES) == ["a.bob"]
    assert (tmp_path / "a.bob").read_text() == "mine"
    assert (tmp_path / "other.bob").read_text() == "mine too"


def test_a_file_that_somebody_has_changed_is_kept(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    changed = (tmp_path / "a.bob").read_text().replace("<a/>", "<a>mine</a>")
    (tmp_path / "a.bob").write_text(changed)
    assert write_files(tmp_path, FILES) == ["a.bob"]
    assert (tmp_path / "a.bob").read_text() == changed


def test_bytes_that_are_no_text_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.bob").write_bytes(b"\xff\xfe\x00")
    assert write_files(tmp_path, FILES) == ["a.bob"]
    assert (tmp_path / "a.bob").read_bytes() == b"\xff\xfe\x00"
