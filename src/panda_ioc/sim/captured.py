"""Fields that can be captured, and the columns that a set of captures makes.

The hardware sends 32-bit words. Columns come in groups: words of bits, then 32-bit values, then
64-bit sums and timestamps, then sums for means, then, in pairs, sums and 96-bit sums of squares for
standard deviations; inside a group in the order of `*CAPTURE.*?`. A duration that the server adds
comes first of all. For a mean the server adds the duration of the gate in raw mode, and for a
standard deviation the mean as well (seen in recorded streams of a server 4.1).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from panda_ioc.errors import CommandError
from panda_ioc.sim import numbers
from panda_ioc.sim.application import FieldSpec
from panda_ioc.sim.codecs import WireCodec
from panda_ioc.sim.fields import Register, SimField
from panda_ioc.sim.reports import Attribute, Bus, Group
from panda_ioc.sim.scan import Cursor

KINDS = ("Value", "Diff", "Sum", "Min", "Max", "Mean", "StdDev")
USUAL = (
    "No",
    "Value",
    "Diff",
    "Sum",
    "Mean",
    "Min",
    "Max",
    "Min Max",
    "Min Max Mean",
    "StdDev",
    "Mean StdDev",
)

# By group: raw type, 32-bit words.
_GROUPS = (("uint32", 1), ("int32", 1), ("int64", 2), ("int64", 2), ("int96", 3))
_BITS, _WORD, _LONG, _MEAN, _STDDEV = range(5)
_ADDED = -1  # before all others: the duration, where nobody asked for it
_GROUP_OF = {
    "Value": _WORD,
    "Diff": _WORD,
    "Min": _WORD,
    "Max": _WORD,
    "Sum": _LONG,
    "Mean": _MEAN,
    "StdDev": _STDDEV,
}
_EXT_GROUP = {"timestamp": _LONG, "samples": _WORD, "bits": _BITS}


@dataclass(frozen=True)
class CapturedColumn:
    """One column of a sample as captured by the hardware.

    Attributes:
        name: the field
        kind: which of its captures
        type: name of the raw type on the data port
        words: how many 32-bit words it has
        scale: what a raw value is multiplied by
        offset: what is added then
        units: of the scaled value, None where they were never set
        asked: false for a column that the server adds by itself, which only raw mode shows
    """

    name: str
    kind: str
    type: str
    words: int
    scale: float = 1.0
    offset: float = 0.0
    units: str | None = None
    asked: bool = True


@dataclass(frozen=True)
class _Entry:
    group: int
    place: int
    column: CapturedColumn


class Captured(SimField):
    """A field with a CAPTURE attribute."""

    duration = False

    def __init__(self, spec: FieldSpec, name: str, number: int, bus: Bus) -> None:
        self.kinds: tuple[str, ...] = ()
        super().__init__(spec, name, number, bus)

    def capture_text(self) -> str:
        """Return the text of CAPTURE."""
        return " ".join(self.kinds) or "No"

    def parse_kinds(self, text: str) -> tuple[str, ...]:
        """Return what a text of CAPTURE has captured; CommandError if it makes no sense."""
        raise NotImplementedError

    def capture_attribute(self, labels: Callable[[], Sequence[str]]) -> Attribute:
        """Return the CAPTURE attribute; labels are what `*ENUMS` lists."""
        item = self.item_of("CAPTURE", self.capture_text)
        return Attribute("Capture options", self.capture_text, self._set, labels, item)

    def _set(self, text: str) -> None:
        self.kinds = self.parse_kinds(text)

    def forget(self) -> None:
        """Capture nothing of this field."""
        if self.kinds:
            self.attributes["CAPTURE"].write("No")

    def column(self, kind: str, asked: bool = True) -> tuple[int, CapturedColumn]:
        """Return group and column of one capture kind of this field."""
        raise NotImplementedError


class ExtOut(Captured):
    """Timestamps, gate duration and words of bits: nothing to read, only to capture."""

    group = None
    readable = False

    def __init__(self, spec: FieldSpec, name: str, number: int, bus: Bus) -> None:
        super().__init__(spec, name, number, bus)
        self.duration = spec.subtype == "samples"

    def make_attributes(self) -> Iterator[tuple[str, Attribute]]:
        if self.spec.subtype == "bits":
            yield "BITS", Attribute("Enumerate bits captured in this word", self._bits)
        yield "CAPTURE", self.capture_attribute(lambda: ("No", "Value"))

    def _bits(self) -> list[str]:
        options = self.spec.options
        word = int(options[0]) if options and options[0].isdecimal() else 0
        return [self.bus.bits.get(32 * word + bit, "") for bit in range(32)]

    def parse_kinds(self, text: str) -> tuple[str, ...]:
        if text not in ("No", "Value"):
            raise CommandError("Invalid capture option")
        return () if text == "No" else ("Value",)

    def column(self, kind: str, asked: bool = True) -> tuple[int, CapturedColumn]:
        group = _EXT_GROUP[self.spec.subtype]
        type_, words = _GROUPS[group]
        if group == _BITS:
            return group, CapturedColumn(self.name, kind, type_, words, asked=asked)
        scale = 1 / numbers.CLOCK_FREQUENCY
        return group, CapturedColumn(self.name, kind, type_, words, scale, 0.0, "s", asked)


class PosOut(Captured, Register):
    """A position: options are the scale, offset and units that it starts with."""

    group = Group.POSN
    default_codec = WireCodec

    def __init__(self, spec: FieldSpec, name: str, number: int, bus: Bus) -> None:
        options = spec.options
        try:
            self.scale = float(options[0]) if options else 1.0
            self.offset = float(options[1]) if len(options) > 1 else 0.0
        except ValueError:
            raise spec.fail("a pos_out is written 'pos_out [scale [offset [units]]]'") from None
        self.units = " ".join(options[2:]) or None
        super().__init__(spec, name, number, bus)
        bus.positions[self.index] = name

    def make_attributes(self) -> Iterator[tuple[str, Attribute]]:
        self.index = self.bus_index()
        yield "UNITS", self._setting("UNITS", "Units string", self._units, self._put_units)
        yield "SCALED", Attribute("Value with scaling applied", self._scaled)
        yield "OFFSET", self._setting("OFFSET", "Offset", self._offset, self._put_offset)
        yield "SCALE", self._setting("SCALE", "Scale factor", self._scale, self._put_scale)
        yield "CAPTURE", self.capture_attribute(lambda: USUAL)

    def _setting(
        self, name: str, description: str, get: Callable[[], str], put: Callable[[str], None]
    ) -> Attribute:
        return Attribute(description, get, put, item=self.item_of(name, get))

    def _units(self) -> str:
        return self.units or ""

    def _put_units(self, text: str) -> None:
        self.units = Cursor(text).utf8()

    def _offset(self) -> str:
        return numbers.format_double(self.offset)

    def _put_offset(self, text: str) -> None:
        self.offset = numbers.parse_double(text)

    def _scale(self) -> str:
        return numbers.format_double(self.scale)

    def _put_scale(self, text: str) -> None:
        self.scale = numbers.parse_double(text)

    def _scaled(self) -> str:
        return numbers.format_double(self.raw * self.scale + self.offset)

    def text(self) -> str:
        return str(self.raw)

    def parse_kinds(self, text: str) -> tuple[str, ...]:
        if text == "No":
            return ()
        words, cursor = set(), Cursor(text)
        while cursor.rest:
            words.add(cursor.name())
            cursor.blanks()
            if unknown := words - set(KINDS):
                raise CommandError(f'Unknown capture option "{unknown.pop()}"')
        return tuple(kind for kind in KINDS if kind in words)

    def column(self, kind: str, asked: bool = True) -> tuple[int, CapturedColumn]:
        group = _GROUP_OF[kind]
        type_, words = _GROUPS[group]
        return group, CapturedColumn(
            self.name, kind, type_, words, self.scale, self.offset, self.units, asked
        )


def captured_columns(fields: Sequence[Captured]) -> tuple[CapturedColumn, ...]:
    """Return the columns that the hardware sends for what is captured now.

    `asked` is false for the columns that the server adds by itself; only raw mode shows those.
    Empty if nothing is captured.
    """
    entries = [
        _Entry(group, place, column)
        for place, field in enumerate(fields)
        for group, column in _field_columns(field)
    ]
    if any(entry.group in (_MEAN, _STDDEV) for entry in entries):
        entries += _duration(fields)
    entries.sort(key=lambda entry: (entry.group, entry.place))
    return tuple(entry.column for entry in entries)


def _field_columns(field: Captured) -> Iterator[tuple[int, CapturedColumn]]:
    pair = ("Mean", "StdDev") if "StdDev" in field.kinds else ()
    for kind in field.kinds:
        if kind not in pair:
            yield field.column(kind)
    for kind in pair:
        _, column = field.column(kind, asked=kind in field.kinds)
        yield _STDDEV, column


def _duration(fields: Sequence[Captured]) -> Iterator[_Entry]:
    for place, field in enumerate(fields):
        if field.duration and not field.kinds:
            _, column = field.column("Value", asked=False)
            yield _Entry(_ADDED, place, column)
            return
