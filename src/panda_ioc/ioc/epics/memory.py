"""The memory of an EPICS record: its fields read and written in place, with its lock held.

Offsets and sizes of fields come from the running EPICS database, how their values lie there from
`layouts`. What clients are told is decided in `record`.
"""

import struct
import sys
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
from panda_ioc.ioc.epics.layouts import ALARM, ELEMENTS, EPOCH, LIMITS, SCALARS, STRINGS, TIME
from panda_ioc.records import limits

_ALARM = ("SEVR", "STAT")

Value = float | str | NDArray[Any] | Sequence[str]


@cache
def _fields(rtype: str) -> tuple[dict[str, int], dict[str, int], int]:
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
        self._element = ELEMENTS.get(ftvl)
        self._is_text = ftvl == "CHAR"
        self._address = dbcore.find_record(name)
        self._at, self._sizes, size = _fields(rtype)
        self._memory = dbcore.view(self._address, size)
        self._is_number = rtype in SCALARS
        self._scalar = SCALARS.get(rtype, struct.Struct(""))
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
        return (self._sizes["VAL"] if self.rtype in STRINGS else self._int("NELM")) - 1

    def read(self) -> Value:
        """Return VAL: an array as a copy, a long string (waveform of CHAR) as a str."""
        if self._is_number:
            return self._number("VAL")
        if self.rtype in STRINGS:
            return _text(self._raw("VAL"))
        elements = self._elements(self._int("NORD"))
        return _text(elements.tobytes()) if self._is_text else elements.copy()

    def write(self, value: Value) -> None:
        """Write VAL; cut what does not fit (the maker of the record gives it its size).

        Raises:
            OverflowError: it is a number that the record cannot hold
        """
        if self._is_number:
            self._memory[self._val] = self._packed(value)
        elif self.rtype in STRINGS:
            self._write_string("VAL", str(value))
        else:
            self._write_array(value)

    def set_alarm(self, alarm: Alarm) -> None:
        """Prepare an alarm; it takes effect when the record is next posted or processed."""
        ALARM.pack_into(self._memory, self._at["NSEV"], alarm.severity)
        ALARM.pack_into(self._memory, self._at["NSTA"], alarm.status)
        self._write_string("NAMSG", alarm.message)

    def keep_alarm(self) -> None:
        """Prepare the alarm that the record has already."""
        for prepared, shown in (("NSEV", "SEVR"), ("NSTA", "STAT"), ("NAMSG", "AMSG")):
            self._copy(shown, prepared)

    def _replace(self, value: Value) -> bool:
        """Write VAL; return whether it changed."""
        if self._is_number:
            raw = self._packed(value)
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
        severity, status = (ALARM.unpack_from(self._memory, self._at[f])[0] for f in _ALARM)
        message = limits.cut(alarm.message, self._sizes["AMSG"] - 1)
        return (severity, status, _text(self._raw("AMSG"))) == (
            alarm.severity,
            alarm.status,
            message,
        )

    # -- fields ---------------------------------------------------------------------------------

    def _has(self, field: str) -> bool:
        return field in self._at

    def _raw(self, field: str) -> bytes:
        at = self._at[field]
        return bytes(self._memory[at : at + self._sizes[field]])

    def _copy(self, source: str, target: str) -> None:
        size = min(self._sizes[source], self._sizes[target])
        start, to = self._at[source], self._at[target]
        self._memory[to : to + size] = self._memory[start : start + size]

    def _int(self, field: str) -> int:
        """Return a field that is an unsigned number or an address."""
        return int.from_bytes(self._raw(field), sys.byteorder)

    def _number(self, field: str) -> float:
        """Return a field that is of the type of VAL, a number."""
        value: float = self._scalar.unpack_from(self._memory, self._at[field])[0]
        return value

    def _write_number(self, field: str, value: Value) -> None:
        """Write a field that is of the type of VAL, a number."""
        self._scalar.pack_into(self._memory, self._at[field], value)

    def _write_limit(self, field: str, value: float) -> None:
        """Write PREC, HOPR or LOPR."""
        LIMITS[self._sizes[field]].pack_into(self._memory, self._at[field], value)

    def _write_string(self, field: str, text: str) -> None:
        at, size = self._at[field], self._sizes[field]
        raw = limits.cut(text, size - 1).encode() if text else b""
        self._memory[at : at + len(raw)] = raw
        self._memory[at + len(raw)] = 0

    def _write_time(self, stamp: float) -> None:
        """Write TIME, given in seconds since 1970; VAL is defined from now on."""
        seconds = int(stamp)
        nanoseconds = int((stamp - seconds) * 1e9)
        TIME.pack_into(self._memory, self._at["TIME"], seconds - EPOCH, nanoseconds)
        self._memory[self._at["UDF"]] = 0

    def _tell(self, mask: int, field: str = "VAL") -> None:
        """Post a field to those who monitor it."""
        dbcore.post_events(self._address, self._address + self._at[field], mask)

    # -- values ---------------------------------------------------------------------------------

    def _packed(self, value: Value) -> bytes:
        try:
            return self._scalar.pack(value)
        except struct.error as error:
            raise OverflowError(str(error)) from None

    def _elements(self, count: int) -> NDArray[Any]:
        element = self._element
        if element is None:
            raise ConfigurationError(f"{self.name}: element type of the waveform is not known")
        if count == 0:
            return np.empty(0, element)
        return np.frombuffer(dbcore.view(self._int("BPTR"), count * element.itemsize), element)

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
            self._tell(DBE_VALUE | DBE_LOG, "NORD")


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode(errors="replace")
