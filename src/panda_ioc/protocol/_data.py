"""The data port without I/O: bytes in, events out.

Rules:
* The states are those of `DataState`; each has one reader, which takes what it can use of the bytes
  and says when the state changes. Bytes may be split anywhere.
* Data is copied at most once, into memory where samples of successive frames lie side by side
  (`SampleStore`); large frames received through `get_buffer` are not copied at all.
* `FrameData.data` is a view of that memory. It is never written again, so it may be kept, in any
  thread; it keeps alive the slab that it lies in.
* Events that were complete before an error come out first, then the error. After it every call
  raises it again. End of file is told by `receive_eof` (or `bytes_received(0)`).
"""

from collections.abc import Callable, Iterator
from copy import copy

from panda_ioc.errors import CommandError, ConnectionLost, PandAError, ProtocolError
from panda_ioc.protocol._data_header import frame_layout, parse_header
from panda_ioc.protocol._data_state import DataState
from panda_ioc.protocol._data_text import PartialText, parse_end
from panda_ioc.protocol._frames import FRAME, HEAD, copy_frames, copy_run
from panda_ioc.protocol._samples import HEAD_BYTES, SampleStore
from panda_ioc.protocol.responses import Data, FrameData, ReadyData

MAX_HEADER = 1 << 20
"""Longest header accepted by default, in bytes."""
MAX_FRAME = 1 << 26
"""Longest frame accepted by default, in bytes: real ones have 2 MiB."""
SLAB_BYTES = 1 << 22
"""Samples are gathered in pieces of this many bytes (or of one frame if that is longer)."""

_MAX_LINE = 1 << 10
_SCRATCH_BYTES = 1 << 18
_DIRECT_BYTES = 1 << 16
_END = b"END "
_END_OF_HEADER = b"</header>\n\n"
_START_OF_HEADER = b"<header>\n"


