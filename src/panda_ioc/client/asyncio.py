"""The two ports of a PandA, for asyncio."""

import asyncio
import math
import socket
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Self, TypeVar, overload

from panda_ioc.client._async_control import ControlProtocol
from panda_ioc.client._async_data import DataProtocol
from panda_ioc.client._sockets import (
    COMMAND_TIMEOUT,
    CONNECT_TIMEOUT,
    CONTROL_PORT,
    cannot_connect,
)
from panda_ioc.client.address import with_port
from panda_ioc.errors import BadValue, CommandError, ConnectionLost, PandAError
from panda_ioc.protocol.commands import Command, Identify
from panda_ioc.protocol.responses import Data

__all__ = ["AsyncioClient"]

T = TypeVar("T")
P = TypeVar("P", bound=asyncio.BaseProtocol)


class AsyncioClient:
    """Client of a PandA, for asyncio. For example::

        async with AsyncioClient("panda") as client:
            idn, trig = await client.send([Get("*IDN"), Get("PCAP.TRIG")])
            async for data in client.data():
                ...

    * Any number of tasks may share it: commands are sent while others are in flight.
    * A command that is cancelled has been sent all the same; its reply is dropped.
    * The same holds for a command that is not answered in time. Those behind it go on.
    * Once the connection has ended, pending and later commands fail at once. `connect` makes a new
      one.

    Args:
        host: name or address
        control_port: TCP port for commands
        data_port: TCP port for captured data; None: the one after the control port
        timeout: seconds that a command may take unless `send` says otherwise; None: no limit
        close_on_timeout: take a command that is not answered in time for the end of the connection
    """

    def __init__(
        self,
        host: str,
        control_port: int = CONTROL_PORT,
        data_port: int | None = None,
        timeout: float | None = COMMAND_TIMEOUT,
        *,
        close_on_timeout: bool = False,
    ) -> None:
        self._host = host
        self._control_port = control_port
        self._data_port = control_port + 1 if data_port is None else data_port
        self._timeout = math.inf if timeout is None else timeout
        self._close_on_timeout = close_on_timeout
        self._control: ControlProtocol | None = None
        self._connecting = asyncio.Lock()
        self._closed = 0  # how often: who is connecting then has to stop

    async def connect(self) -> None:
        """Connect to the control port and ask for the version of the server.

        Close any existing connection. Calls that overlap make one connection.

        Raises:
            ConnectionLost: could not connect, or the client was closed meanwhile
            CommandTimeout: the PandA accepts connections but does not answer
        """
        before = self._control
        async with self._connecting:
            if self._control is before or not self.is_connected():
                await self._connect()

    async def _connect(self) -> None:
        await self.close()
        closed, name = self._closed, self._name(self._control_port)
        control = await self._open(
            name, self._control_port, lambda: ControlProtocol(name, self._close_on_timeout)
        )
        if self._closed != closed:
            control.end(f"{name}: the client was closed")
            raise ConnectionLost(f"{name}: the client was closed while it was connecting")
        self._control = control
        try:
            control.set_api((await self.send(Identify())).software_api())
        except (CommandError, BadValue):
            return  # An unknown version is no reason not to talk to it.
        except BaseException:
            await self.close()
            raise

    async def close(self, reason: str = "") -> None:
        """Close the control connection; pending commands fail with `ConnectionLost`.

        Args:
            reason: what their error is to say; "": that the client was closed
        """
        self._closed += 1
        control, self._control = self._control, None
        if control is not None:
            control.end(reason or f"{self._name(self._control_port)}: the client was closed")
            await asyncio.sleep(0)  # The transport closes its socket in the next turn.

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def is_connected(self) -> bool:
        """Whether commands can be sent: False as soon as the end of the connection is known."""
        return self._control is not None and not self._control.ended.done()

    async def wait_closed(self) -> PandAError:
        """Wait for the end of the control connection; return why it ended."""
        return await asyncio.shield(self._connected().ended)

    @overload
    async def send(self, command: Command[T], timeout: float | None = None) -> T: ...

    @overload
    async def send(
        self, command: Iterable[Command[T]], timeout: float | None = None
    ) -> list[T]: ...

    async def send(
        self, command: Command[T] | Iterable[Command[T]], timeout: float | None = None
    ) -> T | list[T]:
        """Send a command, or several together, and wait for the result, or list of results.

        Args:
            command: what to do. If one of several fails, the first failure is raised when all have
                been answered.
            timeout: seconds until it must be answered; None: that of the client

        Raises:
            CommandError: the PandA refused it
            BadValue, VersionError: it cannot be sent
            CommandTimeout: it was not answered in time
            ConnectionLost: the connection ended before it was answered, or there is none
            ProtocolError: the other side sent what no PandA sends; the connection is closed
        """
        if isinstance(command, Command):
            return await self._send(command, timeout)
        sends = (self._send(each, timeout) for each in command)
        sending = asyncio.gather(*sends, return_exceptions=True)
        if self._control is not None:
            self._control.hold()
        results = await sending
        return [_result(result) for result in results]

    async def data(
        self,
        scaled: bool = True,
        flush_period: float | None = None,
        frame_timeout: float | None = None,
    ) -> AsyncGenerator[Data, None]:
        """Connect to the data port and yield what comes, acquisition after acquisition.

        Close the generator to end the connection (`contextlib.aclosing`). If its events are not
        fetched, receiving stops after 64 MiB, and the PandA reports an overrun.

        Args:
            scaled: have the PandA scale the samples, at a lower rate
            flush_period: yield samples this often, in seconds; None: as they come
            frame_timeout: seconds without any data after which `CommandTimeout` is raised

        Raises:
            ConnectionLost: there is no connection, or it ended
            ProtocolError: the other side sent what no PandA sends
        """
        name = f"data port {self._name(self._data_port)}"
        protocol = await self._open(
            name, self._data_port, lambda: DataProtocol(name, scaled, flush_period, frame_timeout)
        )
        try:
            while True:
                for event in await protocol.fetch():
                    yield event
        finally:
            protocol.close()

    async def _send(self, command: Command[T], timeout: float | None) -> T:
        control = self._connected()
        seconds = self._timeout if timeout is None else timeout
        future = control.send(command)
        if seconds == math.inf:
            return await future
        loop = asyncio.get_running_loop()
        timer = loop.call_later(seconds, control.time_out, command, future, seconds)
        try:
            return await future
        finally:
            timer.cancel()

    def _connected(self) -> ControlProtocol:
        if self._control is None:
            name = self._name(self._control_port)
            raise ConnectionLost(f"{name}: the client is not connected")
        return self._control

    def _name(self, port: int) -> str:
        return with_port(self._host, port)

    async def _open(self, name: str, port: int, factory: Callable[[], P]) -> P:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                sock = await _connected(self._host, port)
            _, protocol = await loop.create_connection(factory, sock=sock)
        except OSError as error:  # TimeoutError is one, too
            raise cannot_connect(name, error) from error
        return protocol


async def _connected(host: str, port: int) -> socket.socket:
    """Connect a socket to the first address of the host that answers.

    `create_connection` would do the same, but hide the errors of several addresses behind one that
    has no `errno`.
    """
    loop = asyncio.get_running_loop()
    failure = OSError(f"{host} has no address")
    for family, kind, protocol, _, where in await loop.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, where)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


def _result(result: T | BaseException) -> T:
    if isinstance(result, BaseException):
        raise result
    return result
