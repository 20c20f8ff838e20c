"""Fields of the simulated PandA: one object for each field of each block instance.

A field has text to get and put, attributes, and items that `*CHANGES?` reports.  What differs
between types is in two tables at the end of the file: CODECS (subtype -> how a register is read
and written) and FIELDS (type -> class).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import count
from typing import ClassVar

from panda_ioc.errors import CommandError

from . import numbers
from .application import FieldSpec

Text = str | list[str]


class Group(Enum):
    """The selections of `*CHANGES`."""

    CONFIG = "CONFIG"
    BITS = "BITS"
    POSN = "POSN"
    READ = "READ"
    ATTR = "ATTR"
    TABLE = "TABLE"
    METADATA = "METADATA"


class Item:
    """A value whose changes are reported; `stamp` says when it last changed."""

    def __init__(self, name: str, group: Group, text: Callable[[], str] | None, bus: "Bus"):
        self.name = name
        self.group = group
        self.text = text
        self.error = False
        self._stamps = bus.stamps
        self.touch()

    def touch(self) -> None:
        self.stamp = next(self._stamps)

    def line(self) -> str:
        if self.error:
            return f"{self.name} (error)"
        return f"{self.name}={self.text()}" if self.text else f"{self.name}<"


class Bus:
    """What fields of all blocks share: the names on the bit and position buses, change stamps."""

    def __init__(self) -> None:
        self.stamps = count(1)
        self.bits: dict[int, str] = {}
        self.positions: dict[int, str] = {}
        self.bit_choices: dict[str, None] = {}
        self.position_choices: dict[str, None] = {}

    def complete(self) -> None:
        """Fix the choices of multiplexers, in bus order, once all fields are known."""
        bits = [self.bits[index] for index in sorted(self.bits)]
        positions = [self.positions[index] for index in sorted(self.positions)]
        self.bit_choices = dict.fromkeys([*bits, "ZERO", "ONE"])
        self.position_choices = dict.fromkeys([*positions, "ZERO"])


@dataclass(frozen=True)
class Attribute:
    """One attribute of one field instance."""

    description: str
    get: Callable[[], Text]
    put: Callable[[str], None] | None = None
    labels: Callable[[], Sequence[str]] | None = None
    item: Item | None = None

    def write(self, text: str) -> None:
        if self.put is None:
            raise CommandError("Attribute not writeable")
        self.put(text)
        if self.item:
            self.item.touch()


class Codec:
    """A register read and written as text; this one is the signed integer."""

    def __init__(self, spec: FieldSpec, bus: Bus):
        self.spec = spec
        self.bus = bus
        self.initial = 0

    def parse(self, text: str) -> int:
        return numbers.parse_int(text)

    def format(self, raw: int) -> str:
        return str(raw)

    def labels(self) -> Sequence[str] | None:
        return None

    def attributes(self, field: "Register") -> Iterator[tuple[str, Attribute]]:
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
    def parse(self, text: str) -> int:
        if text not in ("0", "1"):
            raise CommandError("Invalid bit value")
        return int(text)


class Action(Codec):
    def parse(self, text: str) -> int:
        if text:
            raise CommandError("Unexpected character after input")
        return 1


class Labelled(Codec):
    """An enumeration.  Registers hold the number that the config file gives to each label."""

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
    """Clock ticks shown in units that can be changed; the ticks stay when the units change."""

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
    """A choice of a bus.  The register holds the place of the choice in the list."""

    error = "Invalid position selection"

    def __init__(self, spec: FieldSpec, bus: Bus):
        super().__init__(spec, bus)
        self.selected = "ZERO"

    @property
    def choices(self) -> dict[str, None]:
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


class Field:
    """A field of one block instance; this class is a field of a type that no server has yet."""

    group: ClassVar[Group | None] = Group.READ
    readable = True
    writeable = False

    def __init__(self, spec: FieldSpec, name: str, number: int, bus: Bus):
        self.spec = spec
        self.name = name
        self.number = number
        self.bus = bus
        self.items: list[Item] = []
        self.item = self._report()
        self.attributes = dict(self.make_attributes())
        self.attributes["INFO"] = Attribute("Class information for field", lambda: spec.info)

    def _report(self) -> Item | None:
        if self.group is None or not self.readable:
            return None
        self.items.append(Item(self.name, self.group, self.text, self.bus))
        return self.items[-1]

    def make_attributes(self) -> Iterator[tuple[str, Attribute]]:
        return iter(())

    def item_of(self, attribute: str, text: Callable[[], str]) -> Item:
        """A change item for an attribute of this field."""
        self.items.append(Item(f"{self.name}.{attribute}", Group.ATTR, text, self.bus))
        return self.items[-1]

    def text(self) -> str:
        return "0"

    def labels(self) -> Sequence[str] | None:
        return None

    def get(self) -> Text:
        if not self.readable:
            raise CommandError("Field not readable")
        if self.item and self.item.error:
            raise CommandError(f"Error reading {self.name}")
        return self.text()

    def put(self, text: str) -> None:
        if not self.writeable:
            raise CommandError("Field not writeable")
        self.store(text)
        if self.item:
            self.item.touch()

    def store(self, text: str) -> None:
        """Take a new value, or raise CommandError with the server's text."""

    def bus_index(self) -> int:
        """The bus index of this instance, from the registers file."""
        registers = self.spec.registers
        try:
            return int(registers[self.number - 1])
        except (IndexError, ValueError):
            raise self.spec.fail(
                f"the registers file gives {' '.join(registers)!r}, not one bus index an instance"
            ) from None


