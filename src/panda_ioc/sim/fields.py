"""Fields of the simulated PandA: one object for each field of each block instance.

A field has text to get and put, attributes, and items that `*CHANGES?` reports. Types differ in
their class (FIELDS, at the end) and subtypes in how they show a register (`codecs.CODECS`).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from panda_ioc.errors import CommandError
from panda_ioc.sim.application import FieldSpec
from panda_ioc.sim.codecs import CODECS, BitMux, LongTime, Mux, Uint, WireCodec
from panda_ioc.sim.reports import Attribute, Bus, Group, Item, Text
from panda_ioc.sim.scan import Cursor


class SimField:
    """A field of one block instance; this class is a field of a type that no server has yet."""

    group: ClassVar[Group | None] = Group.READ
    readable = True
    writeable = False

    def __init__(self, spec: FieldSpec, name: str, number: int, bus: Bus) -> None:
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
        """Yield attributes by name; INFO is added to them."""
        return iter(())

    def item_of(self, attribute: str, text: Callable[[], str]) -> Item:
        """Return a change item for an attribute of this field."""
        self.items.append(Item(f"{self.name}.{attribute}", Group.ATTR, text, self.bus))
        return self.items[-1]

    def text(self) -> str:
        """Return its value as text, as `*CHANGES?` and `get` show it."""
        return "0"

    def labels(self) -> Sequence[str] | None:
        """Return what `*ENUMS` lists, if it is a choice."""
        return None

    def get(self) -> Text:
        """Return the answer to `BLOCK.FIELD?`."""
        if not self.readable:
            raise CommandError("Field not readable")
        if self.item and self.item.error:
            raise CommandError(f"Error reading {self.name}")
        return self.text()

    def put(self, text: str) -> None:
        """Carry out `BLOCK.FIELD=text`."""
        if not self.writeable:
            raise CommandError("Field not writeable")
        self.store(text)
        self.changed()

    def changed(self) -> None:
        """Report the value of the field, although it may be the same."""
        if self.item:
            self.item.touch()

    def store(self, text: str) -> None:
        """Take a new value, or raise CommandError with the server's text."""

    def bus_index(self) -> int:
        """Return the bus index of this instance, from the registers file."""
        registers = self.spec.registers
        try:
            return int(registers[self.number - 1])
        except (IndexError, ValueError):
            raise self.spec.fail(
                f"the registers file gives {' '.join(registers)!r}, not one bus index an instance"
            ) from None


class Register(SimField):
    """A field that is one register, as a codec shows it."""

    default_codec: type[WireCodec] | None = None

    def __init__(self, spec: FieldSpec, name: str, number: int, bus: Bus) -> None:
        self.codec = (self.default_codec or CODECS.get(spec.subtype, Uint))(spec, bus)
        self.raw = 0 if spec.default is None else self._default(spec)
        super().__init__(spec, name, number, bus)

    def _default(self, spec: FieldSpec) -> int:
        try:
            return Cursor(spec.default or "").unsigned()
        except CommandError as error:
            raise spec.fail(f"default {spec.default!r} is not a number: {error}") from error

    def make_attributes(self) -> Iterator[tuple[str, Attribute]]:
        return self.codec.attributes(self)

    def raw_attribute(self, description: str, take: Callable[[Cursor], int]) -> Attribute:
        """Return the RAW attribute: the register as a number."""

        def put(text: str) -> None:
            cursor = Cursor(text)
            raw = take(cursor)
            cursor.end()
            if not self.writeable:
                raise CommandError("Register cannot be written")
            self.raw = raw
            self.changed()

        return Attribute(description, self._raw_text, put)

    def _raw_text(self) -> str:
        if not self.readable:
            raise CommandError("Register cannot be read")
        return str(self.raw)

    def text(self) -> str:
        return self.codec.format(self.raw)

    def labels(self) -> Sequence[str] | None:
        return self.codec.labels()

    def store(self, text: str) -> None:
        self.raw = self.parse(text)

    def parse(self, text: str) -> int:
        """Return the register for a whole text.

        Raises:
            CommandError: with the server's words, if there is none
        """
        cursor = Cursor(text)
        raw = self.codec.take(cursor)
        cursor.end()
        return raw

    def show(self, raw: int) -> None:
        """Set what the hardware sets: reported if it changed."""
        if raw != self.raw:
            self.raw = raw
            self.changed()


class Param(Register):
    """A setting: param, and the types that are like it."""

    group = Group.CONFIG
    writeable = True


class Read(Register):
    """What the hardware shows."""

    group = Group.READ


class WriteAction(Register):
    """What can only be written; nothing reports it."""

    group = None
    readable = False
    writeable = True


class TimeField(Param):
    """A time of 48 bits."""

    default_codec = LongTime


class BitMuxField(Param):
    """An input that selects a bit."""

    default_codec = BitMux


class PosMuxField(Param):
    """An input that selects a position."""

    default_codec = Mux


class BitOut(Register):
    """A bit of the bit bus, which PCAP captures in words of 32."""

    group = Group.BITS
    default_codec = WireCodec

    def __init__(self, spec: FieldSpec, name: str, number: int, bus: Bus) -> None:
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
        self.changed()


FIELDS: dict[str, type[SimField]] = {
    "param": Param,
    "read": Read,
    "write": WriteAction,
    "time": TimeField,
    "bit_out": BitOut,
    "bit_mux": BitMuxField,
    "pos_mux": PosMuxField,
}
