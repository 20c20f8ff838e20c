"""The memory of an EPICS record: its fields read and written in place, with its lock held.

Offsets of fields come from the running EPICS database; its functions are in `dbcore`. Nothing here
tells clients anything: that is what `record` does.
"""

import struct
from collections.abc import Sequence
from functools import cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from softioc import imports

from panda_ioc.errors import ConfigurationError
from panda_ioc.ioc.epics import dbcore
from panda_ioc.ioc.epics.alarms import Alarm
from panda_ioc.ioc.epics.dbcore import DBE_LOG, DBE_VALUE
from panda_ioc.records import limits

# How VAL lies in memory. Strings and waveforms have their own way, below.
_SCALARS = {
    "ai": "d",
    "ao": "d",
    "bi": "H",
    "bo": "H",
    "mbbi": "H",
    "mbbo": "H",
    "longin": "i",
    "longout": "i",
}
_ALARM = ("SEVR", "STAT")
STRINGS = ("stringin", "stringout")
_STRING_SIZE = 40
_ELEMENTS: dict[str, np.dtype[Any]] = {
    "CHAR": np.dtype("i1"),
    "UCHAR": np.dtype("u1"),
    "USHORT": np.dtype("u2"),
    "LONG": np.dtype("i4"),
    "ULONG": np.dtype("u4"),
    "DOUBLE": np.dtype("f8"),
    "STRING": np.dtype("S40"),
}
_short = struct.Struct("=H")

Value = float | str | NDArray[Any] | Sequence[str]


@cache
def _layout(rtype: str) -> tuple[dict[str, int], dict[str, int], int]:
    """Offsets and sizes of the fields of a record type, and the size of the whole, in bytes."""
    fields: dict[str, tuple[int, int, int]] = imports.get_field_offsets(rtype)
    offsets = {field: offset for field, (offset, _, _) in fields.items()}
    sizes = {field: size for field, (_, size, _) in fields.items()}
    return offsets, sizes, max(offset + size for offset, size, _ in fields.values())


class Memory:
    """The memory of one record of the running database.

    Args:
        name: with the prefix
        rtype: its record type
        ftvl: element type of a waveform
    """

    def __init__(self, name: str, rtype: str, ftvl: str = "") -> None:
        self.name = name
        self.rtype = rtype
        self._element = _ELEMENTS.get(ftvl)
        self._is_text = ftvl == "CHAR"
        self._address = dbcore.find_record(name)
        self._at, self._sizes, size = _layout(rtype)
        self._memory = dbcore.view(self._address, size)
        self._scalar = struct.Struct("=" + _SCALARS[rtype]) if rtype in _SCALARS else None
        at = self._at["VAL"]
        self._val = slice(at, at + self._sizes["VAL"])

    # -- with the lock held ---------------------------------------------------------------------

    def __enter__(self) -> Self:
        dbcore.lock(self._address)
        return self

    def __exit__(self, *_: object) -> None:
        dbcore.unlock(self._address)

    @property
    def is_processing(self) -> bool:
        """Whether a put is under way."""
        return self._memory[self._at["PACT"]] != 0

    @property
    def text_size(self) -> int:
        """Bytes of text that VAL can hold."""
        return _STRING_SIZE - 1 if self.rtype in STRINGS else self._int("NELM") - 1

    def read(self) -> Value:
        """Return VAL: an array as a copy, a long string (waveform of CHAR) as a str."""
        at = self._at["VAL"]
        if self._scalar is not None:
            value: float = self._scalar.unpack_from(self._memory, at)[0]
            return value
        if self.rtype in STRINGS:
            return _text(bytes(self._memory[at : at + _STRING_SIZE]))
        elements = self._elements(self._int("NORD"))
        return _text(elements.tobytes()) if self._is_text else elements.copy()

    def write(self, value: Value) -> None:
        """Write VAL; cut what does not fit (the maker of the record gives it its size)."""
        at = self._at["VAL"]
        if self._scalar is not None:
            self._scalar.pack_into(self._memory, at, value)
        elif self.rtype in STRINGS:
            self._write_string("VAL", str(value))
        else:
            self._write_array(value)

    def set_alarm(self, alarm: Alarm) -> None:
        """Prepare an alarm; it takes effect when the record is next posted or processed."""
        _short.pack_into(self._memory, self._at["NSEV"], alarm.severity)
        _short.pack_into(self._memory, self._at["NSTA"], alarm.status)
        self._write_string("NAMSG", alarm.message)

    def keep_alarm(self) -> None:
        """Prepare the alarm that the record has already."""
        for prepared, shown in (("NSEV", "SEVR"), ("NSTA", "STAT"), ("NAMSG", "AMSG")):
            self._copy(shown, prepared)

    def _replace(self, value: Value) -> bool:
        """Write VAL; return whether it changed."""
        if self._scalar is not None:
            raw = self._scalar.pack(value)
            changed = self._memory[self._val] != raw
            self._memory[self._val] = raw
            return changed
        if self._element is None:
            before = self._raw("VAL")
            self.write(value)
            return self._raw("VAL") != before
        old = self._elements(self._int("NORD")).tobytes()
        self.write(value)
        return self._elements(self._int("NORD")).tobytes() != old

    def _shows(self, alarm: Alarm) -> bool:
        """Whether clients have been told of this alarm."""
        severity, status = (_short.unpack_from(self._memory, self._at[f])[0] for f in _ALARM)
        message = limits.cut(alarm.message, self._sizes["AMSG"] - 1)
        return (severity, status, _text(self._raw("AMSG"))) == (
            alarm.severity,
            alarm.status,
            message,
        )

    def _raw(self, field: str) -> bytes:
        at = self._at[field]
        return bytes(self._memory[at : at + self._sizes[field]])

    def _copy(self, source: str, target: str) -> None:
        size = min(self._sizes[source], self._sizes[target])
        start, to = self._at[source], self._at[target]
        self._memory[to : to + size] = self._memory[start : start + size]

    def _int(self, field: str) -> int:
        at = self._at[field]
        return int.from_bytes(self._memory[at : at + 4], "little")

    def _write_string(self, field: str, text: str) -> None:
        at, size = self._at[field], self._sizes[field]
        raw = limits.cut(text, size - 1).encode() if text else b""
        self._memory[at : at + len(raw)] = raw
        self._memory[at + len(raw)] = 0

    def _elements(self, count: int) -> NDArray[Any]:
        element = self._element
        if element is None:
            raise ConfigurationError(f"{self.name}: element type of the waveform is not known")
        pointer = struct.unpack_from("=Q", self._memory, self._at["BPTR"])[0]
        if count == 0:
            return np.empty(0, element)
        return np.frombuffer(dbcore.view(pointer, count * element.itemsize), element)

    def _write_array(self, value: Value) -> None:
        if isinstance(value, str):
            # Clients of long strings expect the terminating zero.
            value = np.frombuffer(value.encode() + b"\0", "i1")
        array = np.asarray(value)
        if array.dtype.kind == "U":
            array = np.char.encode(array)
        count = min(len(array), self._int("NELM"))
        self._elements(count)[:] = array[:count]
        nord = self._at["NORD"]
        if count != self._int("NORD"):
            self._memory[nord : nord + 4] = count.to_bytes(4, "little")
            dbcore.post_events(self._address, self._address + nord, DBE_VALUE | DBE_LOG)


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode(errors="replace")
