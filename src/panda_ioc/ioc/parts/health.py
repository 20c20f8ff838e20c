"""The bridge's own health as records `IOC:*`, beside those of devIocStats."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from panda_ioc.capture.scaling import Rows
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.connection import Connection
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.base import Part
from panda_ioc.ioc.parts.panel import Panel
from panda_ioc.ioc.parts.puts import Puts
from panda_ioc.protocol.responses import EndReason, StartData
from panda_ioc.records import own

log = logging.getLogger(__name__)

PERIOD = 1.0  # seconds between updates
_OVERRUNS = (EndReason.DATA_OVERRUN, EndReason.DRIVER_DATA_OVERRUN)


class DataCounter:
    """Counts what the data port brings; a `Sink`, called in the receiving thread."""

    def __init__(self) -> None:
        self.octets = self.pieces = self.overruns = 0

    def start(self, start: StartData) -> None:
        """Note that an acquisition begins."""

    def samples(self, rows: Rows) -> None:
        """Count samples."""
        self.octets += rows.nbytes
        self.pieces += 1

    def end(self, reason: EndReason, untrusted: int) -> None:
        """Count the end of the acquisition."""
        self.overruns += reason in _OVERRUNS

    def closed(self, error: Exception | None) -> None:
        """Note that the stream has ended."""


class LastError(logging.Handler):
    """Keeps the last warning or error that was logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text, self.time = "", 0.0

    def emit(self, record: logging.LogRecord) -> None:
        self.text, self.time = record.getMessage(), record.created


class Health(Part):
    """Shows the counters once a second."""

    def __init__(self, connection: Connection, puts: Puts, queue_depth: Callable[[], int]) -> None:
        self._queue_depth = queue_depth
        self.counter = DataCounter()
        self._connection = connection
        self._puts = puts
        self._errors = LastError()
        self._panel = Panel()

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        self._panel.attach(records)

    async def run(self) -> None:
        """Show changes once a second, forever."""
        package = logging.getLogger(__package__.partition(".")[0])
        package.addHandler(self._errors)
        try:
            octets, then = self.counter.octets, time.monotonic()
            while True:
                await asyncio.sleep(PERIOD)
                now = time.monotonic()
                self._show(rate=(self.counter.octets - octets) / (now - then) / 1e6)
                octets, then = self.counter.octets, now
        finally:
            package.removeHandler(self._errors)

    def _show(self, rate: float) -> None:
        values: dict[str, float | str] = {
            own.IOC_RECONNECTS: self._connection.reconnects,
            own.IOC_PUTS: self._connection.puts,
            own.IOC_REFUSED_PUTS: self._puts.refusals,
            own.IOC_POLL_TIME: self._connection.feed.last_duration * 1e3,
            own.IOC_DATA_RATE: rate,
            own.IOC_FRAMES: self.counter.pieces,
            own.IOC_OVERRUNS: self.counter.overruns,
            own.IOC_QUEUE_DEPTH: self._queue_depth(),
            own.IOC_LAST_ERROR: self._errors.text,
            own.IOC_LAST_ERROR_TIME: _iso(self._errors.time),
        }
        for name, value in values.items():
            self._panel.show(name, value)


def _iso(stamp: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(stamp)) if stamp else ""
