"""What a PandA answers, as values: results of commands and events of the data port."""

import re
from dataclasses import dataclass

from panda_ioc.errors import BadValue
from panda_ioc.protocol._events import (
    INT96,
    WIRE_TYPES,
    Data,
    EndData,
    EndReason,
    FieldCapture,
    FrameData,
    ReadyData,
    StartData,
)
from panda_ioc.protocol._field_info import (
    NAME,
    BitMuxFieldInfo,
    BitOutFieldInfo,
    BlockInfo,
    EnumFieldInfo,
    ExtOutBitsFieldInfo,
    ExtOutFieldInfo,
    FieldInfo,
    PosMuxFieldInfo,
    PosOutFieldInfo,
    ScalarFieldInfo,
    SubtypeTimeFieldInfo,
    TableFieldDetails,
    TableFieldInfo,
    TimeFieldInfo,
    UintFieldInfo,
)

__all__ = [
    "INT96",
    "NAME",
    "WIRE_TYPES",
    "BitMuxFieldInfo",
    "BitOutFieldInfo",
    "BlockInfo",
    "Changes",
    "Data",
    "EndData",
    "EndReason",
    "EnumFieldInfo",
    "ExtOutBitsFieldInfo",
    "ExtOutFieldInfo",
    "FieldCapture",
    "FieldInfo",
    "FrameData",
    "Identification",
    "PosMuxFieldInfo",
    "PosOutFieldInfo",
    "ReadyData",
    "Refused",
    "ScalarFieldInfo",
    "StartData",
    "SubtypeTimeFieldInfo",
    "TableFieldDetails",
    "TableFieldInfo",
    "TimeFieldInfo",
    "UintFieldInfo",
]

_API = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})")


@dataclass
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


@dataclass
class Changes:
    """Answer to ``*CHANGES?``.

    Attributes:
        values: name -> new value
        no_value: names of tables and multi-line metadata that changed
        in_error: names that the PandA could not read
        multiline_values: name -> lines, where `GetChanges` was told to fetch them
    """

    values: dict[str, str]
    no_value: list[str]
    in_error: list[str]
    multiline_values: dict[str, list[str]]


@dataclass(frozen=True)
class Refused:
    """A line of a saved state that the PandA did not take, and why, in its own words."""

    line: str
    reason: str
