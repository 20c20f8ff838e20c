"""What stands for the FPGA: it moves the buses and makes the samples.

Everything else of the simulator stands for the server: it holds settings, speaks on both ports,
reads the samples some time after they were made and hands them to the data clients. `life` is the
one kind of hardware: signals that nobody wired. Another kind has these methods, too; give it to
`Machine`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from panda_ioc.sim.box import Box
from panda_ioc.sim.captured import Column
from panda_ioc.sim.fields import Field
from panda_ioc.sim.settings import Settings, Setup

Words = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class End:
    """When no more samples were made, on the monotonic clock, and why."""

    moment: float
    reason: str


class Samples(Protocol):
    """The samples of one acquisition. Safe to use from any thread.

    Attributes:
        on_demand: whether samples are made only when a reader claims them
        period: after so many samples all but timestamps repeat; 0 if they never do
    """

    on_demand: bool
    period: int

    def made_by(self, moment: float) -> int:
        """Return how many samples had been made by a moment of the monotonic clock."""

    def end(self) -> End | None:
        """Return how it ended, None while it goes on."""

    def claim(self, count: int) -> None:
        """Let there be so many samples, if they are made on demand."""

    def release(self) -> None:
        """Let samples come, if they are held back."""

    def stop(self, reason: str) -> None:
        """End it for this reason, unless it has ended already."""

    def words(self, columns: Sequence[Column], start: int, stop: int) -> Words:
        """Return columns of samples start..stop-1: shape (samples, words of the columns)."""


class Hardware(Protocol):
    """The FPGA. Used from the control thread only.

    Attributes:
        rows: rows a second that streaming tables play
    """

    rows: float

    def arm(self, setup: Setup, settings: Settings) -> Samples:
        """Begin to make samples."""

    def refresh(self, now: float, moving: bool) -> None:
        """Bring all fields that the hardware sets to a moment of the monotonic clock.

        Args:
            now: the moment
            moving: whether time goes on; if not, only PCAP.ACTIVE follows
        """

    def written(self, field: Field) -> None:
        """Do what follows from a setting that has just been written."""


Make = Callable[[Box], Hardware]
