"""PCAP:ARM arms and disarms, and shows whether the PandA is armed; PCAP:WAIT waits for the end."""

import asyncio
from collections.abc import Mapping

from panda_ioc.client.changes import Batch
from panda_ioc.errors import BadValue, CaptureError, CommandError, CommandTimeout, PandAError
from panda_ioc.ioc.epics.alarms import DISCONNECTED, UNREADABLE
from panda_ioc.ioc.epics.database import OnPut
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.connection import Connection
from panda_ioc.ioc.panda.news import Board, Follower
from panda_ioc.ioc.parts.base import Part
from panda_ioc.ioc.parts.puts import Puts
from panda_ioc.protocol.commands import Arm, Disarm, GetLine
from panda_ioc.protocol.responses import EndReason

ACTIVE = "PCAP.ACTIVE"
BAD_ENDS = {reason.value for reason in EndReason if not reason.is_good}
POLL = 0.01  # seconds between questions whether the box is active yet
IDLE_POLL = 0.05  # ... and whether it still is
TIMEOUT = 5.0  # seconds that arming may take


class Arming(Part, Follower):
    """A put of 1 to ARM is done when the box says that it is active; 0 disarms.

    A put to WAIT is done when the box is active no more, and fails if the acquisition did.
    """

    def __init__(self, connection: Connection, puts: Puts) -> None:
        self._connection = connection
        self._puts = puts
        self._shown: int | None = None

    def on_put(self) -> Mapping[str, OnPut]:
        """The handlers of puts, by record."""
        return {"PCAP:ARM": self._put, "PCAP:WAIT": self._put_wait}

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        """Take the records, and follow PCAP.ACTIVE."""
        self._record, self._wait = records["PCAP:ARM"], records["PCAP:WAIT"]
        board.add(self, [ACTIVE])

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """PCAP.ACTIVE changed."""
        active = int(text == "1")
        if active != self._shown and self._record.post(active, stamp=batch.time):
            self._shown = active

    def in_error(self, wire: str) -> None:
        """The box can not say."""
        self._shown = None
        self._record.post(None, UNREADABLE)

    def stale(self) -> None:
        """Nobody knows."""
        self._shown = None
        self._record.post(None, DISCONNECTED)

    async def _put(self, value: int) -> None:
        work = self._change(value)
        await self._puts.end(self._record, value, work, lambda: self._shown or 0)
        self._connection.recheck(ACTIVE)

    async def _change(self, value: int) -> int:
        """Arm or disarm; what ARM then shows."""
        self._shown = await self._arm() if value == 1 else await self._disarm(value)
        return self._shown

    async def _disarm(self, value: int) -> int:
        if value != 0:
            raise BadValue(f"{value} is neither Disarm nor Arm")
        await self._connection.put(Disarm())
        return 0

    async def _arm(self) -> int:
        """Arm and wait until the box is active; what ARM then shows."""
        await self._connection.put(Arm())
        try:
            async with asyncio.timeout(TIMEOUT):
                while await self._connection.send(GetLine(ACTIVE)) != "1":
                    if await self._completion() not in ("", "Busy"):
                        return 0  # so short that it is over already
                    await asyncio.sleep(POLL)
        except TimeoutError as error:
            if isinstance(error, PandAError):
                raise
            raise CommandTimeout(f"armed, but {ACTIVE} is still 0 after {TIMEOUT:g} s") from error
        return 1

    async def _put_wait(self, value: int) -> None:
        await self._puts.end(self._wait, value, self._ended(value), lambda: 0)

    async def _ended(self, value: int) -> int:
        """Wait until the box is idle; what WAIT then shows."""
        while await self._connection.send(GetLine(ACTIVE)) == "1":  # noqa: ASYNC110 - not an event
            await asyncio.sleep(IDLE_POLL)
        completion = await self._completion()
        if value and completion in BAD_ENDS:
            raise CaptureError(f"the acquisition ended: {completion}")
        return 0

    async def _completion(self) -> str:
        """How the acquisition stands or ended; "" from a server that does not know."""
        try:
            return await self._connection.send(GetLine("*PCAP.COMPLETION"))
        except CommandError:
            return ""
