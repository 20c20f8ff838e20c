"""EPICS records in memory: read, write, post and refuse without processing.

* `Record.post` writes value, alarm and time under the record's lock and posts monitors: an output
  record follows the device without processing, so nothing is echoed back; and nothing passes
  through the callback queue, which loses updates when it is full.
* `Record.refuse` fails the put that an output record is processing: the client's put-callback
  (CA) or put (PVA) reports an error.
* `Locker` holds the locks of many records, so that a table changes as one.

Offsets of fields come from the running EPICS database; its functions are in `dbcore`.
"""

import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from softioc import imports

from panda_ioc.errors import ConfigurationError
from panda_ioc.ioc.epics import dbcore
from panda_ioc.ioc.epics.alarms import NO_ALARM, Alarm
from panda_ioc.ioc.epics.dbcore import DBE_LOG, DBE_PROPERTY, DBE_VALUE

EPICS_EPOCH = 631152000  # 1990-01-01 in seconds since 1970

# What was posted last, by how much VAL has to differ from it, and for whom.
_DEADBANDS = (("MLST", "MDEL", DBE_VALUE), ("ALST", "ADEL", DBE_LOG))

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
_STRINGS = ("stringin", "stringout")
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
_time = struct.Struct("=II")
_short = struct.Struct("=H")

Value = float | str | NDArray[Any] | Sequence[str]


@cache
def _layout(rtype: str) -> tuple[dict[str, int], dict[str, int], int]:
    """Offsets and sizes of the fields of a record type, and the size of the whole, in bytes."""
    fields: dict[str, tuple[int, int, int]] = imports.get_field_offsets(rtype)
    offsets = {field: offset for field, (offset, _, _) in fields.items()}
    sizes = {field: size for field, (_, size, _) in fields.items()}
    return offsets, sizes, max(offset + size for offset, size, _ in fields.values())


