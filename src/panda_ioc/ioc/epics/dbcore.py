"""The functions of EPICS's database library that softioc does not offer, and the pending put.

Together with `memory`, `trap` and `late` this is all that knows the binary interface of EPICS. A
pending put is a `processNotify` (dbNotify.h), to which the field PPN of the record that it
processes points; its status decides what the client is told. Its layout is declared below and
confirmed once at start-up by `confirm_refusal`; where it does not hold puts are not failed, only
reverted and alarmed.
"""

import ctypes
import struct
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from epicscorelibs.ioc import dbCore
from softioc import imports

from panda_ioc.errors import ConfigurationError

DBE_VALUE, DBE_LOG, DBE_ALARM, DBE_PROPERTY = 1, 2, 4, 8

# PyDLL keeps Python's lock during calls that take no time and never wait.
_waiting = ctypes.CDLL(dbCore._name)
_quick = ctypes.PyDLL(dbCore._name)
_pointer = ctypes.c_void_p


def _function(library: Any, name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments
    return function


def database_function(name: str, result: Any, *arguments: Any) -> Any:
    """A function of the database library that never waits."""
    return _function(_quick, name, result, *arguments)


lock = _function(_waiting, "dbScanLock", None, _pointer)
unlock = _function(_quick, "dbScanUnlock", None, _pointer)
lock_many = _function(_waiting, "dbScanLockMany", None, _pointer)
unlock_many = _function(_quick, "dbScanUnlockMany", None, _pointer)
post_events = _function(_quick, "db_post_events", ctypes.c_int, _pointer, _pointer, ctypes.c_uint)
reset_alarms = _function(_quick, "recGblResetAlarms", ctypes.c_ushort, _pointer)

_name_to_addr = _function(_quick, "dbNameToAddr", ctypes.c_long, ctypes.c_char_p, _pointer)
_locker_alloc = _function(
    _waiting, "dbLockerAlloc", _pointer, _pointer, ctypes.c_size_t, ctypes.c_uint
)
_channel_create = _function(_waiting, "dbChannelCreate", _pointer, ctypes.c_char_p)
_channel_open = _function(_waiting, "dbChannelOpen", ctypes.c_long, _pointer)
_process_notify = _function(_waiting, "dbProcessNotify", None, _pointer)
_set_access_file = _function(_quick, "asSetFilename", ctypes.c_int, ctypes.c_char_p)


# -- records --------------------------------------------------------------------------------------


def find_record(name: str) -> int:
    """Return the address of a record of the running database."""
    buffer = (ctypes.c_char * 256)()  # a DBADDR; its first member is the record
    if _name_to_addr(name.encode(), buffer):
        raise ConfigurationError(f"{name}: no such record in the EPICS database")
    address: int = struct.unpack_from("=Q", buffer)[0]
    return address


def make_locker(addresses: Sequence[int]) -> int:
    """Make the object with which `lock_many` locks these records together."""
    locker: int = _locker_alloc((_pointer * len(addresses))(*addresses), len(addresses), 0)
    return locker


def view(address: int, size: int) -> memoryview:
    """Return a view of `size` bytes of EPICS's memory."""
    return memoryview((ctypes.c_char * size).from_address(address)).cast("B")


# -- pending puts ---------------------------------------------------------------------------------


class _Notify(ctypes.Structure):
    """The head of `processNotify`: what dbNotify sets."""

    _fields_ = (
        ("node", _pointer * 2),
        ("on_list", ctypes.c_int),
        ("private", _pointer),
        ("status", ctypes.c_int),
        ("was_processed", ctypes.c_int),
        ("request_type", ctypes.c_int),
        ("channel", _pointer),
        ("put_callback", _pointer),
        ("get_callback", _pointer),
        ("done_callback", _pointer),
        ("user", _pointer),
    )


_GetCallback = ctypes.CFUNCTYPE(None, _pointer, ctypes.c_int)
_DoneCallback = ctypes.CFUNCTYPE(None, _pointer)
_NOTIFY_TIMEOUT = 5.0  # seconds
_PROCESS_AND_GET = 2
_NOTIFY_ERROR = 2


class _Abi:
    """Whether the running EPICS was seen to use the layout of `_Notify`."""

    confirmed = False
    kept: tuple[object, ...] = ()


def fail_notify(address: int) -> None:
    """Report to the client of a pending put that it failed; the caller holds the record's lock.

    Args:
        address: what PPN of the record holds
    """
    if not address or not _Abi.confirmed:
        return
    notify = _Notify.from_address(address)
    # One that did not process the record only waits for this put to end: not its failure.
    if notify.was_processed:
        notify.status = _NOTIFY_ERROR


def confirm_refusal(name: str) -> bool:
    """Process a passive record and check that EPICS reports it where `_Notify` says.

    To be called once after iocInit. If False, puts cannot be failed, only reverted and alarmed.
    """
    channel = _channel_create(name.encode())
    if not channel or _channel_open(channel):
        raise ConfigurationError(f"{name}: no such record in the EPICS database")
    nothing_to_get = _GetCallback(lambda _, __: None)
    done = threading.Event()
    finish = _DoneCallback(lambda _: done.set())
    notify = _Notify(
        status=0x5A5A,
        was_processed=0x5A5A,
        request_type=_PROCESS_AND_GET,
        channel=channel,
        get_callback=ctypes.cast(nothing_to_get, _pointer),
        done_callback=ctypes.cast(finish, _pointer),
    )
    # EPICS writes to the notify after its last callback, so all this lives as long as the process.
    _Abi.kept = (notify, nothing_to_get, finish)
    _process_notify(ctypes.byref(notify))
    is_done = done.wait(_NOTIFY_TIMEOUT)
    _Abi.confirmed = is_done and (notify.status, notify.was_processed) == (0, 1)
    return _Abi.confirmed


# -- before and after iocInit ---------------------------------------------------------------------


def load_access_security(path: Path) -> None:
    """Set the access security file; call before iocInit, which reads it."""
    if not path.is_file():
        raise ConfigurationError(f"{path}: no such access security file")
    _set_access_file(str(path).encode())


def check_access_security(path: Path) -> None:
    """Raise `ConfigurationError` if EPICS could not read the file; call after iocInit.

    Without it EPICS has not started, and its records must not be touched.
    """
    if not ctypes.c_int.in_dll(dbCore, "asActive").value:
        raise ConfigurationError(
            f"{path}: no valid access security file, see what EPICS says of it"
        )


def release_memory_lock() -> None:
    """Keep EPICS from locking all memory, which it does as root; call before iocInit."""
    ctypes.c_int.in_dll(dbCore, "dbThreadRealtimeLock").value = 0


def enlarge_callback_queue(size: int = 20000) -> None:
    """Make room for this many completions of puts at once; call before iocInit."""
    imports.callbackSetQueueSize(size)
