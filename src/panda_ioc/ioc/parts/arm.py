"""PCAP:ARM arms and disarms, and shows whether the PandA is armed; PCAP:WAIT waits for the end."""

import asyncio
from collections.abc import Mapping

from panda_ioc.client.changes import Batch
from panda_ioc.errors import (
    BadValue,
    CaptureError,
    CommandError,
    CommandTimeout,
    ConnectionLost,
    PandAError,
)
from panda_ioc.ioc.epics.alarms import DISCONNECTED, UNREADABLE
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.connection import Connection
from panda_ioc.ioc.panda.news import Board, Follower
from panda_ioc.ioc.parts.base import Part, PutHandler
from panda_ioc.ioc.parts.pcap import ACTIVE, AcquisitionPart
from panda_ioc.protocol.commands import Arm, Disarm
from panda_ioc.protocol.responses import EndReason
from panda_ioc.records import own

BAD_ENDS = {reason.value for reason in EndReason if not reason.is_good}
POLL = 0.01  # seconds between questions whether the PandA is active yet
TIMEOUT = 5.0  # seconds that arming may take
GRACE = 0.1  # seconds in which an acquisition that somebody else has disarmed becomes inactive
DISARM_TIMEOUT = 1.0  # ... and one that we have disarmed


class Arming(Part, Follower):
    """Ends a put of 1 to ARM when the PandA is active, of 0 when it can be armed again.

    A put to WAIT ends when no acquisition runs and the PandA can be armed; it fails if the
    acquisition did.
    """

    def __init__(self, connection: Connection, pcap: AcquisitionPart) -> None:
        self._connection = connection
        self._pcap = pcap
        self._active: int | None = None
        self._shown: int | None = None
        self._reports = 0

    def on_put(self) -> Mapping[str, PutHandler]:
        """What to do about puts, by record."""
        return {
            own.PCAP_ARM: PutHandler(self._put, lambda: self._active or 0),
            own.PCAP_WAIT: PutHandler(self._ended, lambda: 0),
        }

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        """Bind to the records and follow PCAP.ACTIVE."""
        self._record = records[own.PCAP_ARM]
        board.add(self, [ACTIVE])

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """Show that PCAP.ACTIVE has changed."""
        self._reports += 1
        self._active = int(text == "1")
        if self._active != self._shown and self._record.post(self._active, stamp=batch.time):
            self._shown = self._active

    def in_error(self, wire: str) -> None:
        """Show that the PandA cannot read the value."""
        self._active = self._shown = None
        self._record.post(None, UNREADABLE)

    def stale(self) -> None:
        """Show that the value is unknown."""
        self._active = self._shown = None
        self._record.post(None, DISCONNECTED)

    # -- ARM ------------------------------------------------------------------------------------

    async def _put(self, value: int) -> int:
        """Arm or disarm; return what ARM then shows."""
        try:
            return await self._change(value)
        finally:
            self._shown = self._active
            self._connection.recheck(ACTIVE)

    async def _change(self, value: int) -> int:
        if value not in (0, 1):
            raise BadValue(f"{value} is neither Disarm nor Arm")
        try:
            self._active = await (self._arm() if value else self._disarm())
        except ConnectionLost:
            self._active = None  # the alarm of the put is to end with the outage
            raise
        return self._active

    async def _disarm(self) -> int:
        """Disarm, and wait until the PandA can be armed again."""
        await self._connection.put(Disarm())
        self._active = 0
        now = await self._pcap.released(grace=DISARM_TIMEOUT)
        if now.active:
            self._active = 1
            raise CaptureError(f"still active: {ACTIVE} is 1 {DISARM_TIMEOUT:g} s after disarming")
        return 0

    async def _arm(self) -> int:
        """Arm and wait until the PandA is active; return what ARM then shows."""
        reports = self._reports
        await self._send_arm()
        try:
            async with asyncio.timeout(TIMEOUT):
                while not (now := await self._pcap.ask()).active:
                    is_told = now.completion is not None or self._reports != reports
                    if is_told and now.is_final:
                        return 0  # so short that it is over already
                    await asyncio.sleep(POLL)
        except TimeoutError as error:
            if isinstance(error, PandAError):
                raise
            raise CommandTimeout(f"armed, but {ACTIVE} is still 0 after {TIMEOUT:g} s") from error
        await self._connection.settled()  # who waits for the end by PCAP:ACTIVE sees it high first
        return 1

    async def _send_arm(self) -> None:
        """Arm, if need be after the end of an acquisition that is over but still holds the PandA.

        Raises:
            CommandError: the PandA refuses, for another reason
            CaptureError: the acquisition before does not let go of the PandA
        """
        try:
            await self._connection.put(Arm())
        except CommandError:
            if (await self._pcap.released(grace=GRACE)).active:
                raise
            await self._connection.put(Arm())

    # -- WAIT -----------------------------------------------------------------------------------

    async def _ended(self, value: int) -> int:
        """Wait until no acquisition runs; return what WAIT then shows."""
        now = await self._pcap.ended()
        if value and now.completion in BAD_ENDS:
            raise CaptureError(f"the acquisition ended: {now.completion}")
        return 0
