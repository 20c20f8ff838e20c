"""Blocking connections to the data port.

While they wait for the PandA they hold no lock of the interpreter, so commands on the control port
are not delayed.
"""

import contextlib
import math
import select
import socket
import time
from collections.abc import Iterator

from panda_ioc.client._deadlines import Deadlines
from panda_ioc.client._sockets import CONNECT_TIMEOUT, DATA_PORT, cannot_connect, tune
from panda_ioc.client.address import with_port
from panda_ioc.errors import CommandTimeout, ConnectionLost, PandAError
from panda_ioc.protocol.connections import DataConnection
from panda_ioc.protocol.responses import Data, ReadyData
from panda_ioc.threads import ThreadOwner

RECEIVE_BUFFER = 4 << 20
"""Kernel buffer asked for, in bytes: rides out pauses of tens of milliseconds at 100 MB/s."""


class DataReceiver:
    """The data port of one PandA, which has been sent the options.

    Args:
        host: name or address
        port: of the data port
        scaled: let the PandA scale; raw is cheaper for it
        timeout: seconds to connect

    Attributes:
        name: for messages

    Raises:
        ConnectionLost: could not connect
    """

    def __init__(
        self, host: str, port: int, scaled: bool, timeout: float = CONNECT_TIMEOUT
    ) -> None:
        self.name = f"data port {with_port(host, port)}"
        self._connection = DataConnection()
        self._error: PandAError | None = None
        try:
            self._socket = socket.create_connection((host, port), timeout)
        except OSError as error:
            raise cannot_connect(self.name, error) from error
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            tune(self._socket)
            self._socket.sendall(self._connection.connect(scaled))
        except OSError as error:  # the peer may reset the connection at any moment
            self._socket.close()
            raise ConnectionLost.caused_by(error, f"{self.name}: {error}") from error

    def events(self, flush_period: float | None, frame_timeout: float | None) -> Iterator[Data]:
        """Events as they come; ends only with an exception.

        Args:
            flush_period: seconds between flushes of samples that were merged; None: samples come
                frame by frame
            frame_timeout: seconds of silence that are an error; None: none are

        Raises:
            CommandTimeout: there was silence for too long
            ConnectionLost, CommandError, ProtocolError: as `receive`
        """
        deadlines = Deadlines(flush_period, frame_timeout, time.monotonic())
        while True:
            received = self.receive(deadlines.next - time.monotonic(), flush_period is not None)
            now = time.monotonic()
            if received is not None:
                deadlines.received(now)
                yield from received
            if self._error is None and deadlines.take_flush(now):
                yield from self._connection.flush()
            if deadlines.is_silent(now):
                raise CommandTimeout(f"{self.name}: no data for {deadlines.frame_timeout:g} s")

    def receive(self, seconds: float, merge: bool) -> list[Data] | None:
        """Wait for bytes, and return the events that they complete, perhaps none.

        What came before a fault is not lost with it: then the next call raises.

        Args:
            seconds: to wait
            merge: hold samples back until they are flushed

        Returns:
            the events; None if no bytes came in time

        Raises:
            ConnectionLost: the PandA, or `close`, has ended the connection
            CommandError: the PandA refuses the options
            ProtocolError: the PandA sent what no PandA sends
        """
        if self._error is not None:
            raise self._error
        count = self._receive(seconds)
        if count is None:
            return None
        events: list[Data] = []
        try:
            for event in self._connection.bytes_received(count, flush_every_frame=not merge):
                events.append(event)
        except PandAError as error:
            self._error = error
            if not events:
                raise
        return events

    def receive_merged(self) -> list[Data]:
        """Wait for bytes, and return the events that they complete, frames merged.

        Raises:
            ConnectionLost, CommandError, ProtocolError: as `receive`
        """
        events = self.receive(math.inf, merge=True) or []
        return events if self._error else [*events, *self._connection.flush()]

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until `receive` will return or raise at once; return whether it will.

        Args:
            seconds: to wait; None: as long as it takes
        """
        if self._error is not None:
            return True
        poll = select.poll()
        try:
            poll.register(self._socket, select.POLLIN)
        except ValueError:  # closed by another thread
            return True
        return bool(poll.poll(None if seconds is None else 1000 * seconds))

    def _receive(self, seconds: float) -> int | None:
        """Number of bytes received, 0 at the end of file; None if there were none in that time."""
        try:
            # A timeout of 0 would make the socket non-blocking.
            self._socket.settimeout(None if seconds == math.inf else max(seconds, 1e-6))
            return self._socket.recv_into(self._connection.get_buffer())
        except TimeoutError:
            return None
        except OSError as error:
            raise ConnectionLost.caused_by(error, f"{self.name}: {error}") from error

    def close(self) -> None:
        """End the connection; a thread that waits for data returns at once."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class DataSocket:
    """The data port of one PandA, ready for the next acquisition, for a thread of its own.

    Args:
        host: name or address
        port: of the data port
        scaled: let the PandA scale; raw is cheaper for it
        timeout: seconds to connect and to be answered, not between acquisitions

    Raises:
        ConnectionLost: nobody there, or closed
        CommandTimeout: connected, but no answer
        CommandError: the PandA refuses data connections
        ProtocolError: not a PandA
    """

    def __init__(
        self,
        host: str,
        port: int = DATA_PORT,
        scaled: bool = False,
        timeout: float = CONNECT_TIMEOUT,
    ) -> None:
        self._receiver = DataReceiver(host, port, scaled, timeout)
        self._owner = ThreadOwner(self._receiver.name)
        try:
            self._early = self._get_ready(timeout)
        except BaseException:
            self._receiver.close()
            raise

    def _get_ready(self, timeout: float) -> list[Data]:
        """Wait for the answer to the options; in an acquisition its header comes along with it."""
        deadline = time.monotonic() + timeout
        early: list[Data] = []
        while not early:
            received = self._receiver.receive(deadline - time.monotonic(), merge=True)
            if received is None:
                raise CommandTimeout(
                    f"{self._receiver.name}: no answer to the options in {timeout:g} s"
                )
            early += received
        early.remove(ReadyData())
        return early

    def receive(self) -> list[Data]:
        """Wait for bytes, and return the events that they complete (perhaps none), frames merged.

        Raises:
            ConnectionLost: the PandA, or `close`, has ended the connection; also between
                acquisitions
            ProtocolError: the PandA sent nonsense
        """
        self._owner.check()
        if self._early:
            events, self._early = self._early, []
            return events
        return self._receiver.receive_merged()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until `receive` will return or raise at once; return whether it will.

        Args:
            seconds: to wait; None: as long as it takes
        """
        return bool(self._early) or self._receiver.wait(seconds)

    def close(self) -> None:
        """End the connection; a `receive` that waits in another thread returns at once."""
        self._receiver.close()
