"""The part of the bridge that tells a RecCeiver of all records, for as long as there is one."""

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence

from panda_ioc.errors import PandAError
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.epics.served import Served, served_records
from panda_ioc.ioc.panda.backoff import Backoff
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.base import Part
from panda_ioc.ioc.parts.panel import Panel
from panda_ioc.ioc.recsync.finder import find
from panda_ioc.ioc.recsync.link import RecSyncLink, connected
from panda_ioc.ioc.recsync.messages import MessageKind, RecCeiver, greeting, pong
from panda_ioc.ioc.recsync.place import Place
from panda_ioc.ioc.recsync.upload import ioc_properties, pieces
from panda_ioc.records import own
from panda_ioc.records.bridge import RECSYNC_STATES

HOLD_OFF = 2.0
"""Seconds before connecting, at most: a RecCeiver that starts is not asked by all IOCs at once."""

GREETING_TIMEOUT = 60.0
"""Seconds until the RecCeiver lets us upload: while many others do, it lets us wait."""

PING_TIMEOUT = 80.0
"""Seconds without a ping until the RecCeiver is given up; it sends one every 15 s."""

log = logging.getLogger(__name__)


class RecSync(Part):
    """Joins one RecCeiver after the other, whichever is heard first; for ever.

    Args:
        place: where RecCeivers announce themselves
        prefix: of all PVs
        properties: of the whole IOC, beside those of the environment
    """

    def __init__(self, place: Place, prefix: str, properties: Mapping[str, str]) -> None:
        self._place = place
        self._prefix = prefix
        self._properties = properties
        self._records: Sequence[Served] = ()
        self._panel = Panel()
        self._told = ""

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        """Take the records."""
        self._panel.attach(records)

    async def run(self) -> None:
        """Find a RecCeiver, join it, stay as long as it does; for ever."""
        self._records = await asyncio.to_thread(served_records)
        backoff = Backoff()
        while True:
            try:
                await self._join(backoff)
            except (PandAError, OSError) as error:
                if backoff.has_held:
                    self._told = ""
                self._lost(str(error))
            await backoff.pause()

    async def _join(self, backoff: Backoff) -> None:
        self._show("Listening", f"at {self._place}")
        recceiver = await find(self._place)
        self._show("Connecting", str(recceiver))
        await asyncio.sleep(random.uniform(0, HOLD_OFF))
        async with connected(recceiver) as link:
            await link.send(greeting(recceiver.key))
            await link.expect(MessageKind.SERVER_GREETING, GREETING_TIMEOUT)
            backoff.connected()
            self._show("Uploading", str(recceiver))
            await self._upload(link)
            self._joined(recceiver)
            try:
                await _stay(link)
            except (PandAError, OSError) as error:
                raise PandAError(f"lost {recceiver}: {error}") from error

    async def _upload(self, link: RecSyncLink) -> None:
        properties = ioc_properties(self._prefix, self._properties)
        for piece in pieces(properties, self._records):
            await link.send(piece)

    def _joined(self, recceiver: RecCeiver) -> None:
        names = sum(1 + len(record.aliases) for record in self._records)
        log.info(
            "recsync: joined RecCeiver %s: %d records, %d names",
            recceiver,
            len(self._records),
            names,
        )
        self._show("Done", str(recceiver))

    def _lost(self, why: str) -> None:
        """Log why there is no RecCeiver, once for each reason."""
        if why != self._told:
            log.warning("recsync: %s", why)
            self._told = why

    def _show(self, state: str, message: str) -> None:
        self._panel.show(own.IOC_RECSYNC_STATE, RECSYNC_STATES.index(state))
        self._panel.show(own.IOC_RECSYNC_MSG, message)


async def _stay(link: RecSyncLink) -> None:
    """Answer pings until the RecCeiver is gone."""
    while True:
        ping = await link.expect(MessageKind.PING, PING_TIMEOUT)
        await link.send(pong(ping.number))
