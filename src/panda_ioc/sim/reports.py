"""What fields are made of: attributes, items whose changes are reported, the buses they share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import count

from panda_ioc.errors import CommandError

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
        """It has changed: report it to everybody."""
        self.stamp = next(self._stamps)

    def line(self) -> str:
        """How `*CHANGES?` reports it."""
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
        """Carry out `BLOCK.FIELD.ATTRIBUTE=text`."""
        if self.put is None:
            raise CommandError("Attribute not writeable")
        self.put(text)
        if self.item:
            self.item.touch()
