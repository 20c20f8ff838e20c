"""Tables: rows of 32-bit words on the wire, columns of numbers for everybody else.

A column is a range of bits inside one word of a row (``SEQ1.TABLE.FIELDS?``). Nothing is cut to
size silently: a value that its bits cannot hold is refused, with the name of the table, column
and row.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from panda_ioc.errors import BadValue
from panda_ioc.protocol.responses import TableFieldDetails, TableFieldInfo

WORD = np.dtype("<u4")

MAX_ROW_WORDS = 1024
"""Longest row that is understood; those of real tables have 4 words."""

_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,20}\s*")

UnpackedArray = NDArray[Any] | list[str]
"""A column: an array of numbers, or the labels of an enum."""


@dataclass(frozen=True)
class TableColumn:
    """Bits `shift` ... `shift` + `width` - 1 of word `word` of a row.

    Attributes:
        subtype: "uint", "int", "enum" or "bit"; an unknown one is taken for "uint"
        labels: of the values of an enum, else empty
    """

    name: str
    subtype: str
    word: int
    shift: int
    width: int
    labels: tuple[str, ...] = ()
    description: str | None = None

    @property
    def signed(self) -> bool:
        """Whether the bits are two's complement."""
        return self.subtype == "int"

    @property
    def dtype(self) -> np.dtype[Any]:
        """int32 if signed, else the smallest of uint8, uint16, uint32 that holds the bits."""
        if self.signed:
            return np.dtype(np.int32)
        return np.dtype(np.uint8 if self.width <= 8 else np.uint16 if self.width <= 16 else WORD)

    @property
    def limits(self) -> tuple[int, int]:
        """Smallest and largest value."""
        if self.signed:
            return -(1 << (self.width - 1)), (1 << (self.width - 1)) - 1
        return 0, (1 << self.width) - 1

    def unpack(self, rows: NDArray[np.uint32]) -> NDArray[Any]:
        """Values from words of shape (rows, words of a row)."""
        aligned = rows[:, self.word] << (32 - self.shift - self.width)
        spare = 32 - self.width
        return (aligned.view("<i4") >> spare if self.signed else aligned >> spare).astype(
            self.dtype
        )

    def pack_into(self, rows: NDArray[np.uint32], values: NDArray[np.int64]) -> None:
        """Put values, which must be within the limits, among words that have no bits there."""
        bits = (values & ((1 << self.width) - 1)).astype(WORD)
        rows[:, self.word] |= bits << self.shift

    def to_labels(self, values: NDArray[Any]) -> list[str]:
        """Labels of an enum's values; a value without one is written as a number."""
        known = len(self.labels)
        return [self.labels[v] if v < known else str(v) for v in values.tolist()]


@dataclass(frozen=True)
class TableLayout:
    """How the columns of a table lie in its words.

    Attributes:
        name: of the table, for messages
        columns: in the order of the PandA
        row_words: 32-bit words in a row
        max_rows: rows that the PandA has room for; None if it would not say
        streams: the PandA also takes the table piece by piece (servers from 4.0)
    """

    name: str
    columns: tuple[TableColumn, ...]
    row_words: int
    max_rows: int | None = None
    streams: bool = False

    @classmethod
    def from_info(cls, info: TableFieldInfo, name: str = "table") -> Self:
        """Layout of the table that was introspected as `info`.

        Raises:
            BadValue: a column does not lie inside one word of a row, or no row is so long or short
        """
        if not 1 <= info.row_words <= MAX_ROW_WORDS:
            raise BadValue(f"{name}: a row of {info.row_words} words, not 1 to {MAX_ROW_WORDS}")
        columns = tuple(_column(name, info, key, details) for key, details in info.fields.items())
        rows = info.max_length // info.row_words if info.max_length else None
        return cls(name, columns, info.row_words, rows, info.has_mode)

    def unpack(self, words: NDArray[np.uint32]) -> dict[str, NDArray[Any]]:
        """Columns, by name, each of shape (rows,), from words of shape (rows * row_words,).

        Raises:
            BadValue: this is not a whole number of rows
        """
        if words.size % self.row_words:
            raise BadValue(
                f"{self.name}: {words.size} words are not whole rows of {self.row_words} words"
            )
        rows = words.astype(WORD, copy=False).reshape(-1, self.row_words)
        return {column.name: column.unpack(rows) for column in self.columns}

    def pack(self, columns: Mapping[str, ArrayLike]) -> NDArray[np.uint32]:
        """Words, of shape (rows * row_words,), from all the columns, by name.

        The values of an enum may be given as labels. Bits that belong to no column are 0.

        Raises:
            BadValue: a column is missing, unknown, or of another length; a value is not a whole
                number that its column can hold, or not a label; there are too many rows
        """
        self._check_names(columns)
        values = {column: self._values(column, columns[column.name]) for column in self.columns}
        rows = np.zeros((self._row_count(values), self.row_words), WORD)
        for column, each in values.items():
            column.pack_into(rows, each)
        return rows.reshape(-1)

    def _check_names(self, columns: Mapping[str, ArrayLike]) -> None:
        names = [column.name for column in self.columns]
        missing = [name for name in names if name not in columns]
        unknown = [name for name in columns if name not in names]
        if missing:
            raise BadValue(f"{self.name}: columns {', '.join(missing)} are missing")
        if unknown:
            raise BadValue(f"{self.name}: has no columns {', '.join(unknown)}; it has {names}")

    def _row_count(self, values: Mapping[TableColumn, NDArray[np.int64]]) -> int:
        lengths = {column.name: len(each) for column, each in values.items()}
        count = max(lengths.values(), default=0)
        if min(lengths.values(), default=0) != count:
            raise BadValue(f"{self.name}: columns differ in length: {lengths}")
        if self.max_rows is not None and count > self.max_rows:
            raise BadValue(f"{self.name}: {count} rows; it has room for {self.max_rows}")
        return count

    def _values(self, column: TableColumn, values: ArrayLike) -> NDArray[np.int64]:
        where = f"{self.name} column {column.name}"
        array = _array(where, values)
        if array.dtype.kind in "UO" and column.labels:
            array = _indices(where, column, array.tolist())
        low, high = column.limits
        whole = _whole(where, array)
        wrong = np.flatnonzero((whole < low) | (whole > high))
        if wrong.size:
            row = int(wrong[0])
            raise BadValue(f"{where} row {row}: {whole[row]} is not in {low} ... {high}")
        return whole.astype(np.int64)


