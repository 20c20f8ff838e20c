"""PCAP:ARM: arms and disarms, and shows whether the PandA is armed."""

import asyncio

from panda_ioc.client.changes import Batch
from panda_ioc.errors import BadValue, CommandError, CommandTimeout, PandAError
from panda_ioc.ioc.links import Box, reason, status
from panda_ioc.ioc.memory import COMM, INVALID, Record
from panda_ioc.ioc.reports import Reports
from panda_ioc.protocol.commands import Arm, Disarm, GetLine

ACTIVE = "PCAP.ACTIVE"
POLL = 0.01  # seconds between questions whether the box is active yet
TIMEOUT = 5.0  # seconds that arming may take


class ArmLink:
    """A put of 1 is done when the box says that it is active; 0 disarms."""

    def __init__(self, box: Box, reports: Reports) -> None:
        self.record: Record
        self._box = box
        self._reports = reports
        self._shown: int | None = None

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """PCAP.ACTIVE changed."""
        active = int(text == "1")
        if active != self._shown and self.record.post(active, stamp=batch.time):
            self._shown = active

    def in_error(self, wire: str) -> None:
        """The box can not say."""
        self.stale()

    def stale(self) -> None:
        """Nobody knows."""
        self._shown = None
        self.record.post(None, INVALID, COMM, "no connection to PandA")

    async def put(self, value: int) -> None:
        """Arm or disarm."""
        try:
            active = await self._arm() if value == 1 else await self._disarm(value)
        except PandAError as error:
            self.record.refuse(value, self._shown or 0, reason(error), status=status(error))
            self._reports.refused(self.record, error)
        else:
            self._shown = active
            self.record.settle(value, active)
            self._reports.accepted(self.record)
        self._box.recheck(ACTIVE)

    async def _disarm(self, value: int) -> int:
        if value != 0:
            raise BadValue(f"{value} is neither Disarm nor Arm")
        await self._box.put(Disarm())
        return 0

    async def _arm(self) -> int:
        """Arm and wait until the box is active; what ARM then shows."""
        await self._box.put(Arm())
        try:
            async with asyncio.timeout(TIMEOUT):
                while await self._box.send(GetLine(ACTIVE)) != "1":
                    if await self._is_complete():
                        return 0  # so short that it is over already
                    await asyncio.sleep(POLL)
        except TimeoutError as error:
            if isinstance(error, PandAError):
                raise
            raise CommandTimeout(f"armed, but {ACTIVE} is still 0 after {TIMEOUT:g} s") from error
        return 1

    async def _is_complete(self) -> bool:
        try:
            return await self._box.send(GetLine("*PCAP.COMPLETION")) != "Busy"
        except CommandError:
            return False  # a server that does not know this question
