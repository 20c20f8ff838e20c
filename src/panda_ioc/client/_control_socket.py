"""The control connection on a socket, for any number of threads.

One thread at a time sends commands and receives until they are answered; the others wait for the
lock. Replies that come later than their command would wait are known by their place in the order
of replies, and dropped.
"""

import contextlib
import math
import selectors
import socket
import threading
import time
from typing import Any

from panda_ioc.client._sockets import acknowledge_now
from panda_ioc.errors import CommandTimeout, ConnectionLost, ProtocolError
from panda_ioc.protocol.commands import Command
from panda_ioc.protocol.connections import ControlConnection

_RECEIVE = 1 << 18
_UNANSWERED = object()


class _Slot:
    """Holds the result of one command, or the error that it raised."""

    __slots__ = ("result",)

    def __init__(self) -> None:
        self.result: Any = _UNANSWERED


class ControlSocket:
    """Commands and their results over one connection, which ends once.

    Args:
        sock: connected; this object owns it from now on
        peer: name of the other side, for messages
    """

    def __init__(self, sock: socket.socket, peer: str) -> None:
        self._connection = ControlConnection()
        self._peer = peer
        self._socket = sock
        self._socket.setblocking(False)
        self._to_send = bytearray()
        self._selector = selectors.DefaultSelector()
        self._selector.register(sock, selectors.EVENT_READ)
        # Reentrant: a signal handler may close the client while its thread is in here.
        self._lock = threading.RLock()
        self._reason = "the PandA closed the connection"
        self.is_open = True

    def set_api(self, version: tuple[int, int]) -> None:
        """Set the version (major, minor) of the server."""
        self._connection.set_api(version)

    def close(self, reason: str) -> None:
        """Close the connection; pending commands of all threads fail with `ConnectionLost`."""
        self._reason = reason
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes a thread that receives
        with self._lock:
            self._end(ConnectionLost(f"{self._peer}: {reason}"))

    def exchange(self, commands: list[Command[Any]], seconds: float) -> list[Any]:
        """Send commands together; return their results or exceptions.

        Raises:
            CommandTimeout: not all were answered in time
        """
        deadline = time.monotonic() + seconds
        self._acquire(commands, seconds)
        try:
            return self._exchange(commands, deadline, seconds)
        finally:
            self._lock.release()

    def _acquire(self, commands: list[Command[Any]], seconds: float) -> None:
        limit = min(max(seconds, 0), threading.TIMEOUT_MAX)
        if not self._lock.acquire(timeout=-1 if seconds == math.inf else limit):
            first = commands[0] if commands else None
            raise CommandTimeout(
                f"{first}: not sent to {self._peer} in {seconds:g} s: another thread waits for"
                " a reply",
                first,
            )

    def _exchange(self, commands: list[Command[Any]], deadline: float, seconds: float) -> list[Any]:
        slots = [self._begin(command) for command in commands]
        self._write()
        waiting = list(reversed(slots))
        try:
            while self._wait_for(waiting):
                if not self._transfer(deadline - time.monotonic()):
                    raise self._timeout(commands, slots, seconds)
        finally:
            for slot in waiting:  # after a timeout or an interrupt
                self._connection.abandon(slot)
        return [slot.result for slot in slots]

    def _begin(self, command: Command[Any]) -> _Slot:
        slot = _Slot()
        try:
            self._to_send += self._connection.send(command, slot)
        except Exception as error:
            slot.result = error
        return slot

    def _wait_for(self, waiting: list[_Slot]) -> bool:
        """Take results that have come; return whether any is missing."""
        for slot, result in self._connection.results():
            slot.result = result
        while waiting and waiting[-1].result is not _UNANSWERED:
            waiting.pop()
        return bool(waiting)

    def _transfer(self, seconds: float) -> bool:
        """Send and receive what is possible; return False if nothing was within the time."""
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._to_send else 0)
        self._selector.modify(self._socket, wanted)
        ready = self._selector.select(None if seconds == math.inf else max(seconds, 0))
        for _, events in ready:
            if events & selectors.EVENT_WRITE:
                self._write()
            if events & selectors.EVENT_READ:
                self._read()
        return bool(ready)

    def _write(self) -> None:
        if self._to_send and self.is_open:
            try:
                del self._to_send[: self._socket.send(self._to_send)]
            except BlockingIOError:
                return
            except OSError as error:
                self._end(ConnectionLost.caused_by(error, f"{self._peer}: {error}"))

    def _read(self) -> None:
        try:
            received = self._socket.recv(_RECEIVE) if self.is_open else b""
            if received:
                self._to_send += self._connection.receive_bytes(received)
                acknowledge_now(self._socket)
            else:
                self._end(ConnectionLost(f"{self._peer}: {self._reason}"))
        except BlockingIOError:
            return
        except ProtocolError as error:
            self._end(ConnectionLost(f"{self._peer}: {error}"))
        except OSError as error:
            self._end(ConnectionLost.caused_by(error, f"{self._peer}: {error}"))

    def _timeout(
        self, commands: list[Command[Any]], slots: list[_Slot], seconds: float
    ) -> CommandTimeout:
        late = next(
            command
            for command, slot in zip(commands, slots, strict=True)
            if slot.result is _UNANSWERED
        )
        return CommandTimeout(f"{late}: no reply from {self._peer} in {seconds:g} s", late)

    def _end(self, error: ConnectionLost) -> None:
        if self.is_open:
            self.is_open = False
            self._connection.receive_eof(error)
            self._selector.close()
            self._socket.close()
