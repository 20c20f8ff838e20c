"""What a PandA answers, as values: results of commands and events of the data port.

Nothing here changes once made. Where a box failed to answer one question about a field, the piece
is `None` or empty, and the question is listed in `FieldInfo.unanswered`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panda_ioc.errors import BadValue

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

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
"""What blocks, fields, columns of tables and capture options may be called."""

_API = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})")


@dataclass(frozen=True)
class Identification:
    """Versions of the parts of a PandA, from ``*IDN?``.

    Attributes:
        software: of the TCP server
        fpga: of the FPGA: version, build, firmware that it needs
        rootfs: of the root file system
    """

    software: str
    fpga: str
    rootfs: str

    def software_api(self) -> tuple[int, int]:
        """(major, minor) of the TCP server; `BadValue` if its version does not begin with them."""
        found = _API.match(self.software)
        if found is None:
            raise BadValue(f"*IDN: software version {self.software!r} is not MAJOR.MINOR...")
        return int(found[1]), int(found[2])


@dataclass(frozen=True)
class BlockInfo:
    """How many instances a block has, and what it is for (``*BLOCKS?``, ``*DESC.BLOCK?``)."""

    number: int = 0
    description: str | None = None


@dataclass(frozen=True)
class FieldInfo:
    """What introspection says of one field; types that have more to say have a class of their own.

    Attributes:
        type: "param", "bit_out", "pos_mux", ...
        subtype: "uint", "scalar", "lut", ... or None
        description: None if the box gave none
        index: where the field stands in its block (``BLOCK.*?``); ignored in comparisons
        unanswered: queries about this field that the box refused; ignored in comparisons
    """

    type: str
    subtype: str | None
    description: str | None
    index: int = field(default=0, kw_only=True, compare=False)
    unanswered: tuple[str, ...] = field(default=(), kw_only=True, compare=False)


@dataclass(frozen=True)
class UintFieldInfo(FieldInfo):
    """`param|read|write uint`: 0 ... max_val."""

    max_val: int | None


@dataclass(frozen=True)
class ScalarFieldInfo(FieldInfo):
    """`param|read|write scalar`: value = raw * scale + offset, in units."""

    units: str | None
    scale: float | None
    offset: float | None


@dataclass(frozen=True)
class TimeFieldInfo(FieldInfo):
    """`time`: the units that it can be given in."""

    units_labels: list[str]


@dataclass(frozen=True)
class SubtypeTimeFieldInfo(FieldInfo):
    """`param|read|write time`: the units that it can be given in."""

    units_labels: list[str]


@dataclass(frozen=True)
class EnumFieldInfo(FieldInfo):
    """`param|read|write enum`: the values that it can have."""

    labels: list[str]


@dataclass(frozen=True)
class BitOutFieldInfo(FieldInfo):
    """`bit_out`: the first instance's is bit `offset` of the capturable field `capture_word`."""

    capture_word: str | None
    offset: int | None


@dataclass(frozen=True)
class BitMuxFieldInfo(FieldInfo):
    """`bit_mux`: the bits that it can be wired to, and its longest DELAY in clock ticks."""

    max_delay: int | None
    labels: list[str]


@dataclass(frozen=True)
class PosMuxFieldInfo(FieldInfo):
    """`pos_mux`: the positions that it can be wired to."""

    labels: list[str]


@dataclass(frozen=True)
class TableFieldDetails:
    """One column of a table: bits bit_low ... bit_high (inclusive) of a row.

    Bits are counted from bit 0 of the row's first word.

    Attributes:
        subtype: "uint", "int", "enum" or "bit"
        labels: of an enum column, else None
    """

    subtype: str
    bit_low: int
    bit_high: int
    description: str | None = None
    labels: list[str] | None = None


@dataclass(frozen=True)
class TableFieldInfo(FieldInfo):
    """`table`.

    Attributes:
        max_length: 32-bit words that the table can hold; 0 if the box would not say
        fields: columns in the box's order
        row_words: 32-bit words in a row
        has_mode: there is a MODE attribute (servers from 4.0)
    """

    max_length: int
    fields: dict[str, TableFieldDetails]
    row_words: int
    has_mode: bool = False


@dataclass(frozen=True)
class PosOutFieldInfo(FieldInfo):
    """`pos_out`: the usual values of its CAPTURE attribute."""

    capture_labels: list[str]


@dataclass(frozen=True)
class ExtOutFieldInfo(FieldInfo):
    """`ext_out timestamp|samples`: the values of its CAPTURE attribute."""

    capture_labels: list[str]


@dataclass(frozen=True)
class ExtOutBitsFieldInfo(ExtOutFieldInfo):
    """`ext_out bits`: also the names of its 32 bits, lowest first; empty if not driven."""

    bits: list[str]


@dataclass(frozen=True)
class Changes:
    """Answer to ``*CHANGES?``.

    Attributes:
        values: name -> new value
        no_value: names of tables and multi-line metadata that changed
        in_error: names that the box could not read
        multiline_values: name -> lines, where `GetChanges` was told to fetch them
    """

    values: dict[str, str]
    no_value: list[str]
    in_error: list[str]
    multiline_values: dict[str, list[str]]


@dataclass(frozen=True)
class Refused:
    """A line of a saved state that the box did not take, and why, in its own words."""

    line: str
    reason: str


class EndReason(Enum):
    """Why an acquisition ended: first as the box says it, then the reasons of our own side."""

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


@dataclass(frozen=True)
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


class Data:
    """Base of the events of a `DataConnection`."""


@dataclass(frozen=True)
class ReadyData(Data):
    """The box has taken the options: every acquisition armed from now on will be received."""


@dataclass(frozen=True)
class StartData(Data):
    """An acquisition begins.

    Attributes:
        fields: columns in the order of the wire
        missed: samples taken before we had connected
        process: "Scaled" or "Raw"
        format: "Framed"
        sample_bytes: bytes of one sample in a frame
        arm_time, start_time: ISO 8601, UTC, as the box sent them; None from servers that do not
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


@dataclass(eq=False, slots=True)  # not frozen: that doubles the cost of each of many small frames
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

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FrameData):
            return NotImplemented
        return bool(self.data.dtype == other.data.dtype and np.array_equal(self.data, other.data))

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class EndData(Data):
    """The acquisition is over.

    Attributes:
        samples: that the box sent in it
        reason: why it ended
        last_frame_samples: in the last frame, which may be corrupt when raw samples end in an
            overrun; ignored in comparisons
    """

    samples: int
    reason: EndReason
    last_frame_samples: int = field(default=0, compare=False, repr=False)
