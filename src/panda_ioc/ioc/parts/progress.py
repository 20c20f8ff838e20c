"""PCAP:COMPLETION and PCAP:CAPTURED, which the PandA has to be asked for: it reports no changes."""

import asyncio
import contextlib
from collections.abc import Mapping

from panda_ioc.client.changes import Batch
from panda_ioc.errors import CommandError, PandAError
from panda_ioc.ioc.epics.alarms import DISCONNECTED, INVALID, READ, Alarm
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.connection import Connection
from panda_ioc.ioc.panda.news import Board, Follower
from panda_ioc.ioc.parts.arm import ACTIVE
from panda_ioc.ioc.parts.base import Part
from panda_ioc.ioc.parts.panel import Panel
from panda_ioc.protocol.commands import GetLine

PERIOD = 0.2  # seconds between questions while the PandA is active


class Progress(Part, Follower):
    """Asks while the PandA is active, and once more afterwards."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._panel = Panel("PCAP:")
        self._changed = asyncio.Event()
        self._is_active = False

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        """Take the records, and follow PCAP.ACTIVE."""
        self._panel.attach(records)
        board.add(self, [ACTIVE])

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """PCAP.ACTIVE has changed."""
        self._is_active = text == "1"
        self._changed.set()

    def stale(self) -> None:
        """Nobody knows."""
        self._is_active = False
        self._invalid(DISCONNECTED)

    async def run(self) -> None:
        """Show it; for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PERIOD if self._is_active else None):
                    await self._changed.wait()
            self._changed.clear()
            try:
                completion = await self._connection.send(GetLine("*PCAP.COMPLETION"))
                captured = await self._connection.send(GetLine("*PCAP.CAPTURED"))
            except CommandError:
                self._invalid(Alarm(INVALID, READ, "this PandA does not tell"))
            except PandAError:
                continue  # all records say that the connection is lost
            else:
                self._show(completion, captured)

    def _show(self, completion: str, captured: str) -> None:
        self._panel.show("COMPLETION", completion)
        if captured.isdecimal():
            self._panel.show("CAPTURED", int(captured))

    def _invalid(self, alarm: Alarm) -> None:
        self._panel.show("COMPLETION", "", alarm)
        self._panel.show("CAPTURED", 0, alarm)
