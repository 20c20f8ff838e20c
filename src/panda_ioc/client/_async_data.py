"""The data connection on an asyncio transport."""

import asyncio
import math
from collections.abc import Iterator
from typing import cast

from panda_ioc.client._deadlines import Deadlines
from panda_ioc.client._sockets import tune
from panda_ioc.errors import CommandTimeout, ConnectionLost, PandAError
from panda_ioc.protocol.connections import DataConnection
from panda_ioc.protocol.responses import Data, FrameData

MAX_EVENTS = 4096
MAX_BYTES = 1 << 26
"""No more is received while this much has not been fetched: the PandA will report an overrun."""


class DataProtocol(asyncio.BufferedProtocol):
    """Events of one data connection, held until they are fetched.

    Args:
        peer: name of the other side, for messages
        scaled: have the PandA scale the samples
        flush_period: seconds between flushes of held back samples; None: hold nothing back
        frame_timeout: seconds of silence that are an error; None: none are
    """

    def __init__(
        self, peer: str, scaled: bool, flush_period: float | None, frame_timeout: float | None
    ) -> None:
        self._peer = peer
        self._scaled = scaled
        self._every_frame = flush_period is None
        self._loop = asyncio.get_running_loop()
        self._deadlines = Deadlines(flush_period, frame_timeout, self._loop.time())
        self._connection = DataConnection()
        self._events: list[Data] = []
        self._bytes = 0
        self._error: PandAError | None = None
        self._news = asyncio.Event()
        self._transport: asyncio.Transport
        self._away = False

    async def fetch(self) -> list[Data]:
        """Return the next events, perhaps none; after the last, raise what ended the connection."""
        if self._away:  # What came while nobody listened has not been read yet.
            self._deadlines.received(self._loop.time())
            self._away = False
        await self._wait()
        if self._error is None and self._deadlines.take_flush(self._loop.time()):
            self._add(self._connection.flush())
        if self._error is not None and not self._events:
            raise self._error
        return self._take()

    def close(self) -> None:
        """End the connection."""
        self._transport.abort()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        tune(transport.get_extra_info("socket"))
        self._transport.write(self._connection.connect(self._scaled))

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._connection.get_buffer(sizehint)

    def buffer_updated(self, nbytes: int) -> None:
        self._deadlines.received(self._loop.time())
        self._add(self._connection.bytes_received(nbytes, self._every_frame))

    def eof_received(self) -> None:
        self._add(self._connection.receive_eof())

    def connection_lost(self, exc: Exception | None) -> None:
        reason = f"{self._peer}: {exc or 'the PandA closed the connection'}"
        if isinstance(exc, OSError):
            self._fail(ConnectionLost.caused_by(exc, reason))
        else:
            self._fail(ConnectionLost(reason))

    def _add(self, events: Iterator[Data]) -> None:
        try:
            for event in events:
                self._events.append(event)
                self._bytes += event.data.nbytes if isinstance(event, FrameData) else 0
        except PandAError as error:
            self._fail(error)
        if self._events:
            self._news.set()
        if self._is_full():
            self._transport.pause_reading()

    def _fail(self, error: PandAError) -> None:
        self._error = self._error or error
        self._news.set()
        self.close()

    def _is_full(self) -> bool:
        return len(self._events) >= MAX_EVENTS or self._bytes >= MAX_BYTES

    def _take(self) -> list[Data]:
        events, self._events, self._bytes = self._events, [], 0
        self._away = bool(events)
        if self._error is None:
            self._news.clear()
            self._transport.resume_reading()
        return events

    async def _wait(self) -> None:
        """Wait for events, an error, or the time to flush."""
        wake_at, deadlines = self._deadlines.next, self._deadlines
        try:
            async with asyncio.timeout_at(None if wake_at == math.inf else wake_at):
                await self._news.wait()
        except TimeoutError:
            if deadlines.is_silent(self._loop.time()):
                seconds = deadlines.frame_timeout
                self._fail(CommandTimeout(f"{self._peer}: no data for {seconds:g} s"))
