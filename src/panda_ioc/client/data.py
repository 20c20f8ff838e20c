"""A blocking connection to the data port, for a thread of its own.

While it waits for the box it holds no lock of the interpreter, so commands on the control port are
not delayed.
"""

import contextlib
import select
import socket

from panda_ioc.client._sockets import CONNECT_TIMEOUT, DATA_PORT, tune
from panda_ioc.errors import CommandTimeout, ConnectionLost, PandAError
from panda_ioc.protocol.connections import DataConnection
from panda_ioc.protocol.responses import Data, ReadyData

RECEIVE_BUFFER = 4 << 20
"""Kernel buffer asked for, in bytes: rides out pauses of tens of milliseconds at 100 MB/s."""


class DataSocket:
    """The data port of one PandA, ready for the next acquisition.

    Args:
        host: name or address
        port: of the data port
        scaled: let the box scale; raw is cheaper for it
        timeout: seconds to connect and to be answered, not between acquisitions

    Raises:
        ConnectionLost: nobody there, or closed
        CommandTimeout: connected, but no answer
        CommandError: the box refuses data connections
        ProtocolError: not a PandA
    """

    def __init__(
        self,
        host: str,
        port: int = DATA_PORT,
        scaled: bool = False,
        timeout: float = CONNECT_TIMEOUT,
    ) -> None:
        self._name = f"data port {host}:{port}"
        self._connection = DataConnection()
        self._early: list[Data] = []
        self._error: PandAError | None = None
        try:
            self._socket = socket.create_connection((host, port), timeout)
        except OSError as error:
            raise ConnectionLost(f"{self._name}: {error}") from error
        try:
            self._get_ready(scaled)
        except BaseException:
            self._socket.close()
            raise

    def _get_ready(self, scaled: bool) -> None:
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            tune(self._socket)
            self._socket.sendall(self._connection.connect(scaled))
        except OSError as error:  # the peer may reset the connection at any moment
            raise ConnectionLost(f"{self._name}: {error}") from error
        # In the middle of an acquisition its header comes along with the answer.
        while not self._early:
            self._early += self._receive()
        self._early.remove(ReadyData())
        self._socket.settimeout(None)

    def receive(self) -> list[Data]:
        """Wait for bytes, and return the events that they complete (perhaps none), frames merged.

        Raises:
            ConnectionLost: the box, or `close`, has ended the connection; also between acquisitions
            ProtocolError: the box sent nonsense
        """
        if self._early:
            events, self._early = self._early, []
            return events
        events = self._receive()
        return events if self._error else [*events, *self._connection.flush()]

    def has_pending(self) -> bool:
        """Whether bytes, or the end of the connection, wait to be received."""
        poll = select.poll()
        try:
            poll.register(self._socket, select.POLLIN)
        except ValueError:  # closed by another thread
            return False
        return bool(poll.poll(0))

    def _receive(self) -> list[Data]:
        if self._error is not None:
            raise self._error
        try:
            count = self._socket.recv_into(self._connection.get_buffer())
        except TimeoutError as error:
            raise CommandTimeout(f"{self._name}: no answer to the options") from error
        except OSError as error:
            raise ConnectionLost(f"{self._name}: {error}") from error
        events: list[Data] = []
        try:
            for event in self._connection.bytes_received(count, flush_every_frame=False):
                events.append(event)
        except PandAError as error:
            # What came before the fault is not lost with it: the next call raises.
            self._error = error
            if not events:
                raise
        return events

    def close(self) -> None:
        """End the connection; a `receive` that waits in another thread returns at once."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
