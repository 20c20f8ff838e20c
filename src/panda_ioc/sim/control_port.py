"""The control port: asyncio carries the bytes of each connection to its session and back."""

import asyncio
import socket
from typing import cast

from panda_ioc.sim.machine import Machine
from panda_ioc.sim.session import ControlSession
from panda_ioc.sim.visitors import Visitor

_FLUSH_BYTES = 1 << 16


class ControlServer(asyncio.Protocol):
    """One control connection. Reads no more while the client does not read its replies."""

    def __init__(self, machine: Machine, connections: set["ControlServer"]) -> None:
        self._machine = machine
        self._connections = connections
        self.session = ControlSession(machine)
        self._visitor: Visitor | None = None
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._later: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)
        self._visitor = self._machine.visitors.come("config", transport.get_extra_info("peername"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._transport = None
        self.session.close()
        if self._visitor:
            self._machine.visitors.go(self._visitor)
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
        """Close the connection at once."""
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
        """Read nothing while the machine is stalled, and come back when it is over."""
        seconds = self._machine.stalled()
        if seconds and not self._later:
            self._hold()
            self._later = asyncio.get_running_loop().call_later(seconds, self._resume)
        return bool(seconds)

    def _resume(self) -> None:
        self._later = None
        self._answer()
