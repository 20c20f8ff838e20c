"""The two ports of a PandA without I/O: bytes in, results and data out."""

from panda_ioc.errors import NoContextAvailable
from panda_ioc.protocol._buffer import Buffer, NeedMoreData
from panda_ioc.protocol._control import ControlConnection, Limits
from panda_ioc.protocol._data import DataConnection

NeedMoreDataError = NeedMoreData
NoContextAvailableError = NoContextAvailable

__all__ = [
    "Buffer",
    "ControlConnection",
    "DataConnection",
    "Limits",
    "NeedMoreData",
    "NeedMoreDataError",
    "NoContextAvailable",
    "NoContextAvailableError",
]
