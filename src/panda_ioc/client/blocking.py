"""A PandA's two ports without an event loop."""

import math
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Self, TypeVar, overload

from panda_ioc.client._sockets import (
    COMMAND_TIMEOUT,
    CONNECT_TIMEOUT,
    CONTROL_PORT,
    acknowledge_now,
    tune,
)
from panda_ioc.errors import BadValue, CommandError, CommandTimeout, ConnectionLost, ProtocolError
from panda_ioc.protocol.commands import Command, Identify
from panda_ioc.protocol.connections import ControlConnection, DataConnection
from panda_ioc.protocol.responses import Data

__all__ = ["BlockingClient"]

T = TypeVar("T")

_RECEIVE = 1 << 18


class BlockingClient:
    """Client of a PandA that waits for what it asked. For example::

        with BlockingClient("panda-box") as client:
            idn, trig = client.send([Get("*IDN"), Get("PCAP.TRIG")])
            for data in client.data():
                ...

    Not to be shared between threads. A command that is not answered in time closes the control
    connection: replies come in order, so a later command would not be answered either.

    Args:
        host: name or address
        control_port, data_port: TCP ports; None: the data port is the one after the control port
        timeout: seconds that `send` may take unless it is told otherwise; None: as long as it likes
    """

    def __init__(
        self,
        host: str,
        control_port: int = CONTROL_PORT,
        data_port: int | None = None,
        timeout: float | None = COMMAND_TIMEOUT,
    ) -> None:
        self._host = host
        self._control_port = control_port
        self._data_port = control_port + 1 if data_port is None else data_port
        self._timeout = math.inf if timeout is None else timeout
        self._control: _Control | None = None

    def connect(self) -> None:
        """Connect to the control port and ask for the version of the server.

        Raises:
            ConnectionLost: there is no connection to be had
            CommandTimeout: the box accepts connections but does not answer
        """
        self.close()
        self._control = _Control(self._open(self._control_port), self._name(self._control_port))
        try:
            self._control.connection.set_api(self.send(Identify()).software_api())
        except (CommandError, BadValue):
            return  # An unknown version is no reason not to talk to it.
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the control connection."""
        control, self._control = self._control, None
        if control is not None:
            control.close("the client was closed")

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def is_connected(self) -> bool:
        """Whether commands can be sent, as far as is known without trying."""
        return self._control is not None and self._control.is_open

    @overload
    def send(self, commands: Command[T], timeout: float | None = None) -> T: ...

    @overload
    def send(self, commands: Iterable[Command[T]], timeout: float | None = None) -> list[T]: ...

    def send(
        self, commands: Command[T] | Iterable[Command[T]], timeout: float | None = None
    ) -> Any:
        """Send a command, or several together; returns the result, or list of results.

        Args:
            commands: what to do. If one of several fails, the first failure is raised when all have
                been answered.
            timeout: seconds until all must be answered; None: that of the client

        Raises:
            CommandError: the box refused it
            BadValue, VersionError: it can not be sent
            CommandTimeout: it was not answered in time; the connection is closed
            ConnectionLost: the connection ended before it was answered, or there is none
            ProtocolError: the box sent what no PandA sends; the connection is closed
        """
        if self._control is None:
            raise ConnectionLost(f"{self._name(self._control_port)}: the client is not connected")
        seconds = self._timeout if timeout is None else timeout
        if isinstance(commands, Command):
            return _results(self._control.exchange([commands], seconds))[0]
        return _results(self._control.exchange(list(commands), seconds))

    def data(
        self,
        scaled: bool = True,
        frame_timeout: float | None = None,
        flush_period: float | None = None,
    ) -> Iterator[Data]:
        """Connect to the data port and yield what comes, acquisition after acquisition.

        Args:
            scaled: have the box scale the samples, at a lower rate
            frame_timeout: seconds without any data after which `CommandTimeout` is raised
            flush_period: yield samples this often, in seconds; None: as they come

        Raises:
            ConnectionLost: there is no connection, or it ended
            ProtocolError: the box sent what no PandA sends
        """
        name = self._name(self._data_port)
        with self._open(self._data_port) as sock:
            receiver = _Receiver(sock, name, flush_every_frame=flush_period is None)
            yield from receiver.events(
                scaled,
                math.inf if frame_timeout is None else frame_timeout,
                math.inf if flush_period is None else flush_period,
            )

    def _name(self, port: int) -> str:
        return f"{self._host}:{port}"

    def _open(self, port: int) -> socket.socket:
        try:
            sock = socket.create_connection((self._host, port), CONNECT_TIMEOUT)
            tune(sock)
        except OSError as error:
            raise ConnectionLost(f"{self._name(port)}: can not connect: {error}") from error
        return sock


class _Control:
    """The control connection on a socket."""

    def __init__(self, sock: socket.socket, peer: str) -> None:
        self.connection = ControlConnection()
        self.is_open = True
        self._peer = peer
        self._socket = sock
        self._socket.setblocking(False)
        self._to_send = bytearray()
        self._selector = selectors.DefaultSelector()
        self._selector.register(sock, selectors.EVENT_READ)

    def close(self, reason: str) -> None:
        """End the connection; what is pending fails with `ConnectionLost`."""
        if self.is_open:
            self.is_open = False
            self.connection.receive_eof(f"{self._peer}: {reason}")
            self._selector.close()
            self._socket.close()

    def exchange(self, commands: list[Command[Any]], seconds: float) -> list[Any]:
        """Results, or exceptions, of commands sent together."""
        deadline = time.monotonic() + seconds
        results = [self._begin(command) for command in commands]
        waiting: dict[int, deque[int]] = {}
        for index, command in enumerate(commands):
            if results[index] is _UNANSWERED:
                waiting.setdefault(id(command), deque()).append(index)
        while self._collect(waiting, results):
            if not self._transfer(deadline - time.monotonic()):
                self._time_out(commands[results.index(_UNANSWERED)], seconds)
        return results

    def _collect(self, waiting: dict[int, deque[int]], results: list[Any]) -> bool:
        """Take what has been answered; returns whether anything has not."""
        for command, result in self.connection.responses():
            # A reply to a call that was interrupted belongs to nobody.
            if id(command) in waiting:
                indices = waiting[id(command)]
                results[indices.popleft()] = result
                if not indices:
                    del waiting[id(command)]
        return bool(waiting)

    def _begin(self, command: Command[Any]) -> Any:
        try:
            self._to_send += self.connection.send(command)
        except Exception as error:
            return error
        return _UNANSWERED

    def _transfer(self, seconds: float) -> bool:
        """Send and receive what is possible now; False if nothing was within that time."""
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._to_send else 0)
        self._selector.modify(self._socket, wanted)
        ready = self._selector.select(None if seconds == math.inf else max(seconds, 0))
        for _, events in ready:
            try:
                if events & selectors.EVENT_WRITE:
                    del self._to_send[: self._socket.send(self._to_send)]
                if events & selectors.EVENT_READ:
                    self._receive(self._socket.recv(_RECEIVE))
            except (ProtocolError, OSError) as error:
                self.close(str(error))
        return bool(ready)

    def _receive(self, received: bytes) -> None:
        if received:
            self._to_send += self.connection.receive_bytes(received)
            acknowledge_now(self._socket)
        else:
            self.close("the PandA closed the connection")

    def _time_out(self, command: Command[Any], seconds: float) -> None:
        message = f"{command}: no reply from {self._peer} in {seconds:g} s"
        self.close(f"connection closed, as {message}")
        raise CommandTimeout(message, command)


_UNANSWERED = object()


def _results(results: list[Any]) -> list[Any]:
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


class _Receiver:
    """The data connection on a socket."""

    def __init__(self, sock: socket.socket, peer: str, flush_every_frame: bool) -> None:
        self._socket = sock
        self._peer = peer
        self._every_frame = flush_every_frame
        self._connection = DataConnection()

    def events(self, scaled: bool, frame_timeout: float, flush_period: float) -> Iterator[Data]:
        """Events as they come; ends only with an exception."""
        self._send(self._connection.connect(scaled))
        now = time.monotonic()
        flush_at, silent_at = now + flush_period, now + frame_timeout
        while True:
            count = self._receive(min(flush_at, silent_at) - now)
            now = time.monotonic()
            if count is not None:
                silent_at = now + frame_timeout
                yield from self._connection.bytes_received(count, self._every_frame)
            if count == 0:
                raise ConnectionLost(f"{self._peer}: the PandA closed the connection")
            if flush_at <= now:
                flush_at = now + flush_period
                yield from self._connection.flush()
            if silent_at <= now:
                raise CommandTimeout(f"{self._peer}: no data for {frame_timeout:g} s")

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise ConnectionLost(f"{self._peer}: {error}") from error

    def _receive(self, seconds: float) -> int | None:
        """Number of bytes received, 0 at the end of file; None if there were none in that time."""
        # A timeout of 0 would make the socket non-blocking.
        self._socket.settimeout(None if seconds == math.inf else max(seconds, 1e-6))
        try:
            return self._socket.recv_into(self._connection.get_buffer())
        except TimeoutError:
            return None
        except OSError as error:
            raise ConnectionLost(f"{self._peer}: {error}") from error
