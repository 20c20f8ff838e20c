"""PCAP:COMPLETION and PCAP:CAPTURED, which the PandA has to be asked for: it reports no changes."""

import asyncio
import contextlib
from collections.abc import Mapping

from panda_ioc.client.changes import Batch
from panda_ioc.errors import CommandError, PandAError
from panda_ioc.ioc.connection import Connection
from panda_ioc.ioc.memory import COMM, INVALID, READ, Record
from panda_ioc.ioc.panel import Panel
from panda_ioc.protocol.commands import GetLine

PERIOD = 0.2  # seconds between questions while the PandA is active


class Progress:
    """Asks while the PandA is active, and once more afterwards; a `Follower` of PCAP.ACTIVE."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._panel = Panel("PCAP:")
        self._changed = asyncio.Event()
        self._is_active = False

    def attach(self, records: Mapping[str, Record]) -> None:
        """Take the records."""
        self._panel.attach(records)

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """PCAP.ACTIVE has changed."""
        self._is_active = text == "1"
        self._changed.set()

    def in_error(self, wire: str) -> None:
        """The next answer will tell."""

    def stale(self) -> None:
        """Nobody knows."""
        self._is_active = False
        self._invalid(COMM, "no connection to PandA")

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
                self._invalid(READ, "this PandA does not tell")
            except PandAError:
                continue  # all records say that the connection is lost
            else:
                self._show(completion, captured)

    def _show(self, completion: str, captured: str) -> None:
        self._panel.show("COMPLETION", completion)
        if captured.isdecimal():
            self._panel.show("CAPTURED", int(captured))

    def _invalid(self, alarm: int, message: str) -> None:
        self._panel.show("COMPLETION", "", INVALID, alarm, message)
        self._panel.show("CAPTURED", 0, INVALID, alarm, message)
