"""One capture to one file, as the ``DATA:*`` records control it: settings, start, stop, status.

    DataStream (receiving thread) --> bounded queue --> writing thread --> HDF5Writer

`begin` makes the file, so that everything that can be wrong with it is said before anything is
armed. A capture ends by itself when it has what was asked for (`Mode`) or with the first thing that
goes wrong, else with `stop`; the file is closed before `busy` of its status becomes false.

When the queue is full the receiving thread waits, so nothing is lost on our side: the PandA buffers
and, if that lasts, ends the acquisition with Data overrun. `queue_peak` shows it coming.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from panda_ioc.capture._queue import BoundedQueue
from panda_ioc.capture._recording import CaptureEnd, CaptureEvent, FileRecording
from panda_ioc.capture.scaling import Rows
from panda_ioc.capture.settings import CaptureSettings
from panda_ioc.capture.status import CaptureStatus
from panda_ioc.capture.stream import DataStream
from panda_ioc.errors import CaptureError, ConnectionLost
from panda_ioc.protocol.responses import EndReason, StartData
from panda_ioc.threads import ThreadOwner

log = logging.getLogger(__name__)

QUEUE_BYTES = 256 << 20
"""Raw samples that may wait for the disk, by default: 2.5 s at 100 MB/s."""


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
        self._limit = queue_bytes
        self._queue: BoundedQueue[CaptureEvent] = BoundedQueue(queue_bytes)
        self._recording = FileRecording(
            settings, self._queue, lambda: self.flush_period, self._changed
        )
        self._received = 0
        self._receiver = ThreadOwner(f"what {settings.path} gets")
        self.flush_period = settings.flush_period
        self._warned = False
        self._stream: DataStream | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="panda file writer", daemon=True)

    @property
    def status(self) -> CaptureStatus:
        """The status at this moment."""
        return replace(
            self._recording.status,
            received=self._received,
            queued=self._queue.queued,
            queue_peak=self._queue.peak,
            queue_limit=self._limit,
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
        self._recording.make_file()
        self._stream = stream
        stream.add(self, over)
        # Not before: who hears this may arm at once.
        self._recording.wait_for_acquisition()
        try:
            self._thread.start()
        except RuntimeError as error:  # the system has no more threads
            self._close(str(error))
            raise CaptureError(f"{self.settings.path}: {error}") from error

    def stop(self, timeout: float = 30.0) -> CaptureStatus:
        """Stop taking samples, write the queue, close the file; return how it ended."""
        self._queue.put(CaptureEnd(EndReason.MANUALLY_STOPPED))
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
        self._receiver.check()
        self._received += len(rows)
        self._queue.put(rows, rows.nbytes)
        if self._queue.queued > self._limit // 2 and not self._warned:
            self._warned = True
            log.warning("capture to %s: the disk is slow: queue half full", self.settings.path)

    def end(self, reason: EndReason, untrusted: int) -> None:
        """Sink: the acquisition is over."""
        self._receiver.check()
        self._queue.put(CaptureEnd(reason, untrusted))

    def closed(self, error: Exception | None) -> None:
        """Sink: no more will come."""
        self._queue.put(error or CaptureEnd(EndReason.MANUALLY_STOPPED))

    def _run(self) -> None:
        """Write; called by the writing thread."""
        try:
            self._close(self._recording.run())
        except Exception as error:
            log.exception("capture to %s: could not be closed", self.settings.path)
            self._recording.fail(error)
        finally:
            self._closed.set()

    def _close(self, fault: str | None) -> None:
        # First the queue: the receiving thread may wait in it, holding the stream's lock.
        self._queue.close()
        if self._stream is not None:
            self._stream.remove(self)
        self._recording.close(fault)

    def _changed(self) -> None:
        if self._on_change is not None:
            self._on_change(self.status)
