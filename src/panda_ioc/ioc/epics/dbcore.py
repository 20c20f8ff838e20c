"""The functions and variables of EPICS that softioc does not offer, by their C declarations.

All functions of C that `ioc/epics` calls are declared here, once, but those of pvxs (`pvxs.py`).
Structures are in `layouts`. `tests/ioc/test_c_interface.py` compares both with EPICS's headers.
"""

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from epicscorelibs.ioc import dbCore
from numpy.typing import NDArray

from panda_ioc.errors import ConfigurationError
from panda_ioc.ioc.epics import layouts

DBE_VALUE, DBE_LOG, DBE_PROPERTY = 1, 2, 8

_int, _long, _short = ctypes.c_int, ctypes.c_long, ctypes.c_short
_pointer, _text = ctypes.c_void_p, ctypes.c_char_p
_address_of = ctypes.POINTER

# PyDLL keeps Python's lock during calls that take no time and never wait.
_waiting = ctypes.CDLL(dbCore._name)
_quick = ctypes.PyDLL(dbCore._name)
_libc = ctypes.CDLL(None)


def _function(library: Any, name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments
    return function


# -- locks and monitors: dbLock.h, dbEvent.h, recGbl.h --------------------------------------------

lock = _function(_waiting, "dbScanLock", None, _pointer)
unlock = _function(_quick, "dbScanUnlock", None, _pointer)
lock_many = _function(_waiting, "dbScanLockMany", None, _pointer)
unlock_many = _function(_quick, "dbScanUnlockMany", None, _pointer)
_locker_alloc = _function(
    _waiting, "dbLockerAlloc", _pointer, _address_of(_pointer), ctypes.c_size_t, ctypes.c_uint
)
post_events = _function(_quick, "db_post_events", _int, _pointer, _pointer, ctypes.c_uint)
reset_alarms = _function(_quick, "recGblResetAlarms", ctypes.c_ushort, _pointer)

# -- channels and pending puts: dbAccessDefs.h, dbChannel.h, dbNotify.h ---------------------------

_name_to_addr = _function(_quick, "dbNameToAddr", _long, _text, _address_of(layouts.DbAddr))
_channel_create = _function(_waiting, "dbChannelCreate", _pointer, _text)
_channel_open = _function(_waiting, "dbChannelOpen", _long, _pointer)
_get_field = _function(
    _waiting,
    "dbChannelGetField",
    _long,
    _pointer,
    _short,
    _pointer,
    _address_of(_long),
    _address_of(_long),
    _pointer,
)
process_notify = _function(_waiting, "dbProcessNotify", None, _address_of(layouts.ProcessNotify))

# -- access security: asDbLib.h, asTrapWrite.h, asLib.h -------------------------------------------

set_access_file = _function(_quick, "asSetFilename", _int, _text)
register_listener = _function(
    _waiting, "asTrapWriteRegisterListener", _pointer, layouts.PutListener
)
is_security_active = _int.in_dll(dbCore, "asActive")

# -- what is served: dbStaticLib.h, dbAccessDefs.h ------------------------------------------------

alloc_entry = _function(_quick, "dbAllocEntry", _pointer, _pointer)
free_entry = _function(_quick, "dbFreeEntry", None, _pointer)
first_type = _function(_quick, "dbFirstRecordType", _long, _pointer)
next_type = _function(_quick, "dbNextRecordType", _long, _pointer)
type_name = _function(_quick, "dbGetRecordTypeName", _text, _pointer)
first_record = _function(_quick, "dbFirstRecord", _long, _pointer)
next_record = _function(_quick, "dbNextRecord", _long, _pointer)
record_name = _function(_quick, "dbGetRecordName", _text, _pointer)
is_alias = _function(_quick, "dbIsAlias", _int, _pointer)
first_info = _function(_quick, "dbFirstInfo", _long, _pointer)
next_info = _function(_quick, "dbNextInfo", _long, _pointer)
info_name = _function(_quick, "dbGetInfoName", _text, _pointer)
info_text = _function(_quick, "dbGetInfoString", _text, _pointer)
find_field = _function(_quick, "dbFindField", _long, _pointer, _text)
field_text = _function(_quick, "dbGetString", _text, _pointer)
database = _pointer.in_dll(dbCore, "pdbbase")

# -- the process: iocsh.h, dbCore.dbd, and the C library ------------------------------------------

run_command = _function(_waiting, "iocshCmd", _int, _text)
is_memory_locked = _int.in_dll(dbCore, "dbThreadRealtimeLock")
getenv = _function(_libc, "getenv", _text, _text)
flush = _function(_libc, "fflush", _int, _pointer)


# -- calls that take more than a line -------------------------------------------------------------


def find_record(name: str) -> int:
    """Return the address of a record of the running database."""
    found = layouts.DbAddr()
    if _name_to_addr(name.encode(), found):
        raise ConfigurationError(f"{name}: no such record in the EPICS database")
    address: int = found.record
    return address


def open_channel(name: str) -> int:
    """Return the address of a new channel to a record of the running database."""
    channel: int | None = _channel_create(name.encode())
    if not channel or _channel_open(channel):
        raise ConfigurationError(f"{name}: no such record in the EPICS database")
    return channel


def read_channel(channel: int, dbr: int, count: int) -> NDArray[Any]:
    """Return at most `count` elements of the value of a channel, converted to this type."""
    values = np.zeros(count, layouts.DBR_ELEMENTS[dbr])
    found = _long(count)
    status = _get_field(channel, dbr, values.ctypes.data, None, found, None)
    return values[: 0 if status else found.value]


def make_locker(addresses: Sequence[int]) -> int:
    """Make the object with which `lock_many` locks these records together."""
    locker: int = _locker_alloc((_pointer * len(addresses))(*addresses), len(addresses), 0)
    return locker


def view(address: int, size: int) -> memoryview:
    """Return a view of `size` bytes of EPICS's memory."""
    return memoryview((ctypes.c_char * size).from_address(address)).cast("B")
