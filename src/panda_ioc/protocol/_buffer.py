"""Bytes in, lines and blocks out.

A reader that finds too little raises `NeedMoreData` and leaves the buffer as it was; one that finds
more than `limit` bytes and still no end raises `ProtocolError`, so a peer that never ends a line
cannot fill memory. Every byte is searched once for the end of its line, however the bytes were
split.
"""

from collections.abc import Iterator
from typing import Self

from panda_ioc.errors import ProtocolError

DEFAULT_LIMIT = 1 << 26
"""Bytes that may wait for the rest of their line or block: 64 MiB."""

_COMPACT = 1 << 16


class NeedMoreData(Exception):
    """The buffer does not hold the whole line or block yet; nothing was taken from it."""


class Buffer:
    """Bytes received and not yet read.

    For example::

        buffer = Buffer()
        buffer += received
        line = buffer.read_line()   # NeedMoreData if there is no whole line
        for line in buffer:         # all whole lines that are there
            ...
        block = buffer.read_bytes(50)

    Args:
        limit: the longest line, and the longest block, in bytes
    """

    __slots__ = ("_bytes", "_head", "_limit", "_searched")

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._bytes = bytearray()
        self._head = 0
        self._searched = 0
        self._limit = limit

    def __len__(self) -> int:
        return len(self._bytes) - self._head

    def __iadd__(self, received: bytes | bytearray | memoryview) -> Self:
        if self._head > _COMPACT and self._head * 2 > len(self._bytes):
            self._drop_read()
        self._bytes += received
        return self

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return self.read_line()
        except NeedMoreData:
            raise StopIteration from None

    def read_line(self) -> bytes:
        """Take the next line, without its newline."""
        end = self._bytes.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._bytes)
            self._need_more(f"a line of {len(self)} bytes and no end", len(self))
        line = bytes(memoryview(self._bytes)[self._head : end])
        if len(line) > self._limit:
            self._need_more(f"a line of {len(line)} bytes", len(line))
        self._advance(end + 1)
        return line

    def read_lines(self) -> bytes:
        """Take whole lines, newlines included, as many as fit in the limit; perhaps none."""
        end = self._bytes.rfind(b"\n", self._searched, self._head + self._limit + 1) + 1
        if end:
            return self._take(end)
        self._searched = len(self._bytes)
        if len(self) > self._limit:
            self._need_more(f"a line of {len(self)} bytes and no end", len(self))
        return b""

    def read_bytes(self, num: int) -> bytes:
        """Take the next `num` bytes."""
        block = self.peek_bytes(num)
        self._advance(self._head + num)
        return block

    def peek_bytes(self, num: int) -> bytes:
        """Copy of the next `num` bytes, which stay in the buffer."""
        if num > len(self):
            self._need_more(f"a block of {num} bytes was announced", num)
        return bytes(memoryview(self._bytes)[self._head : self._head + num])

    def _take(self, end: int) -> bytes:
        if not self._head and end == len(self._bytes):
            taken = bytes(self._bytes)
            self.clear()
        else:
            taken = bytes(memoryview(self._bytes)[self._head : end])
            self._advance(end)
        return taken

    def clear(self) -> None:
        """Forget all bytes."""
        self._bytes.clear()
        self._head = self._searched = 0

    def _need_more(self, what: str, needed: int) -> None:
        if needed > self._limit:
            raise ProtocolError(f"{what}; at most {self._limit} are accepted")
        raise NeedMoreData

    def _advance(self, head: int) -> None:
        self._head = head
        self._searched = max(self._searched, head)
        if head == len(self._bytes):
            self.clear()

    def _drop_read(self) -> None:
        del self._bytes[: self._head]
        self._searched -= self._head
        self._head = 0
