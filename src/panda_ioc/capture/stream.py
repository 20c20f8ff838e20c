"""One thread that receives from the data port and hands on to the sinks.

A sink gets, for each acquisition, `start`, `samples` as they come, and `end` exactly once, whatever
happens: a connection that is cut in the middle, or an error in the receiving thread, ends it with
`EndReason.DISCONNECTED`. A sink added in the middle of an acquisition joins it there; its `missed`
then counts what had gone by.

Sinks are called in the receiving thread. One that blocks holds up the stream: the PandA then
buffers, and says Data overrun if that lasts. One that raises is taken out, and gets the exception
in `closed`; the others go on.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from panda_ioc.capture.scaling import Rows
from panda_ioc.client.data import DataSocket
from panda_ioc.errors import CaptureError, ConnectionLost, PandAError, describe
from panda_ioc.protocol.responses import Data, EndData, EndReason, FrameData, StartData

log = logging.getLogger(__name__)

_CORRUPTING = frozenset(
    {
        EndReason.DATA_OVERRUN,
        EndReason.DRIVER_DATA_OVERRUN,
        EndReason.DMA_DATA_ERROR,
    }
)
"""After these the last frame of a raw acquisition may be corrupt."""
_LOOK = 0.002  # seconds between looks whether everything has been handed on


class Sink(Protocol):
    """Takes acquisitions; called in the receiving thread."""

    def start(self, start: StartData) -> None:
        """Note that an acquisition begins."""

    def samples(self, rows: Rows) -> None:
        """More samples: a view that stays as it is, and keeps megabytes alive while it is kept."""

    def end(self, reason: EndReason, untrusted: int) -> None:
        """An acquisition has ended; its last `untrusted` samples may be corrupt."""

    def closed(self, error: Exception | None) -> None:
        """No more will come: the connection was lost or closed (None), or the sink has raised."""


class DataStream:
    """Hands acquisitions of one PandA to sinks, in a thread of its own.

    Args:
        connection: ready for acquisitions; the stream owns it from now on
        on_closed: called once, in the receiving thread, when the stream has ended: with the error,
            or None after `close`. Connecting again is up to the caller
    """

    def __init__(
        self, connection: DataSocket, on_closed: Callable[[Exception | None], None] | None = None
    ) -> None:
        self._connection = connection
        self._on_closed = on_closed
        self._lock = threading.RLock()
        self._sinks: list[Sink] = []
        self._later: list[Sink] = []
        self._start: StartData | None = None
        self._number = 0
        self._received = 0
        self._turns = 0  # odd while what was received is handed on
        self._closing = self._ended = False
        self._thread = threading.Thread(target=self._run, name="panda data port", daemon=True)

    def open(self) -> "DataStream":
        """Begin to receive."""
        self._thread.start()
        return self

    def close(self, timeout: float = 5.0) -> None:
        """Close the connection and wait for the thread; a sink must not call this."""
        self._closing = True
        self._connection.close()
        self._thread.join(timeout)

    @property
    def alive(self) -> bool:
        """Whether acquisitions will be received."""
        return self._thread.is_alive() and not self._ended

    @property
    def running(self) -> StartData | None:
        """The running acquisition, or None."""
        return self._start

    @property
    def received(self) -> int:
        """Samples of the running or last acquisition."""
        return self._received

    @property
    def current(self) -> int:
        """Number of the running acquisition: 1, 2, ...; 0 if none runs."""
        with self._lock:
            return 0 if self._start is None else self._number

    def settle(self, timeout: float) -> None:
        """Wait at most `timeout` seconds until everything received by now is handed on."""
        deadline = time.monotonic() + timeout
        while self.alive and time.monotonic() < deadline:
            turns = self._turns
            is_idle = turns % 2 == 0 and not self._connection.wait(0)
            if is_idle and turns == self._turns:  # nor has anything come and gone meanwhile
                return
            time.sleep(_LOOK)

    def add(self, sink: Sink, over: int = 0) -> None:
        """Hand acquisitions to `sink` too, starting in the middle of one that runs.

        If the stream has ended meanwhile the sink is told so, as all others were.

        Args:
            sink: takes them
            over: `current` when the PandA said that its acquisition is over: the rest of that one
                is none of the sink's business
        """
        with self._lock:
            if self._ended:
                sink.closed(ConnectionLost("the connection to the data port has ended"))
                return
            if self._start is not None and self._number == over:
                self._later.append(sink)
                return
            self._sinks.append(sink)
            if self._start is not None:
                late = replace(self._start, missed=self._start.missed + self._received)
                self._tell(sink, lambda: sink.start(late))

    def remove(self, sink: Sink) -> None:
        """Remove a sink: it gets nothing more once this returns, not even `end`."""
        with self._lock:
            for sinks in (self._sinks, self._later):
                if sink in sinks:
                    sinks.remove(sink)

    def _run(self) -> None:
        error: Exception | None = None
        try:
            while True:
                self._connection.wait()
                self._turns += 1  # before bytes are taken: `settle` sees them, or that they are
                events = self._connection.receive()
                with self._lock:
                    for event in events:
                        self._hand_on(event)
                self._turns += 1
        except PandAError as failure:
            error = None if self._closing else failure
        except Exception as failure:
            # Whatever it is (memory that is not to be had), it must not end in silence.
            log.exception("data port: the receiving thread failed")
            error = CaptureError(f"data port: {describe(failure)}")
        finally:
            self._finish(error)

    def _finish(self, error: Exception | None) -> None:
        self._connection.close()
        try:
            with self._lock:
                self._ended = True
                self._end_all(error)
        finally:
            if self._on_closed is not None:
                self._on_closed(error)
            elif error is not None:
                log.warning("%s", error)

    def _end_all(self, error: Exception | None) -> None:
        self._end(EndReason.MANUALLY_STOPPED if self._closing else EndReason.DISCONNECTED, 0)
        self._sinks += self._later
        self._tell_all(lambda sink: sink.closed(error))
        self._sinks.clear()
        self._later.clear()

    def _hand_on(self, event: Data) -> None:
        if isinstance(event, FrameData):
            self._received += len(event.data)
            rows = event.data
            self._tell_all(lambda sink: sink.samples(rows))
        elif isinstance(event, StartData):
            start = self._start = event
            self._number += 1
            self._received = 0
            self._sinks += self._later
            self._later.clear()
            self._tell_all(lambda sink: sink.start(start))
        elif isinstance(event, EndData):
            if event.samples != self._received:
                log.warning("END tells of %d samples, %d came", event.samples, self._received)
            corrupt = event.reason in _CORRUPTING and self._process == "Raw"
            self._end(event.reason, event.last_frame_samples if corrupt else 0)

    @property
    def _process(self) -> str:
        return "" if self._start is None else self._start.process

    def _end(self, reason: EndReason, untrusted: int) -> None:
        if self._start is not None:
            self._start = None
            self._tell_all(lambda sink: sink.end(reason, untrusted))

    def _tell_all(self, call: Callable[[Sink], None]) -> None:
        for sink in tuple(self._sinks):
            self._tell(sink, lambda sink=sink: call(sink))  # type: ignore[misc]

    def _tell(self, sink: Sink, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:
            # A sink is somebody else's code: its fault must end neither the stream nor the others.
            log.warning("%s: %s", type(sink).__name__, error)
            self.remove(sink)
            sink.closed(error)
