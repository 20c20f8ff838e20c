"""The data port of one PandA: connected while somebody wants data, reconnected when lost."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from panda_ioc.capture.stream import DataStream
from panda_ioc.client.address import Address
from panda_ioc.client.data import DataSocket
from panda_ioc.errors import CommandTimeout, PandAError
from panda_ioc.ioc.panda.backoff import Backoff
from panda_ioc.threads import ThreadOwner

log = logging.getLogger(__name__)

_REASONS = 4  # that may alternate without being logged again


class DataPort:
    """Keeps a stream open; `opened` adds the sinks that every stream feeds.

    Args:
        address: of the PandA
        opened: called in the event loop with each new stream, before it is started
        closed: called in the event loop when a stream has ended or could not be made, with the
            reason
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
        self._told: deque[str] = deque(maxlen=_REASONS)
        self._stream: DataStream | None = None
        self._newest: DataStream | None = None
        self._owner = ThreadOwner("the data port")

    def want(self, user: str) -> None:
        """Note that this user wants data."""
        self._owner.check()
        self._users.add(user)
        self._wanted.set()

    def release(self, user: str) -> None:
        """Note that this user wants no more data; the last one closes the connection."""
        self._owner.check()
        self._users.discard(user)
        if not self._users:
            self._wanted.clear()
            self._stream = None  # who wants data from now on waits for the next
            self._ended.set()

    @property
    def stream(self) -> DataStream | None:
        """The stream, if it will receive acquisitions that are armed from now on; else None."""
        return self._stream

    async def ready(self, timeout: float) -> DataStream:
        """Wait for the stream to open; raise `CommandTimeout` after `timeout` seconds."""
        self._owner.check()
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
        """Connect whenever data are wanted, forever."""
        backoff = Backoff()
        while True:
            await self._wanted.wait()
            self._ended.clear()
            try:
                await self._receive(backoff)
            except PandAError as error:
                self._tell(str(error))
                self._closed(self._why)
            if self._why and self._wanted.is_set():  # not after the last user has let go of it
                await backoff.pause()

    async def _receive(self, backoff: Backoff) -> None:
        """Connect and stay connected until the stream ends or nobody wants it."""
        address = self._address
        connection = await asyncio.to_thread(
            DataSocket, address.host, address.data_port, timeout=address.timeout
        )
        loop = asyncio.get_running_loop()

        def ended(error: Exception | None) -> None:
            loop.call_soon_threadsafe(self._lost, stream, error)

        stream = self._newest = DataStream(connection, ended)
        self._opened(stream)
        await self._set(stream.open())
        backoff.connected()
        self._why = ""
        try:
            await self._ended.wait()
        finally:
            self._stream = None
            if backoff.has_held:
                self._told.clear()
            self._tell(self._why)
            await asyncio.to_thread(stream.close)
            self._closed(self._why)

    async def _set(self, stream: DataStream) -> None:
        async with self._changed:
            self._stream = stream
            self._changed.notify_all()

    def _lost(self, stream: DataStream, error: Exception | None) -> None:
        self._owner.check()
        if stream is self._newest:  # an older one may take its time to end
            self._why = str(error or "")
            self._ended.set()

    def _tell(self, why: str) -> None:
        """Log why there is no stream, once for each reason."""
        self._why = why
        if why and why not in self._told:
            log.warning("%s", why)
            self._told.append(why)
