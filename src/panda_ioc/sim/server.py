"""The sockets of the simulated PandA: control port on asyncio, data port on threads."""

import asyncio
import signal
import socket
import sys
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from panda_ioc.errors import ConfigurationError

from .acquisition import Settings
from .application import PACKAGED, load
from .machine import Machine
from .reader import DataPort
from .session import Session

_FLUSH_BYTES = 1 << 16


class _ControlProtocol(asyncio.Protocol):
    """One control connection. Reads no more while the client does not read its replies."""

    def __init__(self, server: "SimulatedPandA"):
        self._server = server
        self._machine = server.machine
        self.session = Session(server.machine)
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._later: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self._transport = None
        if self._later:
            self._later.cancel()

    def data_received(self, data: bytes) -> None:
        self.session.feed(data)
        self._answer()

    def pause_writing(self) -> None:
        self._paused = True
        self._hold()

    def resume_writing(self) -> None:
        self._paused = False
        self._answer()

    def drop(self) -> None:
        if self._transport:
            self._transport.abort()

    def _hold(self) -> None:
        if self._transport:
            self._transport.pause_reading()

    def _answer(self) -> None:
        """Answer what is complete; replies to pipelined commands go out together."""
        if self._stalled():
            return
        replies = bytearray()
        while not self._paused and (reply := self.session.step()) is not None:
            replies += reply
            if len(replies) > _FLUSH_BYTES or self._machine.split or self._machine.stalled():
                self._write(replies)
                replies = bytearray()
                if self._stalled():
                    return
        self._write(replies)
        if self.session.closed and self._transport:
            self._transport.close()
        elif not self._paused and self._transport:
            self._transport.resume_reading()

    def _write(self, replies: bytearray) -> None:
        if not replies or not self._transport:
            return
        if self._machine.split:
            stream = self._transport.get_extra_info("socket")
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
            self._transport.write(replies[:1])
            del replies[:1]
        self._transport.write(replies)

    def _stalled(self) -> bool:
        """While the machine is stalled: read nothing, and come back when it is over."""
        seconds = self._machine.stalled()
        if seconds and not self._later:
            self._hold()
            self._later = asyncio.get_running_loop().call_later(seconds, self._resume)
        return bool(seconds)

    def _resume(self) -> None:
        self._later = None
        self._answer()


class SimulatedPandA:
    """A simulated PandA inside the running event loop.

        async with SimulatedPandA() as panda:
            ...connect to panda.host, panda.control_port, panda.data_port

    `config_dir` is a PandA application (None: the packaged one, which is alive from the start);
    ports of 0 are chosen by the system, a data port of None is the one after the control port if
    that is free. `alive` None means: alive from the first `*PCAP.ARM=` on.
    Raises ConfigurationError for a bad application or ports that can not be had.
    """

    def __init__(
        self,
        config_dir: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        data_port: int | None = None,
        *,
        settings: Settings | None = None,
        alive: bool | None = None,
        unknown_types: bool = False,
    ):
        application = load(config_dir or PACKAGED, unknown_types)
        if alive is None and config_dir is None:
            alive = True
        self.name = (config_dir or PACKAGED).resolve().name
        self.machine = Machine(application, settings or Settings(), alive)
        self.machine.drop_others = self._drop_others
        self.host = host
        self.control_port = port
        self.data_port = 0
        self._asked_data_port = data_port
        self.connections: set[_ControlProtocol] = set()
        self._server: asyncio.Server | None = None
        self._data: DataPort | None = None

    async def start(self) -> None:
        """Listen on both ports, whose numbers are known then."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: _ControlProtocol(self), self.host, self.control_port
            )
            self._data = self._open_data_port()
        except OSError as error:
            await self.stop()
            raise ConfigurationError(
                f"can not listen on {self.host}, control port {self.control_port}, data port"
                f" {self._asked_data_port}: {error}; choose others, 0 for any that are free"
            ) from error
        self.control_port = self._server.sockets[0].getsockname()[1]
        self.data_port = self._data.port
        self.machine.drop_readers = self._data.drop

    def _open_data_port(self) -> DataPort:
        """The data port asked for; if none was, the one after the control port or any free one."""
        capture = self.machine.capture
        if self._asked_data_port is not None:
            return DataPort(capture, self.host, self._asked_data_port)
        if not self.control_port:
            return DataPort(capture, self.host, 0)
        try:
            return DataPort(capture, self.host, self.control_port + 1)
        except OSError:
            return DataPort(capture, self.host, 0)

    async def stop(self) -> None:
        """Close everything, as a PandA that is switched off."""
        if self._server:
            self._server.close()
            for connection in list(self.connections):
                connection.drop()
            await self._server.wait_closed()
        if self._data:
            await asyncio.to_thread(self._data.close)
        self._server = self._data = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    def _drop_others(self, session: object) -> None:
        for connection in list(self.connections):
            if connection.session is not session:
                connection.drop()


def run(
    config_dir: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 8888,
    data_port: int | None = None,
    *,
    settings: Settings | None = None,
    alive: bool | None = None,
    unknown_types: bool = False,
) -> int:
    """Run a simulated PandA until SIGTERM or SIGINT; one line on stdout says that it is ready.

    Arguments are those of SimulatedPandA. Returns 0.
    """
    panda = SimulatedPandA(
        config_dir,
        host,
        port,
        data_port,
        settings=settings,
        alive=alive,
        unknown_types=unknown_types,
    )
    asyncio.run(_serve(panda))
    return 0


async def _serve(panda: SimulatedPandA) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with panda:
        sys.stdout.write(
            f"panda-ioc sim: {panda.name} ready, control {panda.host}:{panda.control_port}"
            f" data {panda.host}:{panda.data_port}\n"
        )
        sys.stdout.flush()
        await stop.wait()
