"""How the register of a field is read and written as text: one class for each subtype."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from panda_ioc.errors import CommandError

from . import numbers
from .application import FieldSpec
from .reports import Attribute, Bus

if TYPE_CHECKING:
    from .fields import Register


class Codec:
    """A register read and written as text; this one is the signed integer."""

    def __init__(self, spec: FieldSpec, bus: Bus):
        self.spec = spec
        self.bus = bus
        self.initial = 0

    def parse(self, text: str) -> int:
        """The register for a text; CommandError with the server's words if there is none."""
        return numbers.parse_int(text)

    def format(self, raw: int) -> str:
        """The text of a register."""
        return str(raw)

    def labels(self) -> Sequence[str] | None:
        """What can be written, if that is a choice."""
        return None

    def attributes(self, field: "Register") -> Iterator[tuple[str, Attribute]]:
        """Attributes of a field of this subtype, by name."""
        return iter(())


class Uint(Codec):
    """An unsigned integer; its option is the largest value."""

    def __init__(self, spec: FieldSpec, bus: Bus):
        super().__init__(spec, bus)
        option = spec.options[0] if spec.options else str(numbers.UINT32_MAX)
        if not option.isdecimal():
            raise spec.fail(f"the maximum of a uint is a number, not {option!r}")
        self.maximum = int(option)

    def parse(self, text: str) -> int:
        value = numbers.parse_uint(text)
        if value > self.maximum:
            raise CommandError("Number out of range")
        return value

    def attributes(self, field: "Register") -> Iterator[tuple[str, Attribute]]:
        yield "MAX", Attribute("Maximum valid value for this field", lambda: str(self.maximum))


class Bit(Codec):
    """0 or 1."""

    def parse(self, text: str) -> int:
        if text not in ("0", "1"):
            raise CommandError("Invalid bit value")
        return int(text)


class Action(Codec):
    """Something to trigger, by writing nothing to it."""

    def parse(self, text: str) -> int:
        if text:
            raise CommandError("Unexpected character after input")
        return 1


class Labelled(Codec):
    """An enumeration. Registers hold the number that the config file gives to each label."""

    def __init__(self, spec: FieldSpec, bus: Bus):
        super().__init__(spec, bus)
        self._numbers = {label: number for number, label in spec.labels}
        self._labels = dict(spec.labels)
        self.initial = next(iter(self._labels), 0)

    def parse(self, text: str) -> int:
        if text not in self._numbers:
            raise CommandError("Invalid enumeration value")
        return self._numbers[text]

    def format(self, raw: int) -> str:
        return self._labels.get(raw, "")

    def labels(self) -> Sequence[str]:
        return list(self._numbers)


class Scalar(Codec):
    """A 32-bit integer shown as raw * scale + offset; options are scale, offset and units."""

    def __init__(self, spec: FieldSpec, bus: Bus):
        super().__init__(spec, bus)
        options = [*spec.options, *("1", "0", "")[len(spec.options) :]]
        try:
            self.scale, self.offset = float(options[0]), float(options[1])
        except ValueError:
            raise spec.fail("a scalar is written 'scalar scale offset [units]'") from None
        if not self.scale:
            raise spec.fail("the scale of a scalar can not be 0")
        self.units = " ".join(options[2:])

    def parse(self, text: str) -> int:
        value = (numbers.parse_double(text) - self.offset) / self.scale
        if not -(2**31) <= value < 2**31:
            raise CommandError("Number out of range")
        return round(value)

    def format(self, raw: int) -> str:
        return numbers.format_double(raw * self.scale + self.offset)

    def attributes(self, field: "Register") -> Iterator[tuple[str, Attribute]]:
        yield "UNITS", Attribute("Units associated with value", lambda: self.units)
        yield "RAW", field.raw_attribute("Underlying integer value", numbers.parse_int)
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


class Lut(Codec):
    """A function of A..E, kept as it was written."""

    def __init__(self, spec: FieldSpec, bus: Bus):
        super().__init__(spec, bus)
        self._text = "0x00000000"

    def parse(self, text: str) -> int:
        mask = numbers.lut_mask(text)
        self._text = text
        return mask

    def format(self, raw: int) -> str:
        return self._text

    def attributes(self, field: "Register") -> Iterator[tuple[str, Attribute]]:
        yield "RAW", Attribute("Bit pattern written to register", lambda: f"0x{field.raw:08X}")


class Time(Codec):
    """Clock ticks shown in units that can be changed; the ticks stay when the units change.

    A change of UNITS is reported as that alone, although the number has changed with it: a client
    must read the number again.
    """

    limit = numbers.UINT32_MAX

    def __init__(self, spec: FieldSpec, bus: Bus):
        super().__init__(spec, bus)
        self.units = "s"

    def parse(self, text: str) -> int:
        return numbers.parse_ticks(text, self.units, self.limit)

    def format(self, raw: int) -> str:
        return numbers.format_ticks(raw, self.units)

    def attributes(self, field: "Register") -> Iterator[tuple[str, Attribute]]:
        yield (
            "UNITS",
            Attribute(
                "Units of time setting",
                lambda: self.units,
                self._put_units,
                lambda: list(numbers.TIME_UNITS),
                field.item_of("UNITS", lambda: self.units),
            ),
        )
        yield "RAW", field.raw_attribute("Time in ticks", self._parse_raw)

    def _put_units(self, text: str) -> None:
        if text not in numbers.TIME_UNITS:
            raise CommandError("Invalid time units")
        self.units = text

    def _parse_raw(self, text: str) -> int:
        raw = numbers.parse_integer(text)
        if not 0 <= raw <= self.limit:
            raise CommandError("Time setting out of range")
        return raw


class LongTime(Time):
    """A field of type `time` has two registers: 48 bits."""

    limit = 2**48 - 1


class Mux(Codec):
    """A choice of a bus. The register holds the place of the choice in the list."""

    error = "Invalid position selection"

    def __init__(self, spec: FieldSpec, bus: Bus):
        super().__init__(spec, bus)
        self.selected = "ZERO"

    @property
    def choices(self) -> dict[str, None]:
        """Names that can be selected, in the order of the bus."""
        return self.bus.position_choices

    def parse(self, text: str) -> int:
        if text not in self.choices:
            raise CommandError(self.error)
        self.selected = text
        return 0

    def format(self, raw: int) -> str:
        return self.selected

    def labels(self) -> Sequence[str]:
        return list(self.choices)


class BitMux(Mux):
    """A choice of a bit, delayed by some clock ticks."""

    error = "Invalid bit bus selection"
    max_delay = 31

    def __init__(self, spec: FieldSpec, bus: Bus):
        super().__init__(spec, bus)
        self.delay = 0

    @property
    def choices(self) -> dict[str, None]:
        return self.bus.bit_choices

    def attributes(self, field: "Register") -> Iterator[tuple[str, Attribute]]:
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
        delay = numbers.parse_uint(text)
        if delay > self.max_delay:
            raise CommandError("Delay too long")
        self.delay = delay


CODECS: dict[str, type[Codec]] = {
    "uint": Uint,
    "int": Codec,
    "scalar": Scalar,
    "bit": Bit,
    "action": Action,
    "lut": Lut,
    "enum": Labelled,
    "time": Time,
}
