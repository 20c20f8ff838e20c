"""What stands for the FPGA: it moves the buses and makes the samples.

Everything else of the simulator stands for the server: it holds settings, speaks on both ports,
reads the samples some time after they were made and hands them to the data clients. There are
two kinds of hardware: `life`, signals that nobody wired, and `twin_hardware`, a digital twin. For
another kind write these methods, too, and give it to `Machine`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from panda_ioc.sim.captured import CapturedColumn
from panda_ioc.sim.fields import SimField
from panda_ioc.sim.reports import Attribute
from panda_ioc.sim.settings import Setup, SimSettings
from panda_ioc.sim.state import PandAState

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

    def started_ns(self) -> int | None:
        """Return when the acquisition was first enabled, None while it waits for that."""

    def words(self, columns: Sequence[CapturedColumn], start: int, stop: int) -> Words:
        """Return columns of samples start..stop-1: shape (samples, words of the columns)."""


@dataclass(frozen=True)
class Control:
    """A `*SIM` command that only one kind of hardware has; None for what it cannot do."""

    get: Callable[[], str] | None = None
    put: Callable[[str], None] | None = None


class Hardware(Protocol):
    """The FPGA. Used from the control thread only.

    Attributes:
        rows: rows a second that streaming tables play
        controls: its own `*SIM` commands, by what comes after `*SIM.`
    """

    rows: float
    controls: Mapping[str, Control]

    def arm(self, setup: Setup, settings: SimSettings) -> Samples:
        """Begin to make samples."""

    def refresh(self, now: float, moving: bool) -> None:
        """Bring all fields that the hardware sets to a moment of the monotonic clock.

        Args:
            now: the moment
            moving: whether time goes on; if not, only PCAP.ACTIVE follows
        """

    def work(self, now: float, moving: bool) -> float:
        """Do some of what is to be done, asked or not; the arguments are those of `refresh`.

        Returns:
            seconds after which there will be more to do, infinite for hardware that only moves
            when it is asked
        """

    def written(self, field: SimField, attribute: Attribute | None, moving: bool) -> None:
        """Do what follows from a setting that has just been written.

        Args:
            field: the field
            attribute: the attribute of it that was written, None for the field itself
            moving: whether time goes on
        """

    def set_level(self, field: SimField, raw: int) -> bool:
        """Set an input from outside.

        Returns:
            whether the field is one; if not, nobody else will change what it shows

        Raises:
            CommandError: the field shows what the hardware does
        """


Make = Callable[[PandAState], Hardware]
