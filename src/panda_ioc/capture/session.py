"""One capture to one file, as the ``DATA:*`` records control it: settings, start, stop, status.

    DataStream (receiving thread) --> bounded queue --> writing thread --> HDF5Writer

`begin` makes the file, so that everything that can be wrong with it is said before anything is
armed. A capture ends by itself when it has what was asked for (`Mode`) or with the first thing that
goes wrong, else with `stop`; the file is closed before `busy` of its status becomes false.

When the queue is full the receiving thread waits, so nothing is lost on our side: the PandA buffers
and, if that lasts, ends the acquisition with Data overrun. `queue_peak` shows it coming.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from panda_ioc.capture._flushing import Flushing
from panda_ioc.capture._last import LastSamples
from panda_ioc.capture._queue import BoundedQueue
from panda_ioc.capture.datasets import datasets_of
from panda_ioc.capture.hdf5 import HDF5Writer
from panda_ioc.capture.scaling import Rows, columns_of
from panda_ioc.capture.settings import CaptureSettings, Mode
from panda_ioc.capture.status import CaptureState, CaptureStatus, outcome
from panda_ioc.capture.stream import DataStream
from panda_ioc.errors import CaptureError, ConnectionLost, describe
from panda_ioc.protocol.responses import EndReason, StartData

log = logging.getLogger(__name__)

QUEUE_BYTES = 256 << 20
"""Raw samples that may wait for the disk, by default: 2.5 s at 100 MB/s."""
END_SOON = 0.1
"""Seconds after the last sample asked for in which its frame may still prove to be corrupt."""


@dataclass(frozen=True)
class _End:
    reason: EndReason
    untrusted: int = 0


@dataclass(frozen=True)
class _Fault:
    error: Exception


_Event = StartData | Rows | _End | _Fault


class FileCapture:
    """Captures acquisitions of a stream to one file; a `Sink`. Make a new one for the next file.

    Args:
        settings: what and where to; `flush_period` may be changed while it runs
        on_change: called with the new status whenever the file, or the state, has changed; in the
            writing thread, so it must be quick, and must not call `stop`
        queue_bytes: bound of the queue
    """

    def __init__(
        self,
        settings: CaptureSettings,
        on_change: Callable[[CaptureStatus], None] | None = None,
        queue_bytes: int = QUEUE_BYTES,
    ) -> None:
        self.settings = settings
        self._on_change = on_change
        self._queue: BoundedQueue[_Event] = BoundedQueue(queue_bytes)
        self._status = CaptureStatus(queue_limit=queue_bytes, path=settings.path)
        self._received = 0
        self.flush_period = settings.flush_period
        self._finished = self._warned = False
        self._last: LastSamples | None = None
        self._joined: StartData | None = None
        self._left_out = 0
        self._flushing = Flushing()
        self._writer: HDF5Writer | None = None
        self._stream: DataStream | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="panda file writer", daemon=True)

    @property
    def status(self) -> CaptureStatus:
        """The status at this moment."""
        return replace(
            self._status,
            received=self._received,
            queued=self._queue.queued,
            queue_peak=self._queue.peak,
        )

    def begin(self, stream: DataStream, over: int = 0) -> None:
        """Make the file and take acquisitions from now on, including the one that runs.

        Args:
            stream: brings them
            over: number of an acquisition of the stream that is not to be joined, as it is over on
                the PandA

        Raises:
            ConfigurationError: settings that cannot be
            CaptureError: the file cannot be made
            ConnectionLost: the stream has ended
        """
        self.settings.check()
        if not stream.alive:
            raise ConnectionLost("no connection to the data port")
        self.settings.make_directory()
        self._writer = HDF5Writer(self.settings.path, self.settings.attributes)
        self._stream = stream
        stream.add(self, over)
        # Not before: who hears this may arm at once.
        self._set(state=CaptureState.READY, message=CaptureState.READY.value)
        try:
            self._thread.start()
        except RuntimeError as error:  # the system has no more threads
            self._close(str(error))
            raise CaptureError(f"{self.settings.path}: {error}") from error

    def stop(self, timeout: float = 30.0) -> CaptureStatus:
        """Stop taking samples, write the queue, close the file; return how it ended."""
        self._queue.put(_End(EndReason.MANUALLY_STOPPED))
        return self.wait(timeout)

    def wait(self, timeout: float | None = None) -> CaptureStatus:
        """Wait until the capture has ended and its file is closed; return how it ended."""
        if self._thread.ident is not None:
            # Not `join`: a signal handler that raises in it makes Python think the thread is over.
            self._closed.wait(timeout)
        return self.status

    def start(self, start: StartData) -> None:
        """Sink: an acquisition begins."""
        self._queue.put(start)

    def samples(self, rows: Rows) -> None:
        """Sink: queue samples; wait while the queue is full."""
        self._received += len(rows)
        self._queue.put(rows, rows.nbytes)
        if self._queue.queued > self._status.queue_limit // 2 and not self._warned:
            self._warned = True
            log.warning("capture to %s: the disk is slow: queue half full", self.settings.path)

    def end(self, reason: EndReason, untrusted: int) -> None:
        """Sink: the acquisition is over."""
        self._queue.put(_End(reason, untrusted))

    def closed(self, error: Exception | None) -> None:
        """Sink: no more will come."""
        self._queue.put(_Fault(error) if error else _End(EndReason.MANUALLY_STOPPED))

    # From here on in the writing thread.

    def _run(self) -> None:
        try:
            self._close(self._fault_in_work())
        except Exception as error:
            log.exception("capture to %s: could not be closed", self.settings.path)
            self._set(state=CaptureState.FAILED, message=describe(error))
        finally:
            self._closed.set()

    def _fault_in_work(self) -> str | None:
        """Work until the end; return the error, if any."""
        try:
            self._work()
        except CaptureError as error:
            self._set(state=CaptureState.CLOSING, message=str(error))
            return str(error)
        except Exception as error:
            # Whatever it is (memory that is not to be had), the file is closed, and it is told.
            log.exception("capture to %s failed", self.settings.path)
            return describe(error)
        return None

    def _work(self) -> None:
        while not self._finished:
            event = self._queue.get(self._until_flush())
            if event is None:
                self._flush()
            elif isinstance(event, np.ndarray):
                self._take(event)
            elif isinstance(event, StartData):
                self._start_acquisition(event)
            elif isinstance(event, _End):
                self._end_acquisition(event)
            else:
                if isinstance(event.error, ConnectionLost):
                    self._set(reason=EndReason.DISCONNECTED)
                raise CaptureError(str(event.error))
            if self._until_flush() == 0:
                self._flush()

    @property
    def _file(self) -> HDF5Writer:
        if self._writer is None:
            raise CaptureError(f"{self.settings.path}: not begun")
        return self._writer

    def _until_flush(self) -> float | None:
        if self._file.samples == self._file.flushed:
            return None
        return self._flushing.seconds_left(self.flush_period)

    def _flush(self) -> None:
        if not os.path.exists(self.settings.path):  # what is written now nobody will ever read
            raise CaptureError(f"{self.settings.path}: the file is gone")
        begun = time.monotonic()
        captured = self._file.flush()
        self._flushing.flushed(begun)
        self._set(captured=captured)

    def _start_acquisition(self, start: StartData) -> None:
        missed = self._status.missed + start.missed
        message = CaptureState.CAPTURING.value + (
            f", {missed} samples missed before" if missed else ""
        )
        number = self._status.acquisitions + 1
        if not start.missed and not self._take_header(start):
            return
        self._joined = start if start.missed else None
        self._set(state=CaptureState.CAPTURING, message=message, missed=missed, acquisitions=number)

    def _take_header(self, start: StartData) -> bool:
        """Define the file by the first header; a later header that differs ends the capture."""
        first = self._status.start
        if first is None:
            names, bits = self.settings.dataset_names, self.settings.bits
            datasets = datasets_of(columns_of(start), names, bits)
            self._file.begin(start, datasets, self._expected())
            self._set(start=start, datasets=datasets, chunk=self._file.chunk)
            if self.settings.mode is Mode.LAST_N:
                self._last = LastSamples(self.settings.num, start)
        elif start.fields != first.fields or start.process != first.process:
            self._finish(EndReason.START_DATA_MISMATCH)
            return False
        return True

    def _is_in_file(self) -> bool:
        """Whether the file takes this acquisition; one joined late needs a sample first."""
        joined, self._joined = self._joined, None
        return joined is None or self._take_header(joined)

    def _leave(self, joined: StartData) -> None:
        """Forget an acquisition that ended as we joined it; the capture takes the next one."""
        self._joined = None
        self._set(
            state=CaptureState.READY,
            message=CaptureState.READY.value,
            missed=self._status.missed - joined.missed,
            acquisitions=self._status.acquisitions - 1,
        )

    def _expected(self) -> int:
        return 0 if self.settings.mode is Mode.FOREVER else self.settings.num

    def _take(self, rows: Rows) -> None:
        if not len(rows) or not self._is_in_file():
            return
        mode, num = self.settings.mode, self.settings.num
        if self._last is not None:
            self._last.add(rows)
            return
        if mode is not Mode.FIRST_N or not num:
            self._file.write(rows)
            return
        wanted = rows[: num - self._file.samples]
        self._file.write(wanted)
        if self._file.samples == num:
            self._complete(len(rows) - len(wanted))

    def _complete(self, beyond: int) -> None:
        """All that was asked for is there; unless an overrun follows, for which the last frame of
        the acquisition is not trusted: but the last `beyond` samples of it we have not taken."""
        event = self._queue.get(END_SOON)
        if isinstance(event, _End) and event.untrusted > beyond:
            self._end_acquisition(replace(event, untrusted=event.untrusted - beyond))
        else:
            self._finish(EndReason.OK)

    def _end_acquisition(self, end: _End) -> None:
        if self._joined is not None and end.reason.is_good:
            self._leave(self._joined)
            return
        self._left_out = end.untrusted
        if self._last is not None:
            for rows in self._last.rows(end.untrusted):
                self._file.write(rows)
        elif end.untrusted:
            self._file.remove_last(end.untrusted)
        goes_on = self.settings.mode is Mode.FOREVER and end.reason.is_good
        if goes_on:
            self._flush()
            self._set(state=CaptureState.READY, message=CaptureState.READY.value, reason=end.reason)
        else:
            self._finish(end.reason)

    def _finish(self, reason: EndReason) -> None:
        self._finished = True
        self._set(state=CaptureState.CLOSING, message=CaptureState.CLOSING.value, reason=reason)

    def _close(self, fault: str | None) -> None:
        # First the queue: the receiving thread may wait in it, holding the stream's lock.
        self._queue.close()
        if self._stream is not None:
            self._stream.remove(self)
        reason = self._status.reason
        try:
            words = fault or (reason.value if reason else "")
            captured = self._file.close(words, self._status.acquisitions)
            self._set(captured=captured)
        except CaptureError as error:
            fault = fault or str(error)
        self._set(**outcome(self._status, fault, self._left_out))

    def _set(self, **changes: object) -> None:
        self._status = replace(self._status, **changes)  # type: ignore[arg-type]
        if self._on_change is not None:
            self._on_change(self.status)
