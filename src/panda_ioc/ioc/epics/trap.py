"""What clients put, seen before EPICS converts it: for the log, and for numbers that do not fit.

EPICS tells a listener of each put that a rule of access security with TRAPWRITE allows, before it
and after it. Of CA it has the data as the client sent them; of PVA nothing but the fact.
"""

import ctypes
import logging
from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np
from epicscorelibs.ioc import dbCore
from numpy.typing import NDArray

log = logging.getLogger(__name__)

Wide = MutableMapping[int, NDArray[Any]]
"""Addresses of records of 16 bits, and what was put to them that does not fit into these."""

SHOWN = 10
"""Elements of an array that the log has."""
_TEXT = 4096
_UINT16 = np.iinfo(np.uint16)

_pointer = ctypes.c_void_p
_DBF_CHAR, _DBF_USHORT, _DBF_ENUM = 1, 4, 11
_DBR_STRING, _DBR_CHAR, _DBR_DOUBLE = 0, 1, 10
_NUMBERS = range(_DBF_CHAR, _DBF_ENUM)
_CA_ENUM, _CA_CHAR = 3, 4
_CA_TYPES = ("S40", "i2", "f4", "u2", "i1", "i4", "f8")
"""Elements as CA sends them, by their number there."""


class _Channel(ctypes.Structure):
    """The head of `dbChannel`, with the `dbAddr` in it."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("record", _pointer),
        ("field", _pointer),
        ("description", _pointer),
        ("no_elements", ctypes.c_long),
        ("field_type", ctypes.c_short),
        ("field_size", ctypes.c_short),
        ("special", ctypes.c_short),
        ("dbr_field_type", ctypes.c_short),
    )


class _Message(ctypes.Structure):
    """`asTrapWriteMessage`."""

    _fields_ = (
        ("user", ctypes.c_char_p),
        ("host", ctypes.c_char_p),
        ("channel", _pointer),
        ("private", _pointer),
        ("type", ctypes.c_int),
        ("count", ctypes.c_int),
        ("data", _pointer),
    )


_Listener = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Message), ctypes.c_int)
_waiting = ctypes.CDLL(dbCore._name)
_get_field = _waiting.dbChannelGetField
_get_field.restype = ctypes.c_long
_get_field.argtypes = (_pointer, ctypes.c_short, _pointer, _pointer, _pointer, _pointer)
_register = _waiting.asTrapWriteRegisterListener
_register.restype = _pointer
_register.argtypes = (_Listener,)


class _Kept:
    """EPICS calls listeners until the process ends."""

    listeners: tuple[object, ...] = ()


class PutTrap:
    """Listens to puts as long as the process lives.

    Args:
        is_logging: log each put
        wide: is told what does not fit into records of 16 bits
    """

    def __init__(self, is_logging: bool, wide: Wide) -> None:
        self._is_logging = is_logging
        self._wide = wide
        self._before: dict[int, str] = {}
        self._keys = _keys()
        self._listener = _Listener(self._put)
        if is_logging:
            log.setLevel(logging.INFO)  # whatever the level of the rest

    def listen(self) -> None:
        """Begin to listen; call before iocInit."""
        _register(self._listener)
        _Kept.listeners = (*_Kept.listeners, self)

    def _put(self, message: Any, is_after: int) -> None:
        """Handle a put, called by EPICS in the client's thread; exceptions are only printed."""
        put = message.contents
        channel = _Channel.from_address(put.channel)
        if not is_after:
            self._watch(channel, put)
        if self._is_logging and is_after:
            self._tell(channel, put)
        elif self._is_logging:
            put.private = key = next(self._keys)
            self._before[key] = _shown(put.channel)

    def _watch(self, channel: _Channel, put: _Message) -> None:
        """Remember a value that EPICS would cut to 16 bits, until the next put."""
        if channel.field_type != _DBF_USHORT or channel.no_elements < 2:
            return
        values = _sent(put)
        is_number = values is not None and values.dtype.kind in "iuf"
        if values is not None and is_number and not _fits(values):
            self._wide[channel.record] = values
        else:
            self._wide.pop(channel.record, None)

    def _tell(self, channel: _Channel, put: _Message) -> None:
        name = (channel.name or b"").decode(errors="replace")
        user, host = ((each or b"?").decode(errors="replace") for each in (put.user, put.host))
        before = self._before.pop(put.private or 0, "?")
        log.info("%s@%s put %s: %s -> %s", user, host, name, before, _new(channel, put))


def _keys() -> Iterator[int]:
    """Yield numbers for puts under way; 0 is left out, as it means no number."""
    number = 0
    while True:
        number += 1
        yield number


def _fits(values: NDArray[Any]) -> bool:
    return bool(np.all((values >= _UINT16.min) & (values <= _UINT16.max)))


def _sent(put: _Message) -> NDArray[Any] | None:
    """Return a copy of what a CA client has sent."""
    if not put.data or not 0 <= put.type < len(_CA_TYPES) or put.count < 1:
        return None
    element = np.dtype(_CA_TYPES[put.type])
    size = put.count * element.itemsize
    return np.frombuffer(ctypes.string_at(put.data, size), element)


def _new(channel: _Channel, put: _Message) -> str:
    """Return what was put, or the present value if that is not known or only the number of a
    state."""
    values = _sent(put)
    if values is None or put.type == _CA_ENUM or channel.dbr_field_type == _DBF_ENUM:
        return _shown(put.channel)
    if put.type == _CA_CHAR and channel.dbr_field_type == _DBF_CHAR and channel.no_elements > 1:
        return repr(_text(values.tobytes()))
    if values.dtype.kind == "S":
        values = np.array([_text(value) for value in values])
    return _some(values.tolist(), channel.no_elements > 1)


def _shown(address: int) -> str:
    """Return the value of a channel; of an array, its first elements."""
    channel = _Channel.from_address(address)
    if channel.no_elements == 1:
        if channel.dbr_field_type not in _NUMBERS:
            return repr(_text(_read(address, _DBR_STRING, 40, 1)[0]))
        return _plain(float(np.frombuffer(_read(address, _DBR_DOUBLE, 8, 1)[0], "f8")[0]))
    if channel.dbr_field_type == _DBF_CHAR:
        raw, count = _read(address, _DBR_CHAR, 1, min(channel.no_elements, _TEXT))
        return repr(_text(raw[:count]))
    if channel.dbr_field_type == _DBR_STRING:
        raw, count = _read(address, _DBR_STRING, 40, SHOWN + 1)
        return _some([_text(raw[n * 40 : n * 40 + 40]) for n in range(count)], True)
    raw, count = _read(address, _DBR_DOUBLE, 8, SHOWN + 1)
    return _some(np.frombuffer(raw, "f8")[:count].tolist(), True)


def _read(address: int, dbr: int, size: int, count: int) -> tuple[bytes, int]:
    buffer = ctypes.create_string_buffer(size * count)
    found = ctypes.c_long(count)
    status = _get_field(address, dbr, buffer, None, ctypes.byref(found), None)
    return buffer.raw, 0 if status else found.value


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode(errors="replace")


def _some(values: list[Any], is_array: bool) -> str:
    if not is_array and len(values) == 1:
        return _plain(values[0])
    more = ", ..." if len(values) > SHOWN else ""
    return f"[{', '.join(map(_plain, values[:SHOWN]))}{more}]"


def _plain(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else repr(value)
