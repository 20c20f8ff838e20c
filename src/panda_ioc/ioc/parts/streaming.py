"""Streaming tables: how the next submit writes, emptying a table, and the table's state.

Servers from 4.0 take the rows of a table piece by piece, so that a sequencer can be fed for ever.
What a submit does is chosen beforehand by NEXT_WRITE. The state of a table is not among the changes
that the PandA reports, so it is asked for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panda_ioc.errors import BadValue
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.connection import Connection
from panda_ioc.ioc.parts.base import Part, PutHandler
from panda_ioc.protocol.commands import Append, Command, Put
from panda_ioc.records.tables import APPEND_LAST, NEXT_WRITES, REPLACE

BASE64_FROM = 64
"""Words from which a table is sent as base64."""

STATE_PERIOD = 0.5
"""Seconds between questions for the states of tables."""

NOTHING = np.empty(0, np.uint32)


class Writer:
    """Makes the command that submits a table; without streaming always the one that replaces it.

    Args:
        wire: the table's name on the wire
        name: that of its records
        clear: empties the table
    """

    def __init__(self, wire: str, name: str, clear: Callable[[], Awaitable[None]]) -> None:
        self._wire = wire
        self._name = name
        self._clear = clear
        self._next = REPLACE

    @property
    def replaces(self) -> bool:
        """The next submit replaces the table: it will read back what was sent."""
        return self._next == REPLACE

    def command(self, words: NDArray[np.uint32]) -> Command[None]:
        """Return the command that submits these words."""
        base64 = len(words) >= BASE64_FROM
        if self.replaces:
            return Put(self._wire, words, base64=base64)
        if not len(words):
            raise BadValue(f"{self._name}: no rows to append; put CLEAR to empty the table")
        return Append(self._wire, words, self._next == APPEND_LAST, base64=base64)

    def attach(self, records: Mapping[str, Record]) -> None:
        for name in self.on_put():
            records[name].post(0)

    def on_put(self) -> Mapping[str, PutHandler]:
        """What to do about puts, by record."""
        return {
            f"{self._name}:NEXT_WRITE": PutHandler(self._choose, lambda: self._next),
            f"{self._name}:CLEAR": PutHandler(self._cleared, lambda: 0),
        }

    async def _choose(self, value: int) -> None:
        if not 0 <= value < len(NEXT_WRITES):
            raise BadValue(f"{value} is none of {', '.join(NEXT_WRITES)}")
        self._next = value

    async def _cleared(self, _: Any) -> int:
        await self._clear()
        return 0


class StatePoll(Part):
    """Asks for the states of streaming tables, all in one round trip.

    Args:
        connection: passes the answers on
        wires: names of the states on the wire
    """

    def __init__(self, connection: Connection, wires: Sequence[str]) -> None:
        self._connection = connection
        self._wires = wires

    async def run(self) -> None:
        """Ask once a period, forever."""
        while True:
            for wire in self._wires:
                self._connection.recheck(wire)
            await asyncio.sleep(STATE_PERIOD)
