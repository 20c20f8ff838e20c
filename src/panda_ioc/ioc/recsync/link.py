"""A connection to one RecCeiver."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from panda_ioc.errors import CommandTimeout, ConnectionLost
from panda_ioc.ioc.recsync.messages import Message, MessageKind, MessageReader, RecCeiver
from panda_ioc.threads import ThreadOwner

PATIENCE = 20.0
"""Seconds that connecting, and each piece of an upload, may take."""

_CHUNK = 1 << 16


class RecSyncLink:
    """Messages of one RecCeiver in, bytes for it out."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._stream = reader
        self._writer = writer
        self._reader = MessageReader()
        self._messages: deque[Message] = deque()
        self._owner = ThreadOwner("the connection to a RecCeiver")

    async def send(self, message: bytes) -> None:
        """Send, and let others work."""
        self._owner.check()
        self._writer.write(message)
        async with _within(PATIENCE, "took no data"):
            await self._writer.drain()
        await asyncio.sleep(0)  # drain returns at once while there is room

    async def expect(self, kind: MessageKind, timeout: float) -> Message:
        """The next message of this kind; others are ignored, as the protocol says.

        Raises:
            ConnectionLost, CommandTimeout, ProtocolError: there is none
        """
        async with _within(timeout, f"sent no {kind.name.lower().replace('_', ' ')}"):
            while (message := await self._next()).kind != kind:
                pass
        return message

    async def _next(self) -> Message:
        self._owner.check()
        while not self._messages:
            received = await self._stream.read(_CHUNK)
            if not received:
                raise ConnectionLost("RecCeiver closed the connection")
            self._messages.extend(self._reader.receive(received))
        return self._messages.popleft()


@asynccontextmanager
async def connected(recceiver: RecCeiver) -> AsyncIterator[RecSyncLink]:
    """A connection, as long as the block lasts."""
    async with _within(PATIENCE, "did not take the connection"):
        reader, writer = await asyncio.open_connection(recceiver.host, recceiver.port)
    try:
        yield RecSyncLink(reader, writer)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)  # it is closed in the next turn of the loop


@asynccontextmanager
async def _within(seconds: float, what: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise CommandTimeout(f"RecCeiver {what} within {seconds:g} s") from None
