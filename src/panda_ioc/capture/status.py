"""The state and status of a capture to a file."""

import logging
import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from panda_ioc.capture.datasets import Dataset
from panda_ioc.protocol.responses import EndReason, StartData

log = logging.getLogger(__name__)


class CaptureState(Enum):
    """The states of a capture."""

    IDLE = "Idle"
    READY = "Waiting for an acquisition"
    CAPTURING = "Capturing"
    CLOSING = "Closing the file"
    DONE = "Finished"
    FAILED = "Failed"


@dataclass(frozen=True)
class CaptureStatus:
    """The status of a capture.

    Attributes:
        state, message: for people
        path: of the file
        received: samples that came from the PandA
        captured: samples that readers of the file see, in every dataset
        missed: samples that had gone by before we saw the acquisition
        acquisitions: that were begun
        reason: why the (last) acquisition, or the capture of it, ended
        start: header of the first acquisition
        datasets: what the file holds
        chunk: samples in a chunk of a dataset
        queued, queue_peak, queue_limit: bytes that wait for the disk: now, at most, and allowed
    """

    state: CaptureState = CaptureState.IDLE
    message: str = CaptureState.IDLE.value
    path: Path | None = None
    received: int = 0
    captured: int = 0
    missed: int = 0
    acquisitions: int = 0
    reason: EndReason | None = None
    start: StartData | None = None
    datasets: tuple[Dataset, ...] = ()
    chunk: int = 0
    queued: int = 0
    queue_peak: int = 0
    queue_limit: int = 0

    @property
    def busy(self) -> bool:
        """Whether the file is still open."""
        return self.state in (CaptureState.READY, CaptureState.CAPTURING, CaptureState.CLOSING)


def outcome(status: CaptureStatus, fault: str | None, left_out: int) -> dict[str, object]:
    """Return state and message of a capture whose file is closed; log those that failed.

    Args:
        status: how it stood
        fault: what went wrong on our side, or None
        left_out: samples at the end that may be corrupt
    """
    words = fault or (status.reason.value if status.reason else "")
    message = f"{words}: {status.captured} samples"
    if left_out:
        message += f", the last {left_out} left out because they may be corrupt"
    if status.missed:
        message += f", {status.missed} missed before"
    has_file = status.path is not None and os.path.exists(status.path)
    message += f", in {status.path}" if has_file else ", no file"
    is_good = fault is None and status.reason is not None and _is_good(status.reason)
    if not is_good:
        log.warning("capture: %s", message)
    return {"state": CaptureState.DONE if is_good else CaptureState.FAILED, "message": message}


def _is_good(reason: EndReason) -> bool:
    return reason.is_good or reason is EndReason.MANUALLY_STOPPED