def words_to_table(
    words: Iterable[str], table_field_info: TableFieldInfo, convert_enum_indices: bool = False
) -> dict[str, UnpackedArray]:
    """Columns of a table that was read as numbers in text.

    Args:
        words: 32-bit words as decimal text
        table_field_info: of the table
        convert_enum_indices: give enums as labels, not as numbers
    """
    layout = TableLayout.from_info(table_field_info)
    columns: dict[str, UnpackedArray] = dict(layout.unpack(_parse(layout.name, list(words))))
    if convert_enum_indices:
        for column in layout.columns:
            if column.subtype == "enum":
                columns[column.name] = column.to_labels(np.asarray(columns[column.name]))
    return columns


def table_to_words(
    table: Mapping[str, UnpackedArray], table_field_info: TableFieldInfo
) -> list[str]:
    """32-bit words as decimal text, ready for `Put`, of a table given as columns.

    Args:
        table: columns by name; those that are missing are 0. Numbers may be given as text
        table_field_info: of the table

    Raises:
        BadValue: as `TableLayout.pack`
    """
    layout = TableLayout.from_info(table_field_info)
    rows = max((len(values) for values in table.values()), default=0)
    zeros = dict.fromkeys(table_field_info.fields, np.zeros(rows, WORD))
    given = {name: _from_text(layout, name, values) for name, values in table.items()}
    return [str(word) for word in layout.pack(zeros | given).tolist()]


def _from_text(layout: TableLayout, name: str, values: ArrayLike) -> ArrayLike:
    """A column in which numbers that are given as text are numbers; labels stay as they are."""
    labels = next((column.labels for column in layout.columns if column.name == name), ())
    array = _array(f"{layout.name} column {name}", values)
    if array.dtype.kind not in "UO":
        return array
    return [_number(each) if each not in labels else each for each in array.tolist()]


def _number(value: Any) -> Any:
    is_number = isinstance(value, str) and _WHOLE.fullmatch(value)
    return int(value) if is_number else value


def _column(table: str, info: TableFieldInfo, name: str, details: TableFieldDetails) -> TableColumn:
    low, high = details.bit_low, details.bit_high
    if not 0 <= low <= high < 32 * info.row_words or low // 32 != high // 32:
        raise BadValue(
            f"{table} column {name}: bits {high}:{low} do not lie in one of the "
            f"{info.row_words} words of a row"
        )
    labels = tuple(details.labels or ())
    width = high - low + 1
    return TableColumn(
        name, details.subtype, low // 32, low % 32, width, labels, details.description
    )


def _parse(table: str, words: Sequence[str]) -> NDArray[np.uint32]:
    try:
        values = np.array(words, dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise BadValue(f"{table}: words are whole numbers: {error}") from error
    if values.size and not 0 <= values.min() <= values.max() < 1 << 32:
        raise BadValue(f"{table}: words are 0 ... 4294967295")
    return values.astype(WORD)


def _array(where: str, values: ArrayLike) -> NDArray[Any]:
    # Without this a list that holds a label and a number would become text altogether.
    mixed = isinstance(values, list) and any(isinstance(value, str) for value in values)
    try:
        array = np.asarray(values, dtype=object if mixed else None)
    except (ValueError, OverflowError) as error:
        raise BadValue(f"{where}: {error}") from error
    if array.ndim != 1:
        raise BadValue(f"{where}: a column has one dimension, not shape {array.shape}")
    return array


def _indices(where: str, column: TableColumn, values: list[Any]) -> NDArray[Any]:
    numbers = {label: index for index, label in enumerate(column.labels)}
    for row, value in enumerate(values):
        if isinstance(value, str) and value not in numbers:
            raise BadValue(f"{where} row {row}: {value!r} is not one of {', '.join(column.labels)}")
    return np.array([numbers.get(value, value) for value in values], dtype=object)


def _whole(where: str, array: NDArray[Any]) -> NDArray[Any]:
    """The same, if all are whole numbers (infinity counts as one: no column has room for it)."""
    match array.dtype.kind:
        case "i" | "u":
            return array
        case "b":
            return array.astype(np.uint8)
        case "f":
            wrong = np.flatnonzero(np.floor(array) != array)
        case _:
            wrong = np.flatnonzero([not isinstance(value, int) for value in array.tolist()])
    if wrong.size:
        value = array.tolist()[wrong[0]]
        raise BadValue(f"{where} row {wrong[0]}: {value!r} is not a whole number")
    return array
