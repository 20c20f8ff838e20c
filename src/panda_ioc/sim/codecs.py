"""How the register of a field is read and written as text: one class for each subtype."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from panda_ioc.errors import CommandError
from panda_ioc.sim import numbers
from panda_ioc.sim.application import FieldSpec
from panda_ioc.sim.lut import lut_mask
from panda_ioc.sim.reports import Attribute, Bus, Item
from panda_ioc.sim.scan import UINT32_MAX, Cursor


class Holder(Protocol):
    """The field that a codec shows, as far as its attributes need it."""

    raw: int

    def raw_attribute(self, description: str, take: Callable[[Cursor], int]) -> Attribute:
        """Return the RAW attribute, which `take` reads."""

    def item_of(self, attribute: str, text: Callable[[], str]) -> Item:
        """Return a change item for an attribute of the field."""

    def changed(self) -> None:
        """Report the value of the field, although its register may be the same."""


class WireCodec:
    """A register read and written as text; this one is the signed integer."""

    def __init__(self, spec: FieldSpec, bus: Bus) -> None:
        self.spec = spec
        self.bus = bus

    def take(self, text: Cursor) -> int:
        """Take the register from the front of a text.

        Raises:
            CommandError: with the server's words, if there is none
        """
        return text.signed()

    def format(self, raw: int) -> str:
        """Return the text of a register."""
        return str(raw)

    def labels(self) -> Sequence[str] | None:
        """Return what can be written, if that is a choice."""
        return None

    def attributes(self, field: Holder) -> Iterator[tuple[str, Attribute]]:
        """Yield the attributes of a field of this subtype, by name."""
        return iter(())


class Uint(WireCodec):
    """An unsigned integer; its option is the largest value."""

    def __init__(self, spec: FieldSpec, bus: Bus) -> None:
        super().__init__(spec, bus)
        option = spec.options[0] if spec.options else str(UINT32_MAX)
        if not option.isdecimal():
            raise spec.fail(f"the maximum of a uint is a number, not {option!r}")
        self.maximum = int(option)

    def take(self, text: Cursor) -> int:
        value = text.unsigned()
        if value > self.maximum:
            raise CommandError("Number out of range")
        return value

    def attributes(self, field: Holder) -> Iterator[tuple[str, Attribute]]:
        yield "MAX", Attribute("Maximum valid value for this field", lambda: str(self.maximum))


class Bit(WireCodec):
    """0 or 1."""

    def take(self, text: Cursor) -> int:
        return text.bit()


class Action(WireCodec):
    """Something to trigger, by writing nothing to it."""

    def take(self, text: Cursor) -> int:
        return 0


class Labelled(WireCodec):
    """An enumeration. Registers hold the number that the config file gives to each label."""

    def __init__(self, spec: FieldSpec, bus: Bus) -> None:
        super().__init__(spec, bus)
        self._numbers = {label: number for number, label in spec.labels}
        self._labels = dict(spec.labels)

    def take(self, text: Cursor) -> int:
        if text.rest not in self._numbers:
            raise CommandError("Invalid enumeration value")
        return self._numbers[text.whole()]

    def format(self, raw: int) -> str:
        if raw not in self._labels:
            raise CommandError("No label for value")
        return self._labels[raw]

    def labels(self) -> Sequence[str]:
        return list(self._numbers)


class ScalarCodec(WireCodec):
    """A 32-bit integer shown as raw * scale + offset; options are scale, offset and units."""

    def __init__(self, spec: FieldSpec, bus: Bus) -> None:
        super().__init__(spec, bus)
        options = [*spec.options, *("1", "0", "")[len(spec.options) :]]
        try:
            self.scale, self.offset = float(options[0]), float(options[1])
        except ValueError:
            raise spec.fail("a scalar is written 'scalar scale offset [units]'") from None
        if not self.scale:
            raise spec.fail("the scale of a scalar cannot be 0")
        self.units = " ".join(options[2:])

    def take(self, text: Cursor) -> int:
        value = (text.double() - self.offset) / self.scale
        if not -(2**31) - 0.5 < value < 2**31 - 0.5:
            raise CommandError("Value out of range")
        return math.floor(abs(value) + 0.5) * (-1 if value < 0 else 1)

    def format(self, raw: int) -> str:
        return numbers.format_double(raw * self.scale + self.offset)

    def attributes(self, field: Holder) -> Iterator[tuple[str, Attribute]]:
        yield "UNITS", Attribute("Units associated with value", lambda: self.units)
        yield "RAW", field.raw_attribute("Underlying integer value", Cursor.signed)
        yield (
            "OFFSET",
            Attribute(
                "Offset from scaled data to value", lambda: numbers.format_double(self.offset)
            ),
        )
        yield (
            "SCALE",
            Attribute("Scaling from raw data to value", lambda: numbers.format_double(self.scale)),
        )


class LutCodec(WireCodec):
    """A function of A..E, kept as it was written."""

    def __init__(self, spec: FieldSpec, bus: Bus) -> None:
        super().__init__(spec, bus)
        self._text = ""
        self._mask = 0

    def take(self, text: Cursor) -> int:
        mask = lut_mask(text.rest)
        self._mask, self._text = mask, text.whole()
        return mask

    def format(self, raw: int) -> str:
        return self._text if self._text and raw == self._mask else f"0x{raw:08X}"

    def attributes(self, field: Holder) -> Iterator[tuple[str, Attribute]]:
        yield "RAW", Attribute("Bit pattern written to register", lambda: f"0x{field.raw:08X}")


class Time(WireCodec):
    """Clock ticks shown in units that can be changed; the ticks stay when the units change."""

    limit = UINT32_MAX

    def __init__(self, spec: FieldSpec, bus: Bus) -> None:
        super().__init__(spec, bus)
        self.units = "s"

    def take(self, text: Cursor) -> int:
        return numbers.take_ticks(text, self.units, self.limit)

    def format(self, raw: int) -> str:
        return numbers.format_ticks(raw, self.units)

    def attributes(self, field: Holder) -> Iterator[tuple[str, Attribute]]:
        def put_units(text: str) -> None:
            if text not in numbers.TIME_UNITS:
                raise CommandError("Invalid time units")
            self.units = text
            field.changed()

        yield (
            "UNITS",
            Attribute(
                "Units of time setting",
                lambda: self.units,
                put_units,
                lambda: list(numbers.TIME_UNITS),
                field.item_of("UNITS", lambda: self.units),
            ),
        )
        yield "RAW", field.raw_attribute("Time in ticks", self.take_raw)

    def take_raw(self, text: Cursor) -> int:
        """Take clock ticks."""
        return text.unsigned()


class LongTime(Time):
    """A field of type `time`, which has two registers: 48 bits that RAW does not check."""

    limit = 2**48 - 1

    def take_raw(self, text: Cursor) -> int:
        return text.unsigned64()


class Mux(WireCodec):
    """A choice of a bus. The register holds the place of the choice in the list."""

    error = "Invalid position selection"

    def __init__(self, spec: FieldSpec, bus: Bus) -> None:
        super().__init__(spec, bus)
        self.selected = "ZERO"

    @property
    def choices(self) -> dict[str, None]:
        """Names that can be selected, in the order of the bus."""
        return self.bus.position_choices

    def take(self, text: Cursor) -> int:
        if text.rest not in self.choices:
            raise CommandError(self.error)
        self.selected = text.whole()
        return 0

    def format(self, raw: int) -> str:
        return self.selected

    def labels(self) -> Sequence[str]:
        return list(self.choices)


class BitMux(Mux):
    """A choice of a bit, delayed by some clock ticks."""

    error = "Invalid bit bus selection"
    max_delay = 31

    def __init__(self, spec: FieldSpec, bus: Bus) -> None:
        super().__init__(spec, bus)
        self.delay = 0

    @property
    def choices(self) -> dict[str, None]:
        return self.bus.bit_choices

    def attributes(self, field: Holder) -> Iterator[tuple[str, Attribute]]:
        yield (
            "DELAY",
            Attribute(
                "Clock delay on input",
                lambda: str(self.delay),
                self._put_delay,
                item=field.item_of("DELAY", lambda: str(self.delay)),
            ),
        )
        yield "MAX_DELAY", Attribute("Maximum valid input delay", lambda: str(self.max_delay))

    def _put_delay(self, text: str) -> None:
        cursor = Cursor(text)
        delay = cursor.unsigned()
        cursor.end()
        if delay > self.max_delay:
            raise CommandError("Delay too long")
        self.delay = delay


CODECS: dict[str, type[WireCodec]] = {
    "uint": Uint,
    "int": WireCodec,
    "scalar": ScalarCodec,
    "bit": Bit,
    "action": Action,
    "lut": LutCodec,
    "enum": Labelled,
    "time": Time,
}
