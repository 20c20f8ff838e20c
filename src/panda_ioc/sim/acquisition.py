"""One acquisition as the server has it: what the hardware makes, read some time later.

The capture thread of the server reads what the hardware has made `drain` seconds ago. So the end
comes twice: the hardware stops, and `drain` seconds later everything has been read.
"""

import math
import time

from panda_ioc.sim.hardware import Samples
from panda_ioc.sim.settings import Setup, SimSettings


class Acquisition:
    """One acquisition. Use it only under the lock of its Capture, through the Capture."""

    def __init__(
        self, setup: Setup, settings: SimSettings, samples: Samples, arm_time_ns: int
    ) -> None:
        self.setup = setup
        self.settings = settings
        self.samples = samples
        self.window = max(1, settings.buffer // setup.sample_bytes)
        self.arm_time_ns = arm_time_ns

    @property
    def begun(self) -> bool:
        """Whether the data clients hear of it: it was enabled, or it is over."""
        return self.samples.started_ns() is not None or self.samples.end() is not None

    @property
    def start_time_ns(self) -> int:
        """When it was enabled, in nanoseconds since 1970; when it was armed if it never was."""
        return self.samples.started_ns() or self.arm_time_ns

    @property
    def reason(self) -> str:
        """Why it ended, empty while it runs."""
        end = self.samples.end()
        return end.reason if end else ""

    def drained_at(self) -> float:
        """Return when everything has been read, on the monotonic clock; infinite while it runs."""
        end = self.samples.end()
        return end.moment + self.settings.drain if end else math.inf

    def drained(self) -> bool:
        """Tell whether everything that the hardware made has been read."""
        return time.monotonic() >= self.drained_at()

    def read(self) -> int:
        """Return how many samples the capture thread has read."""
        behind = 0.0 if self.samples.on_demand or self.drained() else self.settings.drain
        return self.samples.made_by(time.monotonic() - behind)

    def kept(self) -> int:
        """Return how many of the samples that have been read are still in the buffer, at most."""
        return self.read() if self.samples.on_demand else self.window
