"""Files that are written whole, and what is never replaced by one."""

import os
from pathlib import Path

import pytest

from panda_ioc.files import write_atomically


def test_a_file_is_replaced_and_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "link"]


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to("fifo")
    for name in ("fifo", "directory", "link"):
        with pytest.raises(OSError, match="no regular file"):
            write_atomically(tmp_path / name, "text")
    assert (tmp_path / "fifo").is_fifo()
    assert len(list(tmp_path.iterdir())) == 3
