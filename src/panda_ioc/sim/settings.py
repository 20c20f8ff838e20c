"""What an acquisition begins with: how the simulation captures, and what is captured."""

from dataclasses import dataclass

from panda_ioc.sim.captured import CapturedColumn

OK = "Ok"
DISARMED = "Disarmed"
OVERRUN = "Data overrun"
REASONS = (
    OK,
    DISARMED,
    "Early disconnect",
    OVERRUN,
    "Framing error",
    "Driver data overrun",
    "DMA data error",
)


@dataclass(frozen=True)
class SimSettings:
    """How the simulation captures.

    Attributes:
        rate: samples/s; 0 means as fast as the readers take them
        samples: samples in an acquisition; 0 means until `*PCAP.DISARM=`
        period: seconds between frames at a rate
        frame: most samples in a frame; 0 means as many as fit into a frame of 2 MiB
        buffer: bytes of raw samples kept for slow readers, beyond which they overrun
        ramp: data words count 0, 1, 2 ... instead of the signals of `signals`
        hold: samples come only once `Capture.release` says so, as if there were no trigger yet
        drain: seconds for which the capture thread still reads after the hardware has stopped
    """

    rate: float = 1000.0
    samples: int = 0
    period: float = 0.02
    frame: int = 0
    buffer: int = 1 << 26
    ramp: bool = False
    hold: bool = False
    drain: float = 0.008


@dataclass(frozen=True)
class Setup:
    """What is captured.

    Attributes:
        columns: columns in the order of the hardware
        shift: places by which sums and durations are shifted right
        hw_time_offset_ns: what the header says of the hardware's clock, if there is one
    """

    columns: tuple[CapturedColumn, ...]
    shift: int = 0
    hw_time_offset_ns: int | None = None

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample as the hardware sends it."""
        return 4 * sum(column.words for column in self.columns)
