"""The buffer: any split, nothing lost, bounded."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.errors import ProtocolError
from panda_ioc.protocol.connections import Buffer, NeedMoreData, NeedMoreDataError
from support.controlstream import pieces

SIZES = st.lists(st.integers(0, 9), max_size=40)


def filled(data: bytes, limit: int = 1000) -> Buffer:
    buffer = Buffer(limit)
    buffer += data
    return buffer


def test_reads_lines_and_blocks_in_turn() -> None:
    buffer = filled(b"one\ntwo\n\x00\n\x01rest")
    assert buffer.read_line() == b"one"
    assert list(buffer) == [b"two", b"\x00"]
    assert buffer.peek_bytes(2) == b"\x01r"
    assert buffer.read_bytes(3) == b"\x01re"
    assert len(buffer) == 2


def test_keeps_what_it_has_when_that_is_too_little() -> None:
    buffer = filled(b"ab")
    for read in (buffer.read_line, lambda: buffer.read_bytes(3), lambda: buffer.peek_bytes(3)):
        with pytest.raises(NeedMoreData):
            read()
    buffer += b"c\n"
    assert buffer.read_line() == b"abc"


def test_a_line_that_came_in_a_peeked_block_is_found() -> None:
    buffer = filled(b"ab")
    with pytest.raises(NeedMoreDataError):
        buffer.read_line()
    assert buffer.read_bytes(1) == b"a"
    buffer += b"\n"
    assert buffer.read_line() == b"b"


def test_read_bytes_may_pass_over_a_newline() -> None:
    buffer = filled(b"a\nb\n")
    assert buffer.read_bytes(3) == b"a\nb"
    assert buffer.read_line() == b""


@given(st.binary(max_size=200), SIZES)
def test_lines_are_those_of_the_stream_however_it_is_split(data: bytes, sizes: list[int]) -> None:
    buffer, lines = Buffer(), []
    for piece in pieces(data, sizes):
        buffer += piece
        lines += list(buffer)
    *expected, rest = data.split(b"\n")
    assert lines == expected
    assert buffer.read_bytes(len(buffer)) == rest


@given(st.binary(max_size=200), SIZES)
def test_whole_lines_together_are_the_same_bytes(data: bytes, sizes: list[int]) -> None:
    buffer, taken = Buffer(), b""
    for piece in pieces(data, sizes):
        buffer += piece
        block = buffer.read_lines()
        assert not block or block.endswith(b"\n")
        taken += block
    assert taken + buffer.read_bytes(len(buffer)) == data
    assert taken.count(b"\n") == data.count(b"\n")


@given(st.lists(st.integers(0, 12), max_size=12), SIZES)
def test_limit_holds_alike_in_any_split(lengths: list[int], sizes: list[int]) -> None:
    """Lines of up to 8 bytes come out, the first longer one is the error."""
    data = b"".join(b"x" * length + b"\n" for length in lengths)
    good = next((i for i, length in enumerate(lengths) if length > 8), len(lengths))
    for read in (Buffer.read_lines, lambda buffer: b"".join(line + b"\n" for line in buffer)):
        buffer, taken = Buffer(limit=8), b""
        try:
            for piece in pieces(data, sizes):
                buffer += piece
                while block := read(buffer):
                    taken += block
            failed = False
        except ProtocolError:
            failed = True
        assert failed == (good < len(lengths))
        if read is Buffer.read_lines:
            assert taken.count(b"\n") == good


@pytest.mark.parametrize("read", [Buffer.read_line, Buffer.read_lines])
def test_an_endless_line_is_an_error(read: object) -> None:
    buffer = filled(b"x" * 100, limit=100)
    with contextlib.suppress(NeedMoreData):
        assert not read(buffer)  # type: ignore[operator]
    buffer += b"x"
    with pytest.raises(ProtocolError, match="101 bytes and no end; at most 100 are accepted"):
        read(buffer)  # type: ignore[operator]


def test_an_absurd_block_is_an_error_at_once() -> None:
    with pytest.raises(ProtocolError, match="a block of 101 bytes was announced; at most 100"):
        filled(b"", limit=100).read_bytes(101)


def test_what_was_read_is_forgotten() -> None:
    buffer = Buffer()
    for _ in range(100):
        buffer += b"y" * 99_999 + b"\nz"
        buffer.read_line()
    assert len(buffer) == 100 - 99
    assert len(buffer._bytes) < 1_000_000
