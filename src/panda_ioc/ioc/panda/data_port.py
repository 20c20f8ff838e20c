"""The data port of one PandA: connected while somebody wants data, made again when lost."""

import asyncio
import logging
import random
from collections.abc import Callable

from panda_ioc.capture.stream import DataStream
from panda_ioc.client.data import DataSocket
from panda_ioc.errors import CommandTimeout, PandAError
from panda_ioc.ioc.panda.connection import FIRST_PAUSE, LONGEST_PAUSE, Address

log = logging.getLogger(__name__)


class DataPort:
    """Keeps a stream open; `opened` adds what every stream feeds.

    Arguments:
        address: of the PandA
        opened: called in the event loop with each new stream, before it is started
        closed: called in the event loop when a stream has ended or there is none to be had, with
            the reason
    """

    def __init__(
        self,
        address: Address,
        opened: Callable[[DataStream], None],
        closed: Callable[[str], None],
    ) -> None:
        self._address = address
        self._opened = opened
        self._closed = closed
        self._users: set[str] = set()
        self._wanted = asyncio.Event()
        self._changed = asyncio.Condition()
        self._ended = asyncio.Event()
        self._why = ""
        self._stream: DataStream | None = None

    def want(self, user: str) -> None:
        """Somebody wants data."""
        self._users.add(user)
        self._wanted.set()

    def release(self, user: str) -> None:
        """Somebody wants data no more; with the last the connection is closed."""
        self._users.discard(user)
        if not self._users:
            self._wanted.clear()
            self._stream = None  # who wants data from now on waits for the next
            self._ended.set()

    @property
    def is_open(self) -> bool:
        """Acquisitions that are armed from now on will be received."""
        return self._stream is not None

    async def ready(self, timeout: float) -> DataStream:
        """The stream, once it is open; CommandTimeout if that takes longer than timeout (s)."""
        try:
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(lambda: self._stream and self._stream.alive)
        except TimeoutError:
            raise CommandTimeout(
                f"data port {self._address.host}:{self._address.data_port}: not connected within"
                f" {timeout:g} s: {self._why or 'no answer'}"
            ) from None
        if self._stream is None:
            raise CommandTimeout(f"data port: {self._why}")
        return self._stream

    async def run(self) -> None:
        """Connect whenever data are wanted; for ever."""
        pause = FIRST_PAUSE
        while True:
            await self._wanted.wait()
            self._ended.clear()
            try:
                await self._receive()
                pause = FIRST_PAUSE
            except PandAError as error:
                self._tell(str(error))
                self._closed(self._why)
            if self._wanted.is_set():
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _receive(self) -> None:
        """Connect and stay until the stream has ended or nobody wants it."""
        address = self._address
        connection = await asyncio.to_thread(
            DataSocket, address.host, address.data_port, timeout=address.timeout
        )
        loop = asyncio.get_running_loop()

        def ended(error: Exception | None) -> None:
            loop.call_soon_threadsafe(self._lost, error)

        stream = DataStream(connection, ended)
        self._opened(stream)
        await self._set(stream.open())
        self._why = ""
        try:
            await self._ended.wait()
        finally:
            self._stream = None
            await asyncio.to_thread(stream.close)
            self._closed(self._why)

    async def _set(self, stream: DataStream) -> None:
        async with self._changed:
            self._stream = stream
            self._changed.notify_all()

    def _lost(self, error: Exception | None) -> None:
        self._tell(str(error or ""))
        self._ended.set()

    def _tell(self, why: str) -> None:
        if why and why != self._why:
            log.warning("%s", why)
        self._why = why
