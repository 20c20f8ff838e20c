"""Puts of a whole table: the PVA structure, or the record PUT, which submits its columns.

A PVA put writes the columns and then processes PUT, whose `validate` takes what the columns make up
and holds the put: its client is answered once the PandA has answered.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panda_ioc.errors import BadValue, PandAError
from panda_ioc.ioc.epics.alarms import Alarm, refusal
from panda_ioc.ioc.epics.late import Late
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.parts.base import PutHandler
from panda_ioc.ioc.parts.puts import Puts

Words = NDArray[np.uint32]


class Whole:
    """Puts of one table as a whole.

    Args:
        puts: ends puts that are answered late
        late: holds PVA puts
        edited: the words that the columns make up; may raise `BadValue`
        send: sends words to the PandA
        show: show how the newest put ended: the alarm of a refused one, None for a good one
    """

    def __init__(
        self,
        puts: Puts,
        late: Late,
        edited: Callable[[], Words],
        send: Callable[[Words], Awaitable[None]],
        show: Callable[[Alarm | None], Awaitable[None]],
    ) -> None:
        self.record: Record
        self._puts = puts
        self._late = late
        self._edited = edited
        self._send = send
        self._show = show
        self._turn = asyncio.Lock()
        self._begun = 0  # counted by threads of EPICS, which hold the record's lock
        self._ended = 0

    @property
    def is_under_way(self) -> bool:
        """Whether the columns show what a client has put and the PandA has not answered yet."""
        return self._ended != self._begun

    def validate(self, _device: Any, _value: Any) -> bool:
        """Called by EPICS, with the table locked; False if the put is answered late."""
        self._begun += 1
        answer = self._late.hold()
        if answer is None:
            return True
        self.record.keep_alarm()
        self._puts.end_late(self.record, answer, self._put(self._begun, self._packed()))
        return False

    def handler(self) -> PutHandler:
        """What to do about a put that is not held."""
        return PutHandler(self._put_at_once)

    async def _put_at_once(self, _: Any) -> None:
        try:
            await self._put(self._begun, self._packed())
        finally:
            self.record.post_at_completion()

    def _packed(self) -> Words | BadValue:
        try:
            return self._edited()
        except BadValue as error:
            return error

    async def _put(self, number: int, words: Words | BadValue) -> None:
        try:
            async with self._turn:
                if isinstance(words, BadValue):
                    raise words
                await self._send(words)
        except PandAError as error:
            await self._end(number, refusal(error))
            raise
        else:
            await self._end(number, None)
        finally:
            self._ended += 1

    async def _end(self, number: int, alarm: Alarm | None) -> None:
        if number == self._begun:  # a newer put has columns of its own
            await self._show(alarm)
