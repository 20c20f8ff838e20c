"""How things lie in the memory of EPICS, as far as EPICS does not tell it at run time.

Offsets and sizes of the fields of records are not here: the running database tells them. What is
here stands in the headers of EPICS, which are named; `tests/ioc/test_c_interface.py` compares.
"""

import ctypes
import struct
from typing import Any

import numpy as np

from panda_ioc.records import limits

pointer = ctypes.c_void_p

# -- values of records (dbFldTypes.h) -------------------------------------------------------------

STRING_SIZE = limits.STRING + 1  # MAX_STRING_SIZE, with the terminating zero
STRINGS = ("stringin", "stringout")
"""Record types whose VAL is such a string."""

SCALARS = {
    "ai": struct.Struct("=d"),
    "ao": struct.Struct("=d"),
    "bi": struct.Struct("=H"),
    "bo": struct.Struct("=H"),
    "mbbi": struct.Struct("=H"),
    "mbbo": struct.Struct("=H"),
    "longin": struct.Struct("=i"),
    "longout": struct.Struct("=i"),
}
"""VAL of record types that hold a number, and of what is compared with it: MLST, MDEL, ..."""

ELEMENTS: dict[str, np.dtype[Any]] = {
    "CHAR": np.dtype("i1"),
    "UCHAR": np.dtype("u1"),
    "USHORT": np.dtype("u2"),
    "LONG": np.dtype("i4"),
    "ULONG": np.dtype("u4"),
    "DOUBLE": np.dtype("f8"),
    "STRING": np.dtype(f"S{STRING_SIZE}"),
}
"""Elements of waveforms by FTVL."""

LIMITS = {2: struct.Struct("=h"), 8: struct.Struct("=d")}
"""PREC, HOPR and LOPR by their size."""

ALARM = struct.Struct("=H")
"""SEVR, STAT, NSEV and NSTA."""

TIME = struct.Struct("=II")
"""`epicsTimeStamp` (epicsTime.h): seconds since 1990, and nanoseconds."""

EPOCH = 631152000
"""1990-01-01 in seconds since 1970."""

# -- numbers of types (dbFldTypes.h, db_access.h) -------------------------------------------------

DBF_CHAR, DBF_USHORT, DBF_ENUM = 1, 4, 11

DBR_STRING, DBR_CHAR, DBR_DOUBLE = 0, 1, 10
DBR_ELEMENTS = {
    DBR_STRING: np.dtype(f"S{STRING_SIZE}"),
    DBR_CHAR: np.dtype("i1"),
    DBR_DOUBLE: np.dtype("f8"),
}
"""Elements as EPICS converts them for who reads a channel."""

CA_ENUM, CA_CHAR = 3, 4
CA_ELEMENTS = tuple(
    np.dtype(code) for code in (f"S{STRING_SIZE}", "i2", "f4", "u2", "i1", "i4", "f8")
)
"""Elements as CA sends them, by their number there."""

# -- pending puts (dbNotify.h) --------------------------------------------------------------------

GetCallback = ctypes.CFUNCTYPE(None, pointer, ctypes.c_int)
DoneCallback = ctypes.CFUNCTYPE(None, pointer)

PROCESS_AND_GET = 2  # processGetRequest
NOTIFY_OK, NOTIFY_ERROR = 0, 2


class EllCheckNode(ctypes.Structure):
    """`ellCheckNode`, a place in a list."""

    _fields_ = (("neighbours", pointer * 2), ("is_on_list", ctypes.c_int))


class ProcessNotify(ctypes.Structure):
    """`processNotify`."""

    _fields_ = (
        ("node", EllCheckNode),
        ("private", pointer),
        ("status", ctypes.c_int),
        ("was_processed", ctypes.c_int),
        ("request_type", ctypes.c_int),
        ("channel", pointer),
        ("put_callback", pointer),
        ("get_callback", GetCallback),
        ("done_callback", DoneCallback),
        ("user", pointer),
    )


# -- channels (dbAddr.h, dbChannel.h) -------------------------------------------------------------


class DbAddr(ctypes.Structure):
    """`dbAddr`."""

    _fields_ = (
        ("record", pointer),
        ("field", pointer),
        ("description", pointer),
        ("no_elements", ctypes.c_long),
        ("field_type", ctypes.c_short),
        ("field_size", ctypes.c_short),
        ("special", ctypes.c_short),
        ("dbr_field_type", ctypes.c_short),
    )


class DbChannel(ctypes.Structure):
    """The head of `dbChannel`."""

    _anonymous_ = ("address",)
    _fields_ = (("name", ctypes.c_char_p), ("address", DbAddr))


# -- puts that a listener is told of (asTrapWrite.h) ----------------------------------------------


class AsTrapWriteMessage(ctypes.Structure):
    """`asTrapWriteMessage`."""

    _fields_ = (
        ("user", ctypes.c_char_p),
        ("host", ctypes.c_char_p),
        ("channel", pointer),
        ("private", pointer),
        ("type", ctypes.c_int),
        ("count", ctypes.c_int),
        ("data", pointer),
    )


PutListener = ctypes.CFUNCTYPE(None, ctypes.POINTER(AsTrapWriteMessage), ctypes.c_int)
