"""Socket options and errors that all connections to a PandA share.

A PandA answers a command with several small writes, and its kernel holds a second one back until
the first is acknowledged: 40 ms, unless we acknowledge at once. That is TCP_QUICKACK, which the
kernel forgets again, so it is set after every read.
"""

import errno
import socket
from typing import Protocol

from panda_ioc.errors import ConnectionLost

CONTROL_PORT = 8888
DATA_PORT = CONTROL_PORT + 1

CONNECT_TIMEOUT = 5.0
"""Seconds until a PandA that does not answer is given up."""
COMMAND_TIMEOUT = 10.0
"""Seconds that a command may take, unless told otherwise."""

_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)
_KEEPALIVE = {"TCP_KEEPIDLE": 2, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3}
"""A PandA that was switched off is noticed after 5 seconds of silence."""


class SocketOptions(Protocol):
    """The interface shared by a socket and asyncio's view of one."""

    def setsockopt(self, level: int, optname: int, value: int, /) -> None: ...


def tune(sock: SocketOptions) -> None:
    """Send small writes at once, and notice a dead peer."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def acknowledge_now(sock: SocketOptions) -> None:
    """Acknowledge received data without delay, where the system can."""
    if _QUICK_ACK is not None:
        sock.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)


def cannot_connect(name: str, error: OSError) -> ConnectionLost:
    """Return the error for a connection that could not be made to the port of this name."""
    reason = str(error) or f"no answer in {CONNECT_TIMEOUT:g} s"
    lost = ConnectionLost.caused_by(error, f"{name}: cannot connect: {reason}")
    if isinstance(error, TimeoutError):
        lost.errno = lost.errno or errno.ETIMEDOUT
    return lost
