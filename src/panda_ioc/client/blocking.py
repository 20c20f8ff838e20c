"""The two ports of a PandA, without an event loop."""

import contextlib
import math
import socket
import threading
from collections.abc import Iterable, Iterator
from typing import Any, Self, TypeVar, overload

from panda_ioc.client._control_socket import ControlSocket
from panda_ioc.client._sockets import (
    COMMAND_TIMEOUT,
    CONNECT_TIMEOUT,
    CONTROL_PORT,
    cannot_connect,
    tune,
)
from panda_ioc.client.address import with_port
from panda_ioc.client.data import DataReceiver
from panda_ioc.errors import BadValue, CommandError, ConnectionLost
from panda_ioc.protocol.commands import Command, Identify
from panda_ioc.protocol.responses import Data

__all__ = ["BlockingClient"]

T = TypeVar("T")


class BlockingClient:
    """Client of a PandA whose calls wait for the reply. For example::

        with BlockingClient("panda") as client:
            idn, trig = client.send([Get("*IDN"), Get("PCAP.TRIG")])
            for data in client.data():
                ...

    Threads may share it: a `send` waits until that of another thread is done. A command that is not
    answered in time has been sent all the same; its reply is dropped when it comes, and those
    behind it go on.

    Args:
        host: name or address
        control_port: TCP port for commands
        data_port: TCP port for captured data; None: the one after the control port
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
        self._control: ControlSocket | None = None
        self._connecting = threading.RLock()

    def connect(self) -> None:
        """Connect to the control port and ask for the version of the server.

        Close any existing connection.

        Raises:
            ConnectionLost: could not connect
            CommandTimeout: the PandA accepts connections but does not answer
        """
        with self._connecting:
            self.close()
            name = self._name(self._control_port)
            control = self._control = ControlSocket(self._open(), name)
            try:
                control.set_api(self.send(Identify()).software_api())
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
        """Send a command, or several together; return the result, or list of results.

        Args:
            commands: what to do. If one of several fails, the first failure is raised when all have
                been answered.
            timeout: seconds until all must be answered; None: that of the client

        Raises:
            CommandError: the PandA refused it
            BadValue, VersionError: it cannot be sent
            CommandTimeout: it was not answered in time
            ConnectionLost: the connection ended before it was answered, or there is none
            ProtocolError: the other side sent what no PandA sends; the connection is closed
        """
        control = self._control
        if control is None:
            raise ConnectionLost(f"{self._name(self._control_port)}: the client is not connected")
        seconds = self._timeout if timeout is None else timeout
        if isinstance(commands, Command):
            return _results(control.exchange([commands], seconds))[0]
        return _results(control.exchange(list(commands), seconds))

    def data(
        self,
        scaled: bool = True,
        frame_timeout: float | None = None,
        flush_period: float | None = None,
    ) -> Iterator[Data]:
        """Connect to the data port and yield what comes, acquisition after acquisition.

        Args:
            scaled: have the PandA scale the samples, at a lower rate
            frame_timeout: seconds without any data after which `CommandTimeout` is raised
            flush_period: yield samples this often, in seconds; None: as they come

        Raises:
            ConnectionLost: there is no connection, or it ended
            ProtocolError: the other side sent what no PandA sends
        """
        with contextlib.closing(DataReceiver(self._host, self._data_port, scaled)) as receiver:
            yield from receiver.events(flush_period, frame_timeout)

    def _name(self, port: int) -> str:
        return with_port(self._host, port)

    def _open(self) -> socket.socket:
        where = self._host, self._control_port
        try:
            sock = socket.create_connection(where, CONNECT_TIMEOUT)
            tune(sock)
        except OSError as error:
            raise cannot_connect(self._name(self._control_port), error) from error
        return sock


def _results(results: list[Any]) -> list[Any]:
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results
