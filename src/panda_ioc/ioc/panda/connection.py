"""The connection to one PandA: two control connections, made again whenever they are lost.

Puts have one connection and the change feed another, so that neither waits for the other's replies.
If one fails both are closed: what is shown is then stale until everything has been read again.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar, cast

from panda_ioc.client.address import Address
from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.changes import Batch, ChangeFeed, fetch_table
from panda_ioc.device.model import Device
from panda_ioc.errors import CommandError, CommandTimeout, ConnectionLost, PandAError
from panda_ioc.ioc.panda.backoff import Backoff
from panda_ioc.ioc.panda.identity import client_of, identify, introspect
from panda_ioc.ioc.panda.outage import Outage
from panda_ioc.ioc.panda.rechecks import Ask, Rechecks
from panda_ioc.protocol.commands import Command, GetLine
from panda_ioc.protocol.responses import TableFieldInfo
from panda_ioc.threads import ThreadOwner

log = logging.getLogger(__name__)

T = TypeVar("T")


class ConnectionState(IntEnum):
    """States of the record STATUS."""

    DISCONNECTED = 0
    CONNECTING = 1
    CONNECTED = 2


@dataclass(frozen=True)
class Listener:
    """Receives what the connection brings; every method is called in the event loop.

    Attributes:
        changed: all that has changed
        answered: what was asked for with `recheck`
        state: the connection is in another state, and why
    """

    changed: Callable[[Batch], None]
    answered: Callable[[Batch], None]
    state: Callable[[ConnectionState, str], None]


class DeviceChanged(PandAError):
    """Another PandA, or one with other firmware, answered: it needs other records.

    Attributes:
        device: what it is now
    """

    def __init__(self, message: str, device: Device) -> None:
        super().__init__(message)
        self.device = device


class Connection:
    """A connection to one PandA that reconnects whenever it is lost.

    Args:
        address: of the PandA
        device: what it was when it was introspected; if it is another `run` raises
        is_fresh: it has just been introspected, so the first connection need not look again
        poll_period: seconds between polls of changes
        attentive_period: the same while things are happening
        listener: who is told
    """

    def __init__(
        self,
        address: Address,
        device: Device,
        is_fresh: bool,
        poll_period: float,
        attentive_period: float,
        listener: Listener,
    ) -> None:
        self.address = address
        self.reconnects = 0
        self.puts = 0
        self._is_known = is_fresh
        self._device = device
        self._listener = listener
        self._ticks = itertools.count(1)
        self._commands = client_of(address)
        self._changes = client_of(address)
        tables = {f.wire for f in device.fields.values() if isinstance(f.info, TableFieldInfo)}
        self.feed = ChangeFeed(
            self._changes, poll_period, listener.changed, self.tick, tables, attentive_period
        )
        self._connected = False
        self._outage = Outage()
        self._rechecks = Rechecks()
        self._owner = ThreadOwner("the connection")

    # -- for links ------------------------------------------------------------------------------

    def tick(self) -> int:
        """Return a number larger than all before."""
        return next(self._ticks)

    async def send(self, command: Command[T]) -> T:
        """Send a command and return its result.

        Raises:
            CommandError: the PandA refused it
            ConnectionLost, CommandTimeout: it did not answer
        """
        return await self._client().send(command)

    async def put(self, command: Command[None]) -> None:
        """Send a command that changes something; then poll at once."""
        await self.send(command)
        self._count_put()

    async def put_and_ask(self, command: Command[None], question: Command[T]) -> T:
        """Send a command and a question in one round trip; return the answer to the question."""
        both: list[Command[Any]] = [command, question]
        _, answer = await self._client().send(both)
        self._count_put()
        return cast(T, answer)

    async def settled(self) -> None:
        """Wait until all changes up to now are shown.

        Raises:
            CommandTimeout: that takes longer than a reply may
        """
        seconds = self.address.timeout
        try:
            async with asyncio.timeout(seconds):
                await self.feed.settled()
        except TimeoutError as error:
            raise CommandTimeout(f"{self.address}: no changes told in {seconds:g} s") from error

    def shown(self, readable: Iterable[str]) -> None:
        """Ask for names that became readable, and what was to be asked after the next changes."""
        for wire in readable:
            self.recheck(wire)
        if self._connected:
            self._rechecks.begin_deferred()

    def recheck(self, wire: str) -> None:
        """Ask for a value and pass it on, as soon as there is a connection."""
        self._recheck(wire, self._ask)

    def recheck_later(self, wire: str) -> None:
        """Ask for a value after the next changes: the record could not show it now."""
        self._rechecks.defer(wire, self._ask)

    def later(self, wire: str, work: Callable[[], None]) -> None:
        """Call a function for a name after the next changes."""

        async def do(_: str) -> None:
            work()

        self._rechecks.defer(wire, do)

    def recheck_table(self, wire: str) -> None:
        """Ask for a table and pass it on, as soon as there is a connection."""
        self._recheck(wire, self._ask_table)

    def recheck_table_later(self, wire: str) -> None:
        """Ask for a table after the next changes."""
        self._rechecks.defer(wire, self._ask_table)

    def _client(self) -> AsyncioClient:
        self._owner.check()
        if not self._connected:
            raise ConnectionLost(f"{self.address}: no connection to PandA")
        return self._commands

    def _count_put(self) -> None:
        self.puts += 1
        self.feed.poke()

    # -- life -----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect, follow changes, and reconnect when the connection is lost, forever.

        Raises:
            DeviceChanged: what answers is not what is served
        """
        self._listener.state(ConnectionState.DISCONNECTED, "")
        backoff = Backoff()
        while True:
            reason = ""
            try:
                await self._connect()
                backoff.connected()
                await self._until_lost()
            except DeviceChanged:
                raise
            except (PandAError, OSError) as error:
                reason = str(error)
            finally:
                self.reconnects += self._connected
                await self._close(reason)
            if self._outage.is_news(reason):
                log.warning("%s", reason)
            # Told each time: a put that was under way may have hidden it from a record.
            self._listener.state(ConnectionState.DISCONNECTED, self._outage.why)
            await backoff.pause()

    async def _connect(self) -> None:
        """Connect and read all values."""
        await asyncio.gather(self._commands.connect(), self._changes.connect())
        if not self._outage.is_answering:
            self._outage.is_answering = True
            self._listener.state(ConnectionState.CONNECTING, "")
        if not self._is_known:
            await self._check_device()
        await self.feed.poll()
        self._connected, self._is_known, self._outage = True, False, Outage()
        self._listener.state(ConnectionState.CONNECTED, "")
        self._rechecks.begin_deferred()
        log.info("%s: connected", self.address)

    async def _until_lost(self) -> None:
        """Poll until either connection is lost, and raise why."""
        feed = asyncio.create_task(self.feed.run())
        lost = asyncio.create_task(self._commands.wait_closed())
        fault = asyncio.create_task(self._rechecks.fault())
        tasks = (feed, lost, fault)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if lost.done():
                raise lost.result()
            await (fault if fault.done() else feed)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _check_device(self) -> None:
        """Raise if this is another PandA, which two introspections, over two connections, must
        agree on."""
        device = await introspect(self._commands)
        if device.layout == self._device.layout:
            return
        device = await identify(self._changes, device)
        raise DeviceChanged(f"{self.address}: a different PandA answers", device)

    async def _close(self, reason: str) -> None:
        self._connected = False
        self._rechecks.cancel()
        await asyncio.gather(self._commands.close(reason), self._changes.close(reason))

    # -- rechecks -------------------------------------------------------------------------------

    def _recheck(self, wire: str, ask: Ask) -> None:
        self._owner.check()
        (self._rechecks.begin if self._connected else self._rechecks.defer)(wire, ask)

    async def _ask(self, wire: str) -> None:
        number = self.tick()
        try:
            text = await self.send(GetLine(wire))
        except CommandError as error:
            self._unanswered(wire, number, self._ask, error)
        except PandAError:
            return  # the connection is lost: everything will be read again
        else:
            self._answered(wire, Batch(number, time.time(), {wire: text}, frozenset(), {}, {}))

    async def _ask_table(self, wire: str) -> None:
        number = self.tick()
        try:
            words = await fetch_table(self._commands, wire)
        except CommandError as error:
            self._unanswered(wire, number, self._ask_table, error)
        except PandAError:
            return
        else:
            self._answered(wire, Batch(number, time.time(), {}, frozenset(), {wire: words}, {}))

    def _unanswered(self, wire: str, number: int, ask: Ask, error: CommandError) -> None:
        """Mark a value as unknown and ask for it again with the next changes."""
        log.debug("%s", error)
        self._rechecks.defer(wire, ask)
        self._answered(wire, Batch(number, time.time(), {}, frozenset([wire]), {}, {}))

    def _answered(self, wire: str, batch: Batch) -> None:
        self._rechecks.answered(wire)  # a follower may ask again
        self._listener.answered(batch)
