"""Table fields: written whole, or in chunks to a streaming table.

    INIT --whole--> FIXED        INIT --chunk--> STREAMING --last chunk--> STREAMING_LAST
    any state --write without data--> INIT

Streamed rows do not read back. While the hardware stands still they are gone at once, as on the
recorded server; while it moves they are queued and played, see `life`.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence

import numpy as np

from panda_ioc.errors import CommandError

from . import numbers
from .application import WORDS_PER_TABLE_PAGE, ColumnSpec, FieldSpec
from .fields import Field
from .reports import Attribute, Bus, Group, Item

# Decimal numbers without sign or leading 0: read far faster than what C might take.
_PLAIN = re.compile(r"(?: *(?:0|[1-9][0-9]{0,17})(?= |$))* *")
_STREAMING = ("STREAMING", "STREAMING_LAST")
_BASE64_LINE_BYTES = 57


class Table(Field):
    """A table: rows of 32-bit words."""

    group = Group.TABLE

    def __init__(self, spec: FieldSpec, name: str, number: int, bus: Bus):
        self.row_words = self._row_words(spec)
        self.max_length = self._max_length(spec)
        self.words: np.ndarray[tuple[int], np.dtype[np.uint32]] = np.empty(0, "<u4")
        self.mode = "INIT"
        self.plays = False
        self.queued = 0
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
        """Registers say `long 2^N ...` (pages of 1024 words) or `short WORDS ...`."""
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
        yield "B", Attribute("Table in base-64 representation", self._base64)
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
        self._queue(max(0, self.queued - rows))

    def _queue(self, rows: int) -> None:
        if rows != self.queued:
            self.queued = rows
            self._queued_item.touch()

    def _base64(self) -> list[str]:
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
        """The column of that name; CommandError if there is none."""
        if name not in self.columns:
            raise CommandError("No such sub-field")
        return self.columns[name]

    def write(self, suffix: str, lines: Sequence[str]) -> None:
        """Carry out `TABLE<suffix`, where suffix is what follows the first `<`."""
        streaming, last, binary = _suffix(suffix)
        words = self._base64_words(lines) if binary else self._words(lines)
        if len(words) % self.row_words:
            raise CommandError("Table write is not a whole number of rows")
        if streaming:
            self._append(words, last)
        else:
            self._replace(words)
        if self.item:
            self.item.touch()

    def _replace(self, words: "np.ndarray[tuple[int], np.dtype[np.uint32]]") -> None:
        if len(words) and self.mode in _STREAMING:
            raise CommandError("Table is in streaming mode")
        self.words = words
        self.mode = "FIXED" if len(words) else "INIT"
        self._queue(0)

    def _append(self, words: "np.ndarray[tuple[int], np.dtype[np.uint32]]", last: bool) -> None:
        if not len(words):
            raise CommandError("Streaming table must have data")
        if self.mode == "STREAMING_LAST":
            raise CommandError("Last streaming table was sent")
        if self.mode == "FIXED":
            raise CommandError("Table is in fixed mode")
        self.mode = "STREAMING_LAST" if last else "STREAMING"
        if self.plays:
            self._queue(self.queued + len(words) // self.row_words)

    def _words(self, lines: Sequence[str]) -> "np.ndarray[tuple[int], np.dtype[np.uint32]]":
        texts = [text for line in lines for text in line.split()]
        self._check_length(len(texts))
        parse = int if all(map(_PLAIN.fullmatch, lines)) else numbers.parse_uint
        words = np.array([parse(text) for text in texts], np.uint64)
        return (words & np.uint64(numbers.UINT32_MAX)).astype("<u4")

    def _base64_words(self, lines: Sequence[str]) -> "np.ndarray[tuple[int], np.dtype[np.uint32]]":
        try:
            data = b"".join(base64.b64decode(line, validate=True) for line in lines)
        except (binascii.Error, ValueError):
            raise CommandError("Malformed base64 string") from None
        if len(data) % 4:
            raise CommandError("Base64 data is not a whole number of words")
        self._check_length(len(data) // 4)
        return np.frombuffer(data, "<u4")

    def _check_length(self, words: int) -> None:
        if words > self.max_length:
            raise CommandError("Too much data for table")


def _suffix(suffix: str) -> tuple[bool, bool, bool]:
    """Whether the write is streaming, the last chunk, in base64."""
    streaming = suffix.startswith("<")
    rest = suffix[1:] if streaming else suffix
    last = streaming and rest.startswith("|")
    rest = rest[1:] if last else rest
    if rest not in ("", "B"):
        raise CommandError("Unexpected character after input")
    return streaming, last, rest == "B"
