"""Files of settings: what is read of them, and what is said of those that are none."""

from pathlib import Path

import pytest

from panda_ioc import statefile
from panda_ioc.errors import ConfigurationError
from panda_ioc.statefile.lines import Setting, lines_of

TABLE = ["SEQ1.TABLE<B", "AAAA", ""]
LINES = ["# Settings", "PULSE1.DELAY.UNITS=ms", *TABLE, "*METADATA.X=a # b", "*METADATA.L<", "a=b"]


def read(directory: Path, content: bytes) -> list[Setting]:
    (directory / "a").write_bytes(content)
    return statefile.read(directory / "a")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    statefile.write(tmp_path / "a", [*LINES, ""])
    assert lines_of(statefile.read(tmp_path / "a")) == [*LINES[1:], ""]


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(LINES),
        "\n".join([*LINES, ""]),
        "\n".join([*LINES, "", ""]),
        "\r\n".join([*LINES, ""]),
        "\ufeff" + "\n".join(LINES),
        "\ufeff" + "\r\n".join([*LINES, "", ""]),
    ],
    ids=["joined", "line end", "empty line", "Windows", "byte order mark", "both"],
)
def test_files_of_any_editor_are_read(tmp_path: Path, content: str) -> None:
    assert lines_of(read(tmp_path, content.encode())) == [*LINES[1:], ""]


def test_a_joined_list_may_end_with_an_empty_table(tmp_path: Path) -> None:
    """As `GetState` tells of it."""
    content = "\n".join(["SEQ1.TABLE<B", "AAAA", "", "SEQ2.TABLE<B", ""])
    assert lines_of(read(tmp_path, content.encode()))[-2:] == ["SEQ2.TABLE<B", ""]


@pytest.mark.parametrize(
    "lines",
    [
        ["!A.B=1", "!SEQ1.TABLE<", "!C.D (error)", "!*METADATA.X=!", "!*METADATA.L<", "."],
        ["A.B=1", "SEQ1.TABLE<", "C.D (error)", "*METADATA.X=!", "*METADATA.L<"],
        ["A.B=1", "SEQ1.TABLE<", "*METADATA.L<", "*METADATA.X=!", "", "C.D (error)"],
    ],
)
def test_a_list_of_changes_tells_of_no_table_what_is_in_it(
    tmp_path: Path, lines: list[str]
) -> None:
    found = read(tmp_path, "\n".join(lines).encode())
    assert lines_of(found) == ["A.B=1", "*METADATA.X=!"]
    without = {each.lines[0] for each in found if not each.has_value}
    assert without == {"SEQ1.TABLE<", "C.D (error)", "*METADATA.L<"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"A.B=1\nPCAP\n", "line 2: 'PCAP' sets no field"),
        (b"*PCAP.ARM=", "line 1: .* sets no field"),
        (b"# a\n!A.B=1\n!*PCAP.ARM=", "line 3: .* sets no field"),
        (b"A.B=1\n!C.D=1\n", "line 2: '!C.D=1' sets no field"),
        (b"A.B<\n1\n2\nC.D=1\n", "line 4: 'C.D=1' is no line of A.B<"),
        (b"A.B=1\rC.D=1\n", "line 1: .* sets no field"),
        (b"A.B<C\n1\n\n", "line 1: 'A.B<C' sets no field"),
        (b"\xff\xfe", "not text"),
    ],
)
def test_what_is_no_state_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read(tmp_path, content)


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        statefile.read(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        statefile.read(tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be written: No such file"):
        statefile.write(tmp_path / "none" / "a", [])


def test_a_file_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size is told as 0."""
    monkeypatch.setattr(statefile, "LARGEST", 1 << 20)
    with pytest.raises(ConfigurationError, match="over 1 MiB, this is no state file"):
        statefile.read(Path("/dev/zero"))