class Register(Field):
    """A field that is one register, as a codec shows it."""

    default_codec: type[Codec] | None = None

    def __init__(self, spec: FieldSpec, name: str, number: int, bus: Bus):
        self.codec = (self.default_codec or CODECS.get(spec.subtype, Uint))(spec, bus)
        self.raw = self.codec.initial
        if spec.default is not None:
            self.raw = self._default(spec)
        super().__init__(spec, name, number, bus)

    def _default(self, spec: FieldSpec) -> int:
        try:
            return numbers.parse_integer(spec.default or "")
        except CommandError as error:
            raise spec.fail(f"default {spec.default!r} is not a number: {error}") from error

    def make_attributes(self) -> Iterator[tuple[str, Attribute]]:
        return self.codec.attributes(self)

    def raw_attribute(self, description: str, parse: Callable[[str], int]) -> Attribute:
        def put(text: str) -> None:
            self.raw = parse(text)
            if self.item:
                self.item.touch()

        return Attribute(description, lambda: str(self.raw), put if self.writeable else None)

    def text(self) -> str:
        return self.codec.format(self.raw)

    def labels(self) -> Sequence[str] | None:
        return self.codec.labels()

    def store(self, text: str) -> None:
        self.raw = self.codec.parse(text)

    def show(self, raw: int) -> None:
        """What the hardware sets: reported if it changed."""
        if raw != self.raw:
            self.raw = raw
            if self.item:
                self.item.touch()


class Param(Register):
    group = Group.CONFIG
    writeable = True


class Read(Register):
    group = Group.READ


class Write(Register):
    group = None
    readable = False
    writeable = True


class TimeField(Param):
    default_codec = LongTime


class BitMuxField(Param):
    default_codec = BitMux


class PosMuxField(Param):
    default_codec = Mux


class BitOut(Register):
    """A bit of the bit bus, which PCAP captures in words of 32."""

    group = Group.BITS
    default_codec = Codec

    def __init__(self, spec: FieldSpec, name: str, number: int, bus: Bus):
        super().__init__(spec, name, number, bus)
        bus.bits[self.index] = name

    def make_attributes(self) -> Iterator[tuple[str, Attribute]]:
        self.index = self.bus_index()
        word, offset = divmod(self.index, 32)
        yield (
            "CAPTURE_WORD",
            Attribute("Name of field containing this bit", lambda: f"PCAP.BITS{word}"),
        )
        yield "OFFSET", Attribute("Position of this bit in captured word", lambda: str(offset))

    def pulse(self, raw: int | None = None) -> None:
        """Report the bit although its value may be the same."""
        self.raw = self.raw if raw is None else raw
        if self.item:
            self.item.touch()


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

FIELDS: dict[str, type[Field]] = {
    "param": Param,
    "read": Read,
    "write": Write,
    "time": TimeField,
    "bit_out": BitOut,
    "bit_mux": BitMuxField,
    "pos_mux": PosMuxField,
}
