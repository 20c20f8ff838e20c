"""Samples of acquisitions: receive, scale, show live and write to files. Knows no EPICS."""

from panda_ioc.capture.live import Keep, LiveWindow, Snapshot
from panda_ioc.capture.session import FileCapture
from panda_ioc.capture.settings import CaptureSettings, Mode
from panda_ioc.capture.status import CaptureState, CaptureStatus
from panda_ioc.capture.stream import DataStream, Sink

__all__ = [
    "CaptureSettings",
    "CaptureState",
    "CaptureStatus",
    "DataStream",
    "FileCapture",
    "Keep",
    "LiveWindow",
    "Mode",
    "Sink",
    "Snapshot",
]
