"""Live data: `FIELD:DATA:KIND` waveforms and their controls `DATA:LIVE:*`.

A window keeps the samples to be shown, fed by the receiving thread at any rate. Every period what
has changed is scaled and posted, in a thread of its own: neither the stream nor puts wait for it.
"""

import asyncio
import logging
import math
import time
from collections.abc import Mapping

from panda_ioc.capture.live import Keep, LiveWindow, Snapshot
from panda_ioc.capture.stream import DataStream
from panda_ioc.errors import BadValue, describe
from panda_ioc.ioc.epics.alarms import COMM, INVALID, MAJOR, NO_ALARM, STATE, Alarm
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.data_port import DataPort
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.base import Part
from panda_ioc.ioc.parts.panel import Panel
from panda_ioc.ioc.parts.settings import Apply
from panda_ioc.records import own
from panda_ioc.records.bridge import LIVE_CAPACITY, LIVE_KEEP
from panda_ioc.records.live import live_name

log = logging.getLogger(__name__)

USER = "live"
SHORTEST_PERIOD = 0.01
HOLDS = 0.5  # seconds for which a connection must hold to be called good after one was lost
_KEEPS = (Keep.LATEST, Keep.FIRST)


class Live(Part):
    """Shows captured data as they arrive."""

    def __init__(self, port: DataPort) -> None:
        self.window = LiveWindow()
        self._port = port
        self._period = 0.1
        self._enabled = False
        self._stream: DataStream | None = None
        self._records: Mapping[str, Record] = {}
        self._panel = Panel()
        self._shown: set[str] = set()
        self._updates = 0
        self._is_lost = False
        self._ready_at = math.inf
        self._version = self._acquisition = -1

    def settings(self) -> Mapping[str, Apply]:
        """What a put to each control does, by record."""
        return {
            own.DATA_LIVE_ENABLE: self._enable,
            own.DATA_LIVE_KEEP: self._set_keep,
            own.DATA_LIVE_LENGTH: self._set_length,
            own.DATA_LIVE_PERIOD: self._set_period,
        }

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        self._records = records
        self._panel.attach(records)

    # -- the stream -----------------------------------------------------------------------------

    def opened(self, stream: DataStream) -> None:
        """Join a new stream."""
        self._stream = stream
        self.window.failed = False
        if self._enabled:
            stream.add(self.window)
        self._show_soon()

    def closed(self, why: str) -> None:
        """Show that the data may be out of date: the stream has ended or could not be opened."""
        self._stream = None
        self._ready_at = math.inf
        if why and self._enabled:
            self._is_lost = True
            self._panel.show(own.DATA_LIVE_STATE, "Disconnected", Alarm(INVALID, COMM, why))
        else:
            self._panel.show(own.DATA_LIVE_STATE, "Off")

    def _show_soon(self) -> None:
        """Show that live data is ready, after a pause if the port was lost just now."""
        if self._is_lost:
            self._ready_at = time.monotonic() + HOLDS
        else:
            self._show_ready()

    def _show_ready(self) -> None:
        self._ready_at, self._is_lost = math.inf, False
        self._panel.show(
            own.DATA_LIVE_STATE, "Waiting for an acquisition" if self._enabled else "Off"
        )

    # -- controls -------------------------------------------------------------------------------

    def _enable(self, value: int) -> int:
        if value not in (0, 1):
            raise BadValue(f"{value} is neither Off nor On")
        self._enabled = bool(value)
        if self._stream is not None:
            self._stream.remove(self.window)
            if value:
                self._stream.add(self.window)
        if self._stream is not None or not value:
            self._show_ready()
        (self._port.want if value else self._port.release)(USER)
        return value

    def _set_keep(self, value: int) -> int:
        if not 0 <= value < len(_KEEPS):
            raise BadValue(f"{value} is none of {', '.join(LIVE_KEEP)}")
        self.window.configure(keep=_KEEPS[value])
        return value

    def _set_length(self, value: int) -> int:
        if not 1 <= value <= LIVE_CAPACITY:
            raise BadValue(f"{value} samples: give 1 to {LIVE_CAPACITY}")
        self.window.configure(size=value)
        return value

    def _set_period(self, value: float) -> float:
        if not math.isfinite(value) or value < SHORTEST_PERIOD:
            raise BadValue(f"{value:g} s: give {SHORTEST_PERIOD:g} or more")
        self._period = value
        return value

    # -- updates --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Show changes once a period, forever."""
        while True:
            start = time.monotonic()
            if start >= self._ready_at:
                self._show_ready()
            if self.window.version != self._version:
                await self._refresh()
            self._join_again()
            await asyncio.sleep(max(0.0, start + self._period - time.monotonic()))

    async def _refresh(self) -> None:
        try:
            snapshot, stamp = await asyncio.to_thread(self._update)
        except Exception as error:
            # Whatever it is (memory that is not to be had), it is told, and tried again.
            log.exception("live data cannot be shown")
            self._panel.show(own.DATA_LIVE_STATE, "Failed", Alarm(MAJOR, STATE, describe(error)))
            return
        if not snapshot.acquisition:
            return
        self._updates += 1
        self._count(snapshot, stamp)
        # `closed` may have been called meanwhile, and has the last word.
        if self._stream is not None and self._enabled:
            self._ready_at, self._is_lost = math.inf, False
            self._show_state(snapshot)

    def _join_again(self) -> None:
        """Rejoin the stream for the next acquisition after an error in this one."""
        if self.window.failed and self._enabled and self._stream is not None:
            self.window.failed = False
            self._stream.add(self.window, over=self._stream.current)

    def _update(self) -> tuple[Snapshot, float]:
        """Show the columns and return them, with their time; called in a thread of the pool."""
        snapshot, stamp = self.window.snapshot(), time.time()
        self._version = snapshot.version
        if not snapshot.acquisition:
            return snapshot, stamp
        shown = set()
        for column, values in snapshot.columns.items():
            field, _, kind = column.rpartition(".")
            record = self._records.get(live_name(field, kind))
            if record is not None:
                record.post(values[:LIVE_CAPACITY], stamp=stamp)
                shown.add(record.name)
                self._shown.discard(record.name)
        self._clear(self._shown, stamp)
        self._shown = shown
        return snapshot, stamp

    def _clear(self, names: set[str], stamp: float) -> None:
        """Clear the columns that only an earlier acquisition had."""
        for record in self._records.values():
            if record.name in names:
                record.post([], stamp=stamp)

    def _count(self, snapshot: Snapshot, stamp: float) -> None:
        start = self._stream.running if self._stream else None
        counts = {
            own.DATA_LIVE_RECEIVED: snapshot.received,
            own.DATA_LIVE_DROPPED: snapshot.dropped,
            own.DATA_LIVE_UPDATES: self._updates,
            **({own.DATA_LIVE_MISSED: start.missed} if start else {}),
        }
        for name, count in counts.items():
            self._panel.show(name, count, stamp=stamp)

    def _show_state(self, snapshot: Snapshot) -> None:
        reason = snapshot.reason
        self._panel.show(
            own.DATA_LIVE_STATE,
            f"Ended: {reason.value}" if reason else "Running",
            Alarm(MAJOR, STATE, reason.value) if reason and not reason.is_good else NO_ALARM,
        )
