"""Table fields: written whole, or in chunks to a streaming table.

    INIT --whole--> FIXED        INIT --chunk--> STREAMING --last chunk--> STREAMING_LAST
    any state --write without data--> INIT

A chunk for a table in FIXED mode is refused, as a server of version 4.1 did; newer ones take it.
Streamed rows do not read back. While the hardware stands still they are gone at once, as on the
recorded server; while it moves they are queued and played, see `life`.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from panda_ioc.errors import CommandError
from panda_ioc.sim.application import WORDS_PER_TABLE_PAGE, ColumnSpec, FieldSpec
from panda_ioc.sim.fields import SimField
from panda_ioc.sim.reports import Attribute, Bus, Group, Item
from panda_ioc.sim.table_lines import words_of_base64, words_of_numbers

Words = npt.NDArray[np.uint32]

_BASE64_LINE_BYTES = 48


@dataclass(frozen=True)
class Form:
    """How a table is written: whole or in chunks, in numbers or in base64."""

    streaming: bool = False
    last: bool = False
    binary: bool = False


class Channel(Protocol):
    """The way of a table into the hardware."""

    def reset(self) -> None:
        """Forget what was sent."""

    def send(self, words: Words, more: bool) -> None:
        """Send words; `more` says that others will follow them.

        Raises:
            CommandError: the hardware takes no more
        """


class TableState(SimField):
    """A table: rows of 32-bit words.

    Attributes:
        channel: where rows go; None for hardware that has no use for them
    """

    group = Group.TABLE

    def __init__(self, spec: FieldSpec, name: str, number: int, bus: Bus) -> None:
        self.row_words = self._row_words(spec)
        self.max_length = self._max_length(spec)
        self.streams = spec.registers[0] == "long"
        self.words: Words = np.empty(0, "<u4")
        self.mode = "INIT"
        self.writing = False
        self.plays = False
        self.queued = 0
        self.channel: Channel | None = None
        super().__init__(spec, name, number, bus)
        self.columns = {column.name: column for column in spec.columns}

    def _report(self) -> Item | None:
        self.items.append(Item(self.name, Group.TABLE, None, self.bus))
        return self.items[-1]

    @staticmethod
    def _row_words(spec: FieldSpec) -> int:
        if not spec.options or not spec.options[0].isdecimal() or spec.options[0] == "0":
            raise spec.fail("a table is written 'table words', the number of words in a row")
        return int(spec.options[0])

    @staticmethod
    def _max_length(spec: FieldSpec) -> int:
        """Read `long 2^N ...` (pages of 1024 words) or `short WORDS ...`."""
        kind, *sizes = spec.registers or ("",)
        size = sizes[0] if sizes else ""
        base, _, power = size.partition("^")
        if kind == "short" and size.isdecimal():
            return int(size)
        if kind == "long" and base == "2" and power.isdecimal() and int(power) < 16:
            return (1 << int(power)) * WORDS_PER_TABLE_PAGE
        raise spec.fail("the registers of a table are 'short WORDS ...' or 'long 2^N ...'")

    def make_attributes(self) -> Iterator[tuple[str, Attribute]]:
        yield (
            "MAX_LENGTH",
            Attribute("Maximum number of entries in table", lambda: str(self.max_length)),
        )
        yield "B", Attribute("Table in base-64 representation", self.base64_lines)
        yield "ROW_WORDS", Attribute("Number of words per table row", lambda: str(self.row_words))
        yield "LENGTH", Attribute("Number of entries in table", lambda: str(len(self.words)))
        yield "FIELDS", Attribute("List of sub-fields for this table", self._fields)
        self._queued_item = self.item_of("QUEUED_LINES", lambda: str(self.queued))
        yield (
            "QUEUED_LINES",
            Attribute(
                "Number of lines scheduled", lambda: str(self.queued), item=self._queued_item
            ),
        )
        yield "MODE", Attribute("Current table mode", lambda: self.mode)

    def play(self, rows: int) -> None:
        """Take rows from the queue."""
        self.show_queued(max(0, self.queued - rows))

    def show_queued(self, rows: int) -> None:
        """Set how many rows wait to be played."""
        if rows != self.queued:
            self.queued = rows
            self._queued_item.touch()

    def base64_lines(self) -> list[str]:
        """Return its words in base64, a line for each twelve."""
        data = self.words.tobytes()
        return [
            base64.b64encode(data[i : i + _BASE64_LINE_BYTES]).decode()
            for i in range(0, len(data), _BASE64_LINE_BYTES)
        ]

    def _fields(self) -> list[str]:
        return [f"{c.high}:{c.low} {c.name} {c.subtype}" for c in self.spec.columns]

    def get(self) -> list[str]:
        return [str(word) for word in self.words.tolist()]

    def column(self, name: str) -> ColumnSpec:
        """Return the column of that name; CommandError if there is none."""
        if name not in self.columns:
            raise CommandError("Table sub-field not found")
        return self.columns[name]

    def writer(self, form: Form) -> "TableWriter":
        """Begin to write the table; nobody else can until this is closed."""
        if self.writing:
            raise CommandError("Table currently being written")
        self.writing = True
        return TableWriter(self, form)

    def take(self, words: Words, form: Form) -> None:
        """Take all that was written."""
        if len(words) % self.row_words:
            raise CommandError("Table write is not a whole number of rows")
        if form.streaming and not self.streams:
            raise CommandError("Table do not support streaming mode")
        if form.streaming:
            self._append(words, form.last)
        else:
            self._replace(words)
        self.changed()

    def _replace(self, words: Words) -> None:
        if len(words) and self.mode == "STREAMING":
            raise CommandError("Table is in streaming mode")
        if len(words) and self.mode == "STREAMING_LAST":
            raise CommandError("Last streaming table was sent")
        if self.channel and not (len(words) and self.mode == "INIT"):
            self.channel.reset()
        self.words = words
        self.mode = "FIXED" if len(words) else "INIT"
        self.show_queued(0)
        if self.channel and len(words):
            self.channel.send(words, more=False)

    def _append(self, words: Words, last: bool) -> None:
        if not len(words):
            raise CommandError("Streaming table must have data")
        if self.mode == "STREAMING_LAST":
            raise CommandError("Last streaming table was sent")
        if self.mode == "FIXED":
            raise CommandError("Table is in fixed mode")
        self.mode = "STREAMING_LAST" if last else "STREAMING"
        if self.channel:
            self.channel.send(words, more=not last)
        elif self.plays:
            self.show_queued(self.queued + len(words) // self.row_words)


class TableWriter:
    """One write to a table that is under way. Nothing of it counts once a line was wrong."""

    def __init__(self, table: TableState, form: Form) -> None:
        self._table = table
        self._form = form
        self._parts: list[Words] = []
        self._room = table.max_length

    def write(self, line: str) -> None:
        """Take one line."""
        read = words_of_base64 if self._form.binary else words_of_numbers
        words = read(line, self._room)
        self._room -= len(words)
        self._parts.append(words)

    def close(self, complete: bool) -> None:
        """Let the table have what was written, if that is complete and was good."""
        self._table.writing = False
        if complete:
            self._table.take(np.concatenate([np.empty(0, "<u4"), *self._parts]), self._form)
