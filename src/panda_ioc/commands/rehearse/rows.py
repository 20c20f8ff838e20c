"""Rows as the data port gives them, and the file that is made of them."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from panda_ioc import __version__
from panda_ioc.capture.datasets import datasets_of
from panda_ioc.capture.hdf5 import HDF5Writer
from panda_ioc.capture.scaling import columns_of
from panda_ioc.protocol.connections import DataConnection
from panda_ioc.protocol.responses import Data, EndData, FrameData, StartData
from panda_ioc.sim.acquisition import Acquisition
from panda_ioc.sim.formats import DataEncoder, parse_options
from panda_ioc.sim.pcap import SimCapture


class LocalData:
    """The data port of a simulated PandA without a socket: the same bytes, read in this process."""

    def __init__(self, capture: SimCapture) -> None:
        self._capture = capture
        self._exit = ExitStack()
        self._client = self._exit.enter_context(capture.client())
        self._connection = DataConnection()
        self._options = parse_options(self._connection.connect(scaled=False).decode().strip())
        list(self._connection.receive_bytes(b"OK\n"))
        self._acquisition: Acquisition | None = None
        self._position = 0
        self._over = False

    def close(self) -> None:
        """Take no more."""
        self._exit.close()

    def poll(self) -> Iterator[Data]:
        """Yield what has come since the last time."""
        if self._over:
            return
        if self._acquisition is None:
            self._acquisition = self._capture.next_for(self._client, 0)
            if self._acquisition is None:
                return
            self._stream = DataEncoder(self._acquisition, self._options)
            yield from self._connection.receive_bytes(self._stream.header(0))
        yield from self._samples(self._acquisition)

    def _samples(self, acquisition: Acquisition) -> Iterator[Data]:
        most = self._stream.most_samples()
        while True:
            progress = self._capture.progress(acquisition, self._position, most)
            if progress.end > self._position:
                for piece in self._stream.samples(self._position, progress.end):
                    yield from self._connection.receive_bytes(piece)
            is_full = progress.end - self._position == most
            self._position = progress.end
            if progress.reason:
                end = f"END {self._position} {progress.reason}\n"
                yield from self._connection.receive_bytes(end.encode())
                self._capture.finish(self._client)
                self._over = True
                return
            if not is_full:
                return


class RowStore:
    """Counts the rows of an acquisition, and writes them to a file if one is asked for.

    Attributes:
        count: rows so far
        reason: how the acquisition ended, "" while it goes on
        start: what the header said
    """

    def __init__(self, path: Path | None, expected: int, layout: str) -> None:
        self.count = 0
        self.reason = ""
        self.start: StartData | None = None
        self._expected = expected
        attributes = {"panda_ioc_version": __version__, "rehearsal_of": layout}
        self._writer = HDF5Writer(path, attributes, replace=True) if path else None

    def take(self, event: Data) -> None:
        """Take an event of the data port."""
        if isinstance(event, StartData):
            self.start = event
            if self._writer:
                datasets = datasets_of(columns_of(event), {}, {})
                self._writer.begin(event, datasets, self._expected)
        elif isinstance(event, FrameData):
            self.count += len(event.data)
            if self._writer:
                self._writer.write(event.data)
        elif isinstance(event, EndData):
            self.reason = event.reason.value

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._writer:
            self._writer.close(self.reason)