class DataConnection:
    """Sans-IO connection to the data port of a PandA. For example::

        connection = DataConnection()
        sock.sendall(connection.connect(scaled=False))
        while received := sock.recv(65536):
            for event in connection.receive_bytes(received):
                ...
        for event in connection.receive_eof():
            ...

    or, without a copy, ``connection.bytes_received(sock.recv_into(connection.get_buffer()))``.

    Args:
        max_header: longest header, in bytes
        max_frame: longest frame with its head, in bytes
        slab_bytes: at most this much waits for `flush`: more comes out by itself
    """

    def __init__(
        self,
        max_header: int = MAX_HEADER,
        max_frame: int = MAX_FRAME,
        slab_bytes: int = SLAB_BYTES,
    ) -> None:
        self._max_header = max_header
        self._max_frame = max_frame
        self._state = DataState.CONNECT
        self._options = ""
        self._text = PartialText()
        self._store = SampleStore(slab_bytes)
        self._frame_bytes = 0
        self._left = 0
        self._every_frame = True
        self._events: list[Data] = []
        self._error: PandAError | None = None
        self._scratch = memoryview(bytearray())
        self._direct = False

    @property
    def state(self) -> DataState:
        """What the next bytes are expected to be."""
        return self._state

    @property
    def samples(self) -> int:
        """Samples of this acquisition that have come in whole frames."""
        return self._store.samples

    def connect(self, scaled: bool) -> bytes:
        """Return the line to send first: for data scaled by the PandA, or raw (cheaper for it)."""
        self._options = f"XML FRAMED {'SCALED' if scaled else 'RAW'}"
        return f"{self._options}\n".encode()

    def receive_bytes(
        self, received: bytes | bytearray | memoryview, flush_every_frame: bool = True
    ) -> Iterator[Data]:
        """Take bytes from the PandA, split anywhere (an empty piece says nothing).

        Args:
            received: may be reused by the caller afterwards
            flush_every_frame: one `FrameData` for each frame; otherwise samples are merged until
                `flush`, the end of the acquisition, or a slab is full

        Returns:
            the events, in order, and then a `ProtocolError` or `CommandError` if there was a fault
        """
        self._check()
        self._every_frame = flush_every_frame
        return self._parse(memoryview(received).cast("B"))

    def flush(self) -> Iterator[FrameData]:
        """Return the samples of whole frames that have been held back, as one piece."""
        self._check()
        return iter(self._store.take())

    def receive_eof(self) -> Iterator[Data]:
        """Take the end of the connection.

        Returns:
            held back samples, and then `ConnectionLost` unless we were between acquisitions
        """
        self._check()
        events = list[Data](self._store.take())
        idle = self._state is DataState.HEADER and not self._text
        expected, self._state = self._state.value, DataState.CLOSED
        self._error = ConnectionLost("data port: the PandA has closed the connection")
        if idle:
            return iter(events)
        return _deliver(
            events,
            ConnectionLost(
                f"data port: closed by the PandA while waiting for {expected}"
                f" ({self.samples} samples received)"
            ),
        )

    def get_buffer(self, sizehint: int = -1) -> memoryview:
        """Return memory to receive into; call `bytes_received` afterwards.

        It is where the samples shall lie, if enough of a frame is still to come. (The name is that
        of `asyncio.BufferedProtocol`; the size hint is not needed.)
        """
        self._check()
        self._direct = self._state is DataState.FRAME and self._left >= _DIRECT_BYTES
        if self._direct:
            start = self._store.end
            return self._store.memory[start : start + self._left + HEAD_BYTES]
        if not self._scratch:
            self._scratch = memoryview(bytearray(_SCRATCH_BYTES))
        return self._scratch

    def bytes_received(self, count: int, flush_every_frame: bool = True) -> Iterator[Data]:
        """Take `count` bytes that were put at the start of `get_buffer()`; 0 is end of file."""
        if count == 0:
            return self.receive_eof()
        self._check()
        self._every_frame = flush_every_frame
        if not self._direct:
            return self._parse(self._scratch[:count])
        start, body = self._store.end, min(count, self._left)
        further = bytes(self._store.memory[start + body : start + count])
        self._add_to_frame(body)
        return self._parse(memoryview(further))

    def _check(self) -> None:
        if self._error is not None:
            raise copy(self._error)

    def _parse(self, data: memoryview) -> Iterator[Data]:
        position, end = 0, len(data)
        try:
            while position < end:
                position = _READERS[self._state](self, data, position)
        except PandAError as error:
            self._events += self._store.take()
            self._state, self._error = DataState.ERROR, error
        events, self._events = self._events, []
        return iter(events) if self._error is None else _deliver(events, self._error)

    def _read_status(self, data: memoryview, position: int) -> int:
        line, position = self._text.until(b"\n", _MAX_LINE, data, position, self._state.value)
        if line is None:
            return position
        if line.startswith(b"ERR "):
            words = line[4:].decode("utf-8", "replace").strip()
            raise CommandError(f"data port: {self._options!r} refused: {words}", reason=words)
        if line != b"OK\n":
            raise ProtocolError(f"data port: answer {line!r}, neither OK nor ERR: not a PandA?")
        self._state = DataState.HEADER
        self._events.append(ReadyData())
        return position

    def _read_header(self, data: memoryview, position: int) -> int:
        text, position = self._text.until(
            _END_OF_HEADER, self._max_header, data, position, self._state.value
        )
        start = self._text if text is None else text
        if not _START_OF_HEADER.startswith(start[: len(_START_OF_HEADER)]):
            raise ProtocolError(f"data port: {bytes(start[:80])!r} where an XML header was due")
        if text is None:
            return position
        header = parse_header(text)
        self._store.start(frame_layout(header))
        self._frame_bytes = 0
        self._state = DataState.TAG
        self._events.append(header)
        return position

    def _read_tag(self, data: memoryview, position: int) -> int:
        """Take all whole frames that there are, or else a head."""
        if not self._text:
            size = self._frame_bytes
            sizes = [size] * copy_run(self._store, data, position, size)
            sizes = sizes or copy_frames(self._store, data, position)
            if sizes:
                return position + self._keep_frames(sizes)
        return self._read_head(data, position)

    def _read_head(self, data: memoryview, position: int) -> int:
        """Gather the 8 bytes of a head, and judge them."""
        missing = HEAD_BYTES - len(self._text)
        self._text += data[position : position + missing]
        if len(self._text) == HEAD_BYTES:
            self._begin(*HEAD.unpack(self._text))
        return min(position + missing, len(data))

    def _keep_frames(self, sizes: list[int]) -> int:
        """Note that samples of so many bytes were copied; returns how long their frames were."""
        if self._every_frame:
            self._events += self._store.take()
        total = sum(sizes)
        self._frame_bytes = sizes[-1]
        self._store.end += total
        self._store.commit()
        if self._every_frame:
            self._events += self._store.take_each(sizes)
        return total + HEAD_BYTES * len(sizes)

    def _begin(self, tag: bytes, length: int) -> None:
        """Begin the frame, or the END line, that these 8 bytes open."""
        if tag == _END:
            self._state = DataState.END
            return
        size = length - HEAD_BYTES
        if tag != FRAME:
            raise ProtocolError(f"data port: {HEAD.pack(tag, length)!r} where BIN or END was due")
        if size < 0 or length > self._max_frame:
            raise ProtocolError(
                f"data port: frame of {length} bytes, not of {HEAD_BYTES} to {self._max_frame}"
            )
        if size % self._store.row_bytes:
            raise ProtocolError(
                f"data port: frame of {size} bytes is not whole samples of {self._store.row_bytes}"
            )
        if size > self._store.room:
            self._events += self._store.make_room(size)
        self._text.clear()
        self._frame_bytes = self._left = size
        self._state = DataState.FRAME if size else DataState.TAG

    def _read_samples(self, data: memoryview, position: int) -> int:
        taken = min(self._left, len(data) - position)
        start = self._store.end
        self._store.memory[start : start + taken] = data[position : position + taken]
        self._add_to_frame(taken)
        return position + taken

    def _add_to_frame(self, size: int) -> None:
        self._store.end += size
        self._left -= size
        if self._left == 0:
            self._state = DataState.TAG
            self._store.commit()
            if self._every_frame:
                self._events += self._store.take()

    def _read_end(self, data: memoryview, position: int) -> int:
        line, position = self._text.until(b"\n", _MAX_LINE, data, position, self._state.value)
        if line is None:
            return position
        end = parse_end(line)
        end.last_frame_samples = self._frame_bytes // self._store.row_bytes
        self._events += [*self._store.take(), end]
        self._state = DataState.HEADER
        return position


def _deliver(events: list[Data], error: PandAError) -> Iterator[Data]:
    yield from events
    raise error


_READERS: dict[DataState, Callable[[DataConnection, memoryview, int], int]] = {
    DataState.CONNECT: DataConnection._read_status,
    DataState.HEADER: DataConnection._read_header,
    DataState.TAG: DataConnection._read_tag,
    DataState.FRAME: DataConnection._read_samples,
    DataState.END: DataConnection._read_end,
}
