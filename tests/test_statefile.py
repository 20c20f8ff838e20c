"""Files of settings: what is read of them, and what is said of those that are none."""

from pathlib import Path

import pytest

from panda_ioc import statefile
from panda_ioc.errors import ConfigurationError


def test_what_is_written_is_read(tmp_path: Path) -> None:
    lines = ["# Settings", "PULSE1.DELAY.UNITS=ms", "SEQ1.TABLE<B", "AAAA", "", "*METADATA.X=a # b"]
    statefile.write(tmp_path / "a", lines)
    found = statefile.read(tmp_path / "a")
    assert found == lines
    assert statefile.settings(found) == lines[1:]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"A.B=1\nPCAP\n", "line 2: 'PCAP' sets no field"),
        (b"*PCAP.ARM=", "line 1: .* sets no field"),
        (b"A.B<\n1\n2\n", "line 1: no empty line after the table 'A.B<'"),
        (b"\xff\xfe", "not text"),
    ],
)
def test_what_is_no_state_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ConfigurationError, match=words):
        statefile.read(tmp_path / "a")


def test_what_can_not_be_read_or_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can not be read: No such file"):
        statefile.read(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="can not be read: Is a directory"):
        statefile.read(tmp_path)
    with pytest.raises(ConfigurationError, match="can not be written: No such file"):
        statefile.write(tmp_path / "none" / "a", [])


def test_a_file_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size is told as 0."""
    monkeypatch.setattr(statefile, "LARGEST", 1 << 20)
    with pytest.raises(ConfigurationError, match="over 1 MiB, this is no state file"):
        statefile.read(Path("/dev/zero"))
