"""The two ports of a PandA without I/O: bytes in, results and data out."""

from panda_ioc.errors import NoContextAvailable
from panda_ioc.protocol._buffer import Buffer, NeedMoreData
from panda_ioc.protocol._control import ControlConnection, Limits
from panda_ioc.protocol._data import DataConnection
from panda_ioc.protocol._data_header import GATE_DURATION_FIELD, SAMPLES_FIELD
from panda_ioc.protocol.responses import (
    Data,
    EndData,
    EndReason,
    FieldCapture,
    FrameData,
    ReadyData,
    StartData,
)

NeedMoreDataError = NeedMoreData
NoContextAvailableError = NoContextAvailable

__all__ = [
    "GATE_DURATION_FIELD",
    "SAMPLES_FIELD",
    "Buffer",
    "ControlConnection",
    "Data",
    "DataConnection",
    "EndData",
    "EndReason",
    "FieldCapture",
    "FrameData",
    "Limits",
    "NeedMoreData",
    "NeedMoreDataError",
    "NoContextAvailable",
    "NoContextAvailableError",
    "ReadyData",
    "StartData",
]
