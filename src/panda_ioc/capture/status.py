"""Where a capture to a file is, and how it stands."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from panda_ioc.capture.datasets import Dataset
from panda_ioc.protocol.responses import EndReason, StartData


class State(Enum):
    """Where a capture is."""

    IDLE = "Idle"
    READY = "Waiting for an acquisition"
    CAPTURING = "Capturing"
    CLOSING = "Closing the file"
    DONE = "Finished"
    FAILED = "Failed"


@dataclass(frozen=True)
class Status:
    """How a capture stands.

    Attributes:
        state, message: for people
        path: of the file
        received: samples that came from the box
        captured: samples that readers of the file see, in every dataset
        missed: samples that had gone by before we saw the acquisition
        acquisitions: that were begun
        reason: why the (last) acquisition, or the capture of it, ended
        start: header of the first acquisition
        datasets: what the file holds
        chunk: samples in a chunk of a dataset
        queued, queue_peak, queue_limit: bytes that wait for the disk: now, at most, and allowed
    """

    state: State = State.IDLE
    message: str = State.IDLE.value
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
        return self.state in (State.READY, State.CAPTURING, State.CLOSING)
