"""A TCP proxy that does what networks and ill boxes do; what it does is changed while it runs.

    bridge <--- down --- Port --- up ---> PandA         one `Port` for control, one for data

For each direction a rule says what becomes of the bytes that come: it is given each piece and tells
the steps to take, bytes to send on among them. All chance comes from one seed.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from enum import Enum
from typing import Any, Self, TypeVar

LOOPBACK = "127.0.0.1"
PIECE = 1 << 16
T = TypeVar("T")


class Do(Enum):
    """What can be done to a connection besides sending bytes on."""

    RESET = "both sides see a connection reset"
    CLOSE = "both sides see an end of file"
    HALF_CLOSE = "the receiver sees an end of file, and may go on sending"
    SILENCE = "nothing passes in this direction from now on, and nobody is told"


class Welcome(Enum):
    """What happens to new connections."""

    FORWARD = "joined to the PandA"
    REFUSE = "refused"
    IGNORE = "accepted, and nothing ever said"
    HANG_UP = "accepted and closed at once"


Step = bytes | float | Do
"""Bytes to send on, seconds to wait, or what to `Do`."""
Rule = Callable[["Link", bytes], Iterable[Step]]


def forward(link: "Link", data: bytes) -> Iterable[Step]:
    """As if there were no proxy."""
    return (data,)


def swallow(link: "Link", data: bytes) -> Iterable[Step]:
    """Bytes are lost for good."""
    return ()


def delayed(seconds: float) -> Rule:
    """A slow network."""
    return lambda link, data: (seconds, data)


def trickled(seconds: float) -> Rule:
    """One byte at a time."""
    return lambda link, data: (s for at in range(len(data)) for s in (data[at : at + 1], seconds))


def chopped(link: "Link", data: bytes) -> Iterator[Step]:
    """Pieces of any size."""
    while data:
        size = link.random.randint(1, 40)
        yield data[:size]
        data = data[size:]


def cut(after: int, how: Do) -> Rule:
    """After so many bytes of the next piece, the end."""
    return lambda link, data: (data[:after], how)


def corrupted(share: float) -> Rule:
    """This share of all bytes is replaced."""

    def rule(link: "Link", data: bytes) -> Iterable[Step]:
        damaged = bytearray(data)
        for at in range(len(damaged)):
            if link.random.random() < share:
                damaged[at] = link.random.randrange(256)
        return (bytes(damaged),)

    return rule


def instead(*steps: Step) -> Rule:
    """The next piece is replaced, and nothing else comes on this connection."""
    return lambda link, data: (*steps, Do.SILENCE)


def flood(piece: bytes) -> Rule:
    """A piece again and again, without end."""

    def rule(link: "Link", data: bytes) -> Iterator[Step]:
        while True:
            yield piece

    return rule


def only(role: str, rule: Rule) -> Rule:
    """A rule for one kind of connection, others being left alone."""
    return lambda link, data: rule(link, data) if link.role == role else (data,)


class Link:
    """One connection through the proxy.

    Attributes:
        role: "changes" once the bridge has asked for changes on it, else "commands"
        random: where its rules take their chances from
    """

    def __init__(
        self, client: socket.socket, server: socket.socket, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.client, self.server = client, server
        self.random = random.Random()
        self._loop = loop
        self.role = "commands"
        self.pumps: list[asyncio.Task[None]] = []

    @property
    def is_open(self) -> bool:
        """False once it was closed."""
        return self.client.fileno() >= 0

    def close(self, reset: bool = False) -> None:
        """Close both sides, if they are not."""
        for pump in self.pumps:
            pump.cancel()
        for side in (self.client, self.server):
            if side.fileno() >= 0:
                self._loop.remove_reader(side)
                self._loop.remove_writer(side)
                if reset:
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                side.close()


class Port:
    """One port of the PandA, seen through the proxy. To be used from any thread.

    Attributes:
        port: where it listens
        target: where the PandA is
        up, down: the rules for bytes to the PandA and from it
        accepted: connections that came
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, target: tuple[str, int]) -> None:
        self.target = target
        self.accepted = 0
        self._loop = loop
        self._random = random.Random()
        self._links: set[Link] = set()
        self._welcome = Welcome.FORWARD
        self._serving: asyncio.Task[None] | None = None
        self._flows = asyncio.Event()
        self.port = 0
        self._call(self._open())
        self.heal()

    def heal(self, seed: int | None = None) -> None:
        """Forward everything again, connections to come and those that are."""
        self.up: Rule = forward
        self.down: Rule = forward
        if seed is not None:
            self._random.seed(seed)
        self.welcome(Welcome.FORWARD)
        self.release()

    def welcome(self, how: Welcome) -> None:
        """What is to happen to new connections."""
        self._call(self._set_welcome(how))

    def hold(self) -> None:
        """Silence in both directions, as when a cable is pulled; bytes are kept."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def release(self) -> None:
        """The cable is back, and what was kept comes."""
        self._loop.call_soon_threadsafe(self._flows.set)

    def inject(self, data: bytes, role: str | None = None) -> int:
        """Send bytes to the bridge that the PandA did not; returns on how many connections."""
        return self._call(self._inject(data, role))

    def end(self, how: Do, role: str | None = None) -> None:
        """Do something to the connections that there are."""
        self._call(self._end(how, role))

    @property
    def links(self) -> list[Link]:
        """The connections that there are."""
        return list(self._links)

    def close(self) -> None:
        """Close everything."""
        self._call(self._close())

    # -- in the loop ----------------------------------------------------------------------------

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _chosen(self, role: str | None) -> list[Link]:
        return [link for link in self._links if role in (None, link.role) and link.is_open]

    async def _open(self) -> None:
        self._listener = socket.create_server((LOOPBACK, self.port), backlog=100)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._serving = self._loop.create_task(self._serve())

    async def _shut(self) -> None:
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
            self._serving = None
            self._listener.close()

    async def _set_welcome(self, how: Welcome) -> None:
        self._welcome = how
        if how is Welcome.REFUSE:
            await self._shut()
        elif self._serving is None:
            await self._open()

    async def _inject(self, data: bytes, role: str | None) -> int:
        links = self._chosen(role)
        for link in links:
            with contextlib.suppress(OSError):  # it may be ended meanwhile
                await self._loop.sock_sendall(link.client, data)
        return len(links)

    async def _end(self, how: Do, role: str | None) -> None:
        for link in self._chosen(role):
            if how is Do.HALF_CLOSE:
                with contextlib.suppress(OSError):  # the other side has closed it
                    link.client.shutdown(socket.SHUT_WR)
            else:
                link.close(reset=how is Do.RESET)
                self._links.discard(link)

    async def _close(self) -> None:
        await self._shut()
        pumps = [pump for link in self._links for pump in link.pumps]
        for link in self._links:
            link.close()
        await asyncio.gather(*pumps, return_exceptions=True)

    async def _serve(self) -> None:
        while True:
            client, _ = await self._loop.sock_accept(self._listener)
            self.accepted += 1
            if self._welcome is Welcome.HANG_UP:
                client.close()
                continue
            server = socket.socket()
            server.setblocking(False)
            link = Link(client, server, self._loop)
            link.random.seed(self._random.random())
            self._links.add(link)
            if self._welcome is Welcome.FORWARD:
                # A task, so that a link which is closed meanwhile does not wait for ever.
                link.pumps = [self._loop.create_task(self._join(link))]

    async def _join(self, link: Link) -> None:
        try:
            await self._loop.sock_connect(link.server, self.target)
        except OSError:
            link.close(reset=True)
            return
        for side in (link.client, link.server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pairs = ((link.client, link.server, True), (link.server, link.client, False))
        link.pumps = [self._loop.create_task(self._pump(link, *pair)) for pair in pairs]

    async def _pump(self, link: Link, source: socket.socket, to: socket.socket, up: bool) -> None:
        try:
            while data := await self._loop.sock_recv(source, PIECE):
                if up and b"*CHANGES" in data:
                    link.role = "changes"
                await self._flows.wait()
                rule = self.up if up else self.down
                for step in rule(link, data):
                    await self._take(step, link, to)
            to.shutdown(socket.SHUT_WR)
        except OSError:
            link.close(reset=True)
        if all(pump.done() or pump is asyncio.current_task() for pump in link.pumps):
            link.close()
            self._links.discard(link)

    async def _take(self, step: Step, link: Link, to: socket.socket) -> None:
        if isinstance(step, bytes):
            await self._loop.sock_sendall(to, step)
        elif isinstance(step, float):
            await asyncio.sleep(step)
        elif step is Do.HALF_CLOSE:
            to.shutdown(socket.SHUT_WR)
        elif step is Do.SILENCE:
            await asyncio.Event().wait()
        else:
            link.close(reset=step is Do.RESET)
            await asyncio.sleep(0)  # where this pump is cancelled


class Proxy:
    """The two ports of a PandA, with faults; use as a context manager.

    Args:
        control, data: where the PandA is
    """

    def __init__(self, control: tuple[str, int], data: tuple[str, int]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        self._thread.start()
        self.control = Port(self._loop, control)
        self.data = Port(self._loop, data)
        self.address = f"{LOOPBACK}:{self.control.port}:{self.data.port}"

    @property
    def ports(self) -> tuple[Port, Port]:
        """Both."""
        return self.control, self.data

    def heal(self, seed: int | None = None) -> None:
        """Forward everything again."""
        for port in self.ports:
            port.heal(seed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for port in self.ports:
            with contextlib.suppress(TimeoutError):
                port.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