class Record:
    """One record of the running database.

    Arguments:
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

    # -- with the lock held ---------------------------------------------------------------------

    def __enter__(self) -> Self:
        dbcore.lock(self._address)
        return self

    def __exit__(self, *_: object) -> None:
        dbcore.unlock(self._address)

    @property
    def is_processing(self) -> bool:
        """A put is under way."""
        return self._memory[self._at["PACT"]] != 0

    @property
    def text_size(self) -> int:
        """Bytes of text that VAL can hold."""
        return _STRING_SIZE - 1 if self.rtype in _STRINGS else self._int("NELM") - 1

    def read(self) -> Value:
        """VAL; an array is a copy, a long string (waveform of CHAR) is a str."""
        at = self._at["VAL"]
        if self._scalar is not None:
            value: float = self._scalar.unpack_from(self._memory, at)[0]
            return value
        if self.rtype in _STRINGS:
            return _text(bytes(self._memory[at : at + _STRING_SIZE]))
        elements = self._elements(self._int("NORD"))
        return _text(elements.tobytes()) if self._is_text else elements.copy()

    def write(self, value: Value) -> None:
        """Write VAL; what does not fit is cut (whoever makes the record sizes it)."""
        at = self._at["VAL"]
        if self._scalar is not None:
            self._scalar.pack_into(self._memory, at, value)
        elif self.rtype in _STRINGS:
            self._write_string("VAL", str(value))
        else:
            self._write_array(value)

    def set_alarm(self, alarm: Alarm) -> None:
        """Prepare an alarm; it takes effect when the record is next posted or processed."""
        _short.pack_into(self._memory, self._at["NSEV"], alarm.severity)
        _short.pack_into(self._memory, self._at["NSTA"], alarm.status)
        self._write_string("NAMSG", alarm.message)

    def publish(self, stamp: float, mask: int = DBE_VALUE | DBE_LOG) -> None:
        """Take over the prepared alarm, set the time, and post VAL to monitors."""
        seconds = int(stamp)
        nanoseconds = int((stamp - seconds) * 1e9)
        _time.pack_into(self._memory, self._at["TIME"], seconds - EPICS_EPOCH, nanoseconds)
        self._memory[self._at["UDF"]] = 0
        mask = self._remember(mask)
        mask |= dbcore.reset_alarms(self._address)
        dbcore.post_events(self._address, self._address + self._at["VAL"], mask)

    # -- whole operations -----------------------------------------------------------------------

    def post(
        self, value: Value | None, alarm: Alarm = NO_ALARM, stamp: float | None = None
    ) -> bool:
        """Show a value (None: the one it has) with this alarm, without processing.

        False if a put is under way: its completion decides what the record shows.
        """
        with self:
            if self.is_processing:
                return False
            if value is not None:
                self.write(value)
            self.set_alarm(alarm)
            self.publish(time.time() if stamp is None else stamp)
        return True

    def set_field(self, field: str, value: str | float) -> None:
        """Change a field that describes VAL (EGU, PREC, HOPR) and tell monitors of properties."""
        with self:
            if isinstance(value, str):
                self._write_string(field, value)
            else:
                code = {2: "=h", 8: "=d"}[self._sizes[field]]
                struct.pack_into(code, self._memory, self._at[field], value)
            dbcore.post_events(self._address, self._address + self._at["VAL"], DBE_PROPERTY)

    def settle(self, put: Value, shown: Value | None = None) -> None:
        """End a good put of `put`: no alarm; VAL becomes `shown` if the device made that of it.

        To be called while the record processes, before its completion. If a newer put has already
        replaced VAL, it is left alone: the record will process again with it.
        """
        with self:
            if shown is not None and _same(self.read(), put):
                self.write(shown)
            self.set_alarm(NO_ALARM)

    def refuse(self, put: Value, back_to: Value | None, alarm: Alarm) -> None:
        """Fail the put of `put` that the record is processing, and go back to the device's value.

        To be called while the record processes, before its completion. If a newer put has already
        replaced VAL, it is left alone: the record will process again with it.
        """
        with self:
            if back_to is not None and _same(self.read(), put):
                self.write(back_to)
                self._forget(put)
            self.set_alarm(alarm)
            self._fail_notify()

    def fail_in_validate(self, alarm: Alarm) -> None:
        """Fail a put from within `validate=`, where the record is locked already."""
        self.set_alarm(alarm)
        self._fail_notify()

    # -- details --------------------------------------------------------------------------------

    def _fail_notify(self) -> None:
        dbcore.fail_notify(struct.unpack_from("=Q", self._memory, self._at["PPN"])[0])

    def _remember(self, mask: int) -> int:
        """VAL is posted: later processing posts only what differs. What deadbands leave of mask."""
        if self._scalar is not None and "MLST" in self._at:
            for last, deadband, bit in _DEADBANDS:
                if self._is_within(self._scalar, last, deadband):
                    mask &= ~bit
                elif last in self._at:
                    self._copy("VAL", last)
        elif "OVAL" in self._at:
            self._copy("VAL", "OVAL")
        return mask

    def _is_within(self, scalar: struct.Struct, last: str, deadband: str) -> bool:
        """VAL differs too little from what was posted last; never without a deadband."""
        if deadband not in self._at:
            return False
        limit = scalar.unpack_from(self._memory, self._at[deadband])[0]
        if limit <= 0:
            return False
        value, before = (
            scalar.unpack_from(self._memory, self._at[field])[0] for field in ("VAL", last)
        )
        return bool(abs(value - before) <= limit)

    def _forget(self, put: Value) -> None:
        """Make processing post VAL although it did not change: clients show what they put."""
        if self._scalar is not None and "MLST" in self._at:
            self._scalar.pack_into(self._memory, self._at["MLST"], put)
        elif self.rtype in _STRINGS:
            self._write_string("OVAL", str(put))

    def _copy(self, source: str, target: str) -> None:
        size = min(self._sizes[source], self._sizes[target])
        start, to = self._at[source], self._at[target]
        self._memory[to : to + size] = self._memory[start : start + size]

    def _int(self, field: str) -> int:
        at = self._at[field]
        return int.from_bytes(self._memory[at : at + 4], "little")

    def _write_string(self, field: str, text: str) -> None:
        at, size = self._at[field], self._sizes[field]
        raw = text.encode()
        if len(raw) >= size:
            raw = raw[: size - 1].decode(errors="ignore").encode()
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


def _same(one: Value, other: Value) -> bool:
    """Equality that also holds between two not-a-numbers."""
    if isinstance(one, str) or isinstance(other, str):
        return str(one) == str(other)
    a, b = np.asarray(one), np.asarray(other)
    return a.shape == b.shape and bool(np.all((a == b) | ((a != a) & (b != b))))


class Locker:
    """The locks of several records, taken together."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._locker = dbcore.make_locker([record._address for record in records])

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Hold all of them."""
        dbcore.lock_many(self._locker)
        try:
            yield
        finally:
            dbcore.unlock_many(self._locker)
