"""The status of the capture: `DATA:STATUS`, `DATA:NUM_CAPTURED` and similar records."""

from collections.abc import Mapping

from panda_ioc.capture.status import CaptureState, CaptureStatus
from panda_ioc.ioc.epics.alarms import COMM, INVALID, MAJOR, MINOR, NO_ALARM, STATE, Alarm
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.base import Part
from panda_ioc.ioc.parts.panel import Panel
from panda_ioc.protocol.responses import EndReason
from panda_ioc.records import own

SLOW_DISK = Alarm(MINOR, STATE, "the disk is slow")
LOST = Alarm(MINOR, STATE, "the last capture ended in an overrun")
LARGEST_LONG = 2**31 - 1
_OVERRUNS = (EndReason.DATA_OVERRUN, EndReason.DRIVER_DATA_OVERRUN)


class FileStatus(Part):
    """Shows changes of the status."""

    def __init__(self) -> None:
        self._panel = Panel()
        self._overruns = 0

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        self._panel.attach(records)

    def count(self, ended: CaptureStatus) -> None:
        """Count a capture that has ended."""
        self._overruns += ended.reason in _OVERRUNS

    def show(self, now: CaptureStatus, refusal: str, is_busy: bool) -> None:
        """Show the status.

        Args:
            now: how the capture that runs stands, or the last one
            refusal: why the next one could not begin
            is_busy: it runs, as far as clients have been told
        """
        start = now.start
        values: dict[str, float | str] = {
            own.DATA_NUM_MISSED: now.missed,
            own.DATA_NUM_ACQUISITIONS: now.acquisitions,
            own.DATA_CHUNK_SIZE: now.chunk,
            own.DATA_ARM_TIME: (start.arm_time if start else None) or "",
            own.DATA_START_TIME: (start.start_time if start else None) or "",
            own.DATA_HW_TIME_OFFSET_NS: (start.hw_time_offset_ns if start else None) or 0,
            own.DATA_END_REASON: _end_reason(now),
        }
        for name, value in values.items():
            self._panel.show(name, value)
        lost = LOST if now.reason in _OVERRUNS else NO_ALARM
        self._panel.show(own.DATA_OVERRUNS, self._overruns, lost)
        self._show_counts(now)
        self._show_queue(now)
        self._panel.show(own.DATA_STATUS, refusal or _words(now), _alarm(now, refusal))
        self._panel.show(own.DATA_BUSY, int(is_busy))

    def _show_counts(self, now: CaptureStatus) -> None:
        for name, count in (
            (own.DATA_NUM_RECEIVED, now.received),
            (own.DATA_NUM_CAPTURED, now.captured),
        ):
            alarm = Alarm(MINOR, STATE, f"really {count}") if count > LARGEST_LONG else NO_ALARM
            self._panel.show(name, min(count, LARGEST_LONG), alarm)

    def _show_queue(self, now: CaptureStatus) -> None:
        limit = now.queue_limit or 1
        for name, used in (
            (own.DATA_QUEUE_DEPTH, now.queued),
            (own.DATA_QUEUE_PEAK, now.queue_peak),
        ):
            percent = round(100 * used / limit, 1)
            self._panel.show(name, percent, SLOW_DISK if percent > 50 else NO_ALARM)


def _alarm(now: CaptureStatus, refusal: str) -> Alarm:
    if refusal:
        return Alarm(MAJOR, STATE, refusal)
    if now.state is CaptureState.FAILED:
        is_cut = now.reason is EndReason.DISCONNECTED
        return Alarm(*((INVALID, COMM) if is_cut else (MAJOR, STATE)), now.message)
    if now.missed:
        return Alarm(MINOR, STATE, f"{now.missed} samples missed")
    return SLOW_DISK if _is_behind(now) else NO_ALARM


def _words(now: CaptureStatus) -> str:
    if _is_behind(now):
        return f"{now.message}; the disk is slow: {100 * now.queued // now.queue_limit} % queued"
    return now.message


def _is_behind(now: CaptureStatus) -> bool:
    return now.busy and now.queued > now.queue_limit // 2


def _end_reason(now: CaptureStatus) -> str:
    if now.busy or now.state is CaptureState.IDLE:
        return ""
    if now.reason is not None:
        return now.reason.value
    return "File error"
