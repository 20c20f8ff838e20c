"""Events of the data port, and their parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panda_ioc.errors import BadValue
from panda_ioc.protocol._values import same_fields

INT96 = np.dtype([("low", "<u8"), ("high", "<i4")])
"""96-bit two's complement integer, little endian: high * 2**64 + low.

The sum of squares of StdDev, in Raw mode.
"""

WIRE_TYPES: Mapping[str, np.dtype[Any]] = MappingProxyType(
    {
        "int32": np.dtype("<i4"),
        "uint32": np.dtype("<u4"),
        "int64": np.dtype("<i8"),
        "uint64": np.dtype("<u8"),
        "double": np.dtype("<f8"),
        "int96": INT96,
    }
)
"""Type names in the header of the data port -> how a value lies in a frame."""


class EndReason(Enum):
    """Why an acquisition ended: the PandA's reasons first, then our own."""

    OK = "Ok"
    EARLY_DISCONNECT = "Early disconnect"
    DATA_OVERRUN = "Data overrun"
    FRAMING_ERROR = "Framing error"
    DRIVER_DATA_OVERRUN = "Driver data overrun"
    DMA_DATA_ERROR = "DMA data error"
    DISARMED = "Disarmed"

    UNKNOWN_EXCEPTION = "Unknown exception"
    START_DATA_MISMATCH = "Start Data mismatched"
    MANUALLY_STOPPED = "Manually stopped"
    DISCONNECTED = "Disconnected"

    @property
    def is_good(self) -> bool:
        """All samples were captured, until the end or until somebody disarmed."""
        return self in (EndReason.OK, EndReason.DISARMED)


@dataclass(eq=False)
class FieldCapture:
    """One captured column, from the header of an acquisition.

    Attributes:
        name: of the field
        type: how a value lies in the frame: one of `WIRE_TYPES`
        capture: "Value", "Diff", "Sum", "Mean", "Min", "Max" or "StdDev"
        scale, offset, units: all given or, for PCAP.BITS0..3 and PCAP.SAMPLES, all None
    """

    name: str
    type: np.dtype[Any]
    capture: str
    scale: float | None = None
    offset: float | None = None
    units: str | None = None

    def __post_init__(self) -> None:
        given = [value is not None for value in (self.scale, self.offset, self.units)]
        if any(given) and not all(given):
            raise BadValue(
                f"{self.name} {self.capture}: scale={self.scale!r}, offset={self.offset!r}, "
                f"units={self.units!r}: give all of them or none"
            )

    @property
    def raw_mode_dataset_dtype(self) -> np.dtype[Any]:
        """Type of the scaled column: double where there is a scale, else as on the wire."""
        return self.type if self.scale is None else np.dtype("float64")

    @property
    def has_scale_or_offset(self) -> bool:
        """False where scaling would change nothing."""
        return self.scale is not None and (self.scale, self.offset) != (1.0, 0.0)

    __eq__ = same_fields
    __hash__ = None  # type: ignore[assignment]


class Data:
    """Base of the events of a `DataConnection`."""


@dataclass
class ReadyData(Data):
    """The PandA has accepted the options: every acquisition armed from now on will be received."""


@dataclass
class StartData(Data):
    """An acquisition begins.

    Attributes:
        fields: columns in the order of the wire
        missed: samples taken before we had connected
        process: "Scaled" or "Raw"
        format: "Framed"
        sample_bytes: bytes of one sample in a frame
        arm_time, start_time: ISO 8601, UTC, as the PandA sent them; None from servers that do not
        hw_time_offset_ns: nanoseconds to be added to arm_time for the hardware's own time, or None
    """

    fields: list[FieldCapture]
    missed: int
    process: str
    format: str
    sample_bytes: int
    arm_time: str | None
    start_time: str | None
    hw_time_offset_ns: int | None


@dataclass(eq=False, slots=True)  # slots, for there may be very many small frames
class FrameData(Data):
    """Samples of the running acquisition.

    Attributes:
        data: shape (samples,), structured; columns are called ``NAME.CAPTURE``
    """

    data: NDArray[Any]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the wire."""
        return self.data.dtype.names or ()

    __eq__ = same_fields
    __hash__ = None  # type: ignore[assignment]


@dataclass
class EndData(Data):
    """The acquisition is over.

    Attributes:
        samples: that the PandA sent in it
        reason: why it ended
        last_frame_samples: in the last frame, which may be corrupt when raw samples end in an
            overrun; ignored in comparisons
    """

    samples: int
    reason: EndReason
    last_frame_samples: int = field(default=0, kw_only=True, compare=False, repr=False)
