"""What fields are made of: attributes, items whose changes are reported, the buses they share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import count
from typing import Protocol

from panda_ioc.errors import CommandError

Text = str | list[str]
# The longest line that the server makes room for.
MAX_RESULT = 255


class Group(Enum):
    """The selections of `*CHANGES`."""

    CONFIG = "CONFIG"
    BITS = "BITS"
    POSN = "POSN"
    READ = "READ"
    ATTR = "ATTR"
    TABLE = "TABLE"
    METADATA = "METADATA"


class Lines(Protocol):
    """Takes the lines of a table command, one by one."""

    def write(self, line: str) -> None:
        """Take one line; CommandError if it makes no sense."""

    def close(self, complete: bool) -> None:
        """Take the end of it: nothing counts unless all of it came and was good."""


def too_long(text: str) -> bool:
    """Tell whether a text is longer than what the server makes room for."""
    return len(text.encode(errors="surrogateescape")) > MAX_RESULT


class Item:
    """A value whose changes are reported; `stamp` says when it last changed."""

    def __init__(self, name: str, group: Group, text: Callable[[], str] | None, bus: "Bus") -> None:
        self.name = name
        self.group = group
        self.text = text
        self.error = False
        self._stamps = bus.stamps
        self.touch()

    def touch(self) -> None:
        """Report it to everybody: it has changed."""
        self.stamp = next(self._stamps)

    def line(self) -> str:
        """Return how `*CHANGES?` reports it."""
        if self.text is None:
            return f"{self.name}<"
        try:
            line = f"{self.name}={self.text()}"
        except CommandError:
            line = ""
        return f"{self.name} (error)" if self.error or not line or too_long(line) else line


class TextItem(Item):
    """A text whose report is cut where it is too long."""

    def line(self) -> str:
        line = f"{self.name}={self.text() if self.text else ''}"
        cut = line.encode(errors="surrogateescape")[:MAX_RESULT]
        return cut.decode(errors="surrogateescape")


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
