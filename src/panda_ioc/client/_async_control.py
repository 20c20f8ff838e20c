"""The control connection on an asyncio transport."""

import asyncio
from typing import Any, TypeVar, cast

from panda_ioc.client._sockets import SocketOptions, acknowledge_now, tune
from panda_ioc.errors import CommandTimeout, ConnectionLost, PandAError, ProtocolError
from panda_ioc.protocol.commands import Command
from panda_ioc.protocol.connections import ControlConnection

T = TypeVar("T")


class ControlProtocol(asyncio.Protocol):
    """Futures for commands, over one transport, which ends once.

    Of the requests made in one turn of the event loop the first leaves at once, so that a single
    sender does not wait; the others leave together.

    Args:
        peer: name of the other side, for messages
        close_on_timeout: end the connection once a command is not answered in time
    """

    def __init__(self, peer: str, close_on_timeout: bool) -> None:
        self._peer = peer
        self._close_on_timeout = close_on_timeout
        self._loop = asyncio.get_running_loop()
        self._connection = ControlConnection()
        self._to_send: list[bytes] = []
        self._gathering = False
        self._transport: asyncio.Transport
        self._socket: SocketOptions
        self.ended: asyncio.Future[PandAError] = self._loop.create_future()
        """Done once the connection has ended; its result says why."""

    def set_api(self, version: tuple[int, int]) -> None:
        """Set the version of the server."""
        self._connection.set_api(version)

    def send(self, command: Command[T]) -> asyncio.Future[T]:
        """Begin a command.

        Raises:
            BadValue, VersionError: the command cannot be sent
            ConnectionLost: the connection has ended
        """
        future: asyncio.Future[T] = self._loop.create_future()
        to_send = self._connection.send(command, future)
        if to_send:
            self._write(to_send)
        else:
            self._deliver()
        return future

    def hold(self) -> None:
        """Collect what is sent in this turn of the event loop into one write."""
        if not self._gathering:
            self._gathering = True
            self._loop.call_soon(self._flush)

    def time_out(self, command: Command[Any], future: asyncio.Future[Any], seconds: float) -> None:
        """Fail a command that was not answered; drop its reply if it comes later."""
        if future.done():
            return
        self._connection.abandon(future)
        error = CommandTimeout(f"{command}: no reply from {self._peer} in {seconds:g} s", command)
        future.set_exception(error)
        if self._close_on_timeout:
            self.end(f"{self._peer}: connection closed, as {error}")

    def end(self, reason: str, cause: OSError | None = None) -> None:
        """Close the connection; pending commands fail with `ConnectionLost`."""
        error = ConnectionLost.caused_by(cause, reason) if cause else ConnectionLost(reason)
        self._connection.receive_eof(error)
        self._finish(error)

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._socket = transport.get_extra_info("socket")
        tune(self._socket)

    def data_received(self, data: bytes) -> None:
        try:
            to_send = self._connection.receive_bytes(data)
        except ProtocolError as error:
            self._finish(error)
            return
        if to_send:
            self._write(to_send)
        self._deliver()
        acknowledge_now(self._socket)

    def connection_lost(self, exc: Exception | None) -> None:
        reason = f"{self._peer}: {exc or 'the PandA closed the connection'}"
        self.end(reason, exc if isinstance(exc, OSError) else None)

    def _write(self, data: bytes) -> None:
        if self._gathering:
            self._to_send.append(data)
        elif not self._transport.is_closing():
            self._transport.write(data)
            self.hold()

    def _flush(self) -> None:
        self._gathering = False
        if not self._to_send:
            return
        if not self._transport.is_closing():
            self._transport.write(b"".join(self._to_send))
        self._to_send.clear()

    def _deliver(self) -> None:
        for future, result in self._connection.results():
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _finish(self, error: PandAError) -> None:
        self._deliver()
        self._transport.abort()
        if not self.ended.done():
            self.ended.set_result(error)
