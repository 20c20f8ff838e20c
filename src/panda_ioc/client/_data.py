"""The data connection on an asyncio transport."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import cast

from panda_ioc.client._sockets import tune
from panda_ioc.errors import CommandTimeout, ConnectionLost, PandAError
from panda_ioc.protocol.connections import DataConnection
from panda_ioc.protocol.responses import Data, FrameData

MAX_EVENTS = 4096
MAX_BYTES = 1 << 26
"""No more is received while this much has not been fetched: the box will report an overrun."""


class DataProtocol(asyncio.BufferedProtocol):
    """Events of one data connection, held until they are fetched.

    Args:
        peer: name of the other side, for messages
        scaled: have the box scale the samples
        flush_every_frame: else samples are held back until `flush`
    """

    def __init__(self, peer: str, scaled: bool, flush_every_frame: bool) -> None:
        self._peer = peer
        self._scaled = scaled
        self._every_frame = flush_every_frame
        self._loop = asyncio.get_running_loop()
        self._connection = DataConnection()
        self._events: list[Data] = []
        self._bytes = 0
        self._error: PandAError | None = None
        self._news = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._received_at = self._loop.time()

    async def events(
        self, flush_period: float | None, frame_timeout: float | None
    ) -> AsyncGenerator[Data, None]:
        """Events as they come; ends only with an exception."""
        flush_at = None if flush_period is None else self._loop.time() + flush_period
        while True:
            await self._wait(flush_at, frame_timeout)
            if flush_period is not None and flush_at is not None and flush_at <= self._loop.time():
                self._add(self._connection.flush() if self._error is None else iter(()))
                flush_at = self._loop.time() + flush_period
            for event in self._take():
                yield event
            if self._error is not None and not self._events:
                raise self._error

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        tune(transport.get_extra_info("socket"))
        self._transport.write(self._connection.connect(self._scaled))

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._connection.get_buffer(sizehint)

    def buffer_updated(self, nbytes: int) -> None:
        self._received_at = self._loop.time()
        self._add(self._connection.bytes_received(nbytes, self._every_frame))

    def eof_received(self) -> None:
        self._add(self._connection.receive_eof())

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(ConnectionLost(f"{self._peer}: {exc or 'the PandA closed the connection'}"))

    def _add(self, events: Iterator[Data]) -> None:
        try:
            for event in events:
                self._events.append(event)
                self._bytes += event.data.nbytes if isinstance(event, FrameData) else 0
        except PandAError as error:
            self._fail(error)
        if self._events:
            self._news.set()
        if self._is_full() and self._transport is not None:
            self._transport.pause_reading()

    def _fail(self, error: PandAError) -> None:
        self._error = self._error or error
        self._news.set()
        self.close()

    def _is_full(self) -> bool:
        return len(self._events) >= MAX_EVENTS or self._bytes >= MAX_BYTES

    def _take(self) -> list[Data]:
        events, self._events, self._bytes = self._events, [], 0
        if self._error is None:
            self._news.clear()
            if self._transport is not None:
                self._transport.resume_reading()
        return events

    async def _wait(self, flush_at: float | None, frame_timeout: float | None) -> None:
        """Wait for events, an error, or the time to flush."""
        while not self._news.is_set():
            silent_at = None if frame_timeout is None else self._received_at + frame_timeout
            wake_at = min((at for at in (flush_at, silent_at) if at is not None), default=None)
            try:
                async with asyncio.timeout_at(wake_at):
                    await self._news.wait()
            except TimeoutError:
                now = self._loop.time()
                if flush_at is not None and flush_at <= now:
                    return
                if frame_timeout is not None and self._received_at + frame_timeout <= now:
                    raise CommandTimeout(f"{self._peer}: no data for {frame_timeout:g} s") from None
