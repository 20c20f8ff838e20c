"""Commands that get and put values instead of text, for the nodes of `values`."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from panda_ioc.client.values import Node, check_choice
from panda_ioc.device.codecs import Value
from panda_ioc.device.kinds import Access, R
from panda_ioc.device.tables import TableLayout
from panda_ioc.errors import BadValue, CommandError, ProtocolError
from panda_ioc.protocol.commands import Append, Command, Exchange, ExchangeGenerator, Put

Rows = NDArray[Any] | Mapping[str, ArrayLike]
"""A table: a structured array, or its columns by name."""

MICROSECONDS: Mapping[str, int] = MappingProxyType(
    {"us": 1, "ms": 1000, "s": 1_000_000, "min": 60_000_000}
)
"""Units of time -> how long they are."""


@dataclass
class GetValue(Command[Value]):
    """Get the value of a field or attribute; a time in the given units, else in the PandA's."""

    node: Node
    units: str = ""

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[Value]:
        self.node.check(R)
        value = Exchange(f"{self.node.wire}?")
        if not self.units:
            yield value
            return self.node.decode(value.line)
        units = _units(self.node, self.units)
        yield [units, value]
        factor = _microseconds(units) / MICROSECONDS[self.units]
        return float(self.node.decode(value.line)) * factor


@dataclass
class PutValue(Command[None]):
    """Set a field or attribute; a time in the given units, else in the PandA's."""

    node: Node
    value: Value
    units: str = ""

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[None]:
        self.node.check(Access.WRITE)
        text = self.node.encode(self.value)
        if self.units:
            units = _units(self.node, self.units)
            yield units
            factor = MICROSECONDS[self.units] / _microseconds(units)
            text = self.node.encode(float(text) * factor)
        exchange = Exchange(f"{self.node.wire}={text}")
        yield exchange
        exchange.check_ok()


@dataclass
class GetTable(Command[NDArray[Any]]):
    """Get the rows of a table: a structured array of shape (rows,)."""

    node: Node

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[NDArray[Any]]:
        exchange = Exchange(f"{self.node.wire}.B?")
        yield exchange
        words = words_from_base64(self.node.wire, exchange.multiline)
        columns = layout_of(self.node).unpack(words)
        rows = empty_rows(self.node, len(next(iter(columns.values()), ())))
        for name, values in columns.items():
            rows[name] = values
        return rows


def put_table(node: Node, rows: Rows) -> Command[None]:
    """Return the command that replaces the rows of a table."""
    return Put(node.wire, pack_rows(node, rows), base64=True)


def append_table(node: Node, rows: Rows, last: bool) -> Command[None]:
    """Return the command that appends rows to a streaming table."""
    return Append(node.wire, pack_rows(node, rows), last, base64=True)


def empty_rows(node: Node, count: int) -> NDArray[Any]:
    """Return this many rows of zeros."""
    return np.zeros(count, [(column.name, column.dtype) for column in layout_of(node).columns])


def pack_rows(node: Node, rows: Rows) -> NDArray[np.uint32]:
    """Return the words of rows; `BadValue` names table, column and row of what does not fit."""
    if isinstance(rows, np.ndarray) and rows.dtype.names:
        return layout_of(node).pack({name: rows[name] for name in rows.dtype.names})
    if not isinstance(rows, Mapping):
        raise BadValue(
            f"{node.wire}: give a structured array (see empty), or the columns by name, not "
            f"{type(rows).__name__}"
        )
    return layout_of(node).pack(rows)


def layout_of(node: Node) -> TableLayout:
    """Return the layout of a table; raise `BadValue` if this is none."""
    if node.layout is None:
        raise BadValue(f"{node.wire} is not a table")
    return node.layout


def words_from_base64(name: str, lines: Sequence[str]) -> NDArray[np.uint32]:
    """Return the 32-bit words of a table that came as base64."""
    try:
        return np.frombuffer(base64.b64decode("".join(lines), validate=True), "<u4")
    except (binascii.Error, ValueError) as error:
        raise ProtocolError(f"{name}.B: not the base64 of 32-bit words: {error}") from error


def _units(node: Node, units: str) -> Exchange:
    """Check the wanted units, and return the question for the PandA's."""
    if not node.units:
        raise BadValue(f"{node.wire} is not a time: it has no units to choose")
    try:
        check_choice(units, list(MICROSECONDS))
    except BadValue as error:
        raise BadValue(f"{node.units}: {error}") from None
    return Exchange(f"{node.units}?")


def _microseconds(units: Exchange) -> int:
    """Return the length in µs of the units that the PandA answered."""
    if units.line not in MICROSECONDS:
        raise CommandError(f"{units!r}: expected one of {', '.join(MICROSECONDS)}")
    return MICROSECONDS[units.line]
