"""The writing thread's half of a capture: which samples go into the file, and when it is complete.

`FileCapture` has the other half, which other threads call. A queue is between the two.
"""

import logging
import os
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
from panda_ioc.errors import CaptureError, ConnectionLost, describe
from panda_ioc.protocol.responses import EndReason, StartData
from panda_ioc.threads import ThreadOwner

log = logging.getLogger(__name__)

END_SOON = 0.1
"""Seconds after the last sample asked for in which its frame may still prove to be corrupt."""


@dataclass(frozen=True)
class CaptureEnd:
    """An acquisition, or the capture, ends.

    Attributes:
        reason: why
        untrusted: samples at the end that may be corrupt
    """

    reason: EndReason
    untrusted: int = 0


CaptureEvent = StartData | Rows | CaptureEnd | Exception
"""What the queue brings; an exception is why nothing more will come."""


class FileRecording:
    """Writes what the queue brings to one file, until that has what was asked for.

    Args:
        settings: what and where to
        queue: brings it
        flush_period: tells the seconds between flushes
        on_change: called whenever `status` has changed

    Attributes:
        status: of the capture, without what is in the queue
    """

    def __init__(
        self,
        settings: CaptureSettings,
        queue: BoundedQueue[CaptureEvent],
        flush_period: Callable[[], float],
        on_change: Callable[[], None],
    ) -> None:
        self.status = CaptureStatus(path=settings.path)
        self._settings = settings
        self._queue = queue
        self._flush_period = flush_period
        self._on_change = on_change
        self._owner = ThreadOwner(f"the recording to {settings.path}")
        self._finished = False
        self._last: LastSamples | None = None
        self._joined: StartData | None = None
        self._left_out = 0
        self._flushing = Flushing()
        self._writer: HDF5Writer | None = None

    # -- before the writing thread starts -------------------------------------------------------

    def make_file(self) -> None:
        """Make the file; raise `CaptureError` if that cannot be."""
        self._settings.make_directory()
        self._writer = HDF5Writer(self._settings.path, self._settings.attributes)

    def wait_for_acquisition(self) -> None:
        """Show that whatever is armed from now on is captured."""
        self._set(state=CaptureState.READY, message=CaptureState.READY.value)

    # -- in the writing thread ------------------------------------------------------------------

    def run(self) -> str | None:
        """Work until the end; return what went wrong, if anything."""
        self._owner.check()
        try:
            self._work()
        except CaptureError as error:
            self._set(state=CaptureState.CLOSING, message=str(error))
            return str(error)
        except Exception as error:
            # Whatever it is (memory that is not to be had), the file is closed, and it is told.
            log.exception("capture to %s failed", self._settings.path)
            return describe(error)
        return None

    def close(self, fault: str | None) -> None:
        """Close the file, and show how the capture ended."""
        self._owner.check()
        reason = self.status.reason
        try:
            words = fault or (reason.value if reason else "")
            captured = self._file.close(words, self.status.acquisitions)
            self._set(captured=captured)
        except CaptureError as error:
            fault = fault or str(error)
        self._set(**outcome(self.status, fault, self._left_out))

    def fail(self, error: Exception) -> None:
        """Show that the file could not even be closed."""
        self._set(state=CaptureState.FAILED, message=describe(error))

    def _work(self) -> None:
        while not self._finished:
            event = self._queue.get(self._until_flush())
            if event is None:
                self._flush()
            elif isinstance(event, np.ndarray):
                self._take(event)
            elif isinstance(event, StartData):
                self._start_acquisition(event)
            elif isinstance(event, CaptureEnd):
                self._end_acquisition(event)
            else:
                if isinstance(event, ConnectionLost):
                    self._set(reason=EndReason.DISCONNECTED)
                raise CaptureError(str(event))
            if self._until_flush() == 0:
                self._flush()

    @property
    def _file(self) -> HDF5Writer:
        if self._writer is None:
            raise CaptureError(f"{self._settings.path}: not begun")
        return self._writer

    def _until_flush(self) -> float | None:
        if self._file.samples == self._file.flushed:
            return None
        return self._flushing.seconds_left(self._flush_period())

    def _flush(self) -> None:
        if not os.path.exists(self._settings.path):  # what is written now nobody will ever read
            raise CaptureError(f"{self._settings.path}: the file is gone")
        begun = time.monotonic()
        captured = self._file.flush()
        self._flushing.flushed(begun)
        self._set(captured=captured)

    # -- acquisitions ---------------------------------------------------------------------------

    def _start_acquisition(self, start: StartData) -> None:
        missed = self.status.missed + start.missed
        message = CaptureState.CAPTURING.value + (
            f", {missed} samples missed before" if missed else ""
        )
        number = self.status.acquisitions + 1
        if not start.missed and not self._take_header(start):
            return
        self._joined = start if start.missed else None
        self._set(state=CaptureState.CAPTURING, message=message, missed=missed, acquisitions=number)

    def _take_header(self, start: StartData) -> bool:
        """Define the file by the first header; a later header that differs ends the capture."""
        first = self.status.start
        if first is None:
            names, bits = self._settings.dataset_names, self._settings.bits
            datasets = datasets_of(columns_of(start), names, bits)
            self._file.begin(start, datasets, self._expected())
            self._set(start=start, datasets=datasets, chunk=self._file.chunk)
            if self._settings.mode is Mode.LAST_N:
                self._last = LastSamples(self._settings.num, start)
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
            missed=self.status.missed - joined.missed,
            acquisitions=self.status.acquisitions - 1,
        )

    def _expected(self) -> int:
        return 0 if self._settings.mode is Mode.FOREVER else self._settings.num

    def _take(self, rows: Rows) -> None:
        if not len(rows) or not self._is_in_file():
            return
        mode, num = self._settings.mode, self._settings.num
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
        if isinstance(event, CaptureEnd) and event.untrusted > beyond:
            self._end_acquisition(replace(event, untrusted=event.untrusted - beyond))
        else:
            self._finish(EndReason.OK)

    def _end_acquisition(self, end: CaptureEnd) -> None:
        if self._joined is not None and end.reason.is_good:
            self._leave(self._joined)
            return
        self._left_out = end.untrusted
        if self._last is not None:
            for rows in self._last.rows(end.untrusted):
                self._file.write(rows)
        elif end.untrusted:
            self._file.remove_last(end.untrusted)
        goes_on = self._settings.mode is Mode.FOREVER and end.reason.is_good
        if goes_on:
            self._flush()
            self._set(state=CaptureState.READY, message=CaptureState.READY.value, reason=end.reason)
        else:
            self._finish(end.reason)

    def _finish(self, reason: EndReason) -> None:
        self._finished = True
        self._set(state=CaptureState.CLOSING, message=CaptureState.CLOSING.value, reason=reason)

    def _set(self, **changes: object) -> None:
        self.status = replace(self.status, **changes)  # type: ignore[arg-type]
        self._on_change()
