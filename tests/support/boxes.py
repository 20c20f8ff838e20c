"""A box to connect to that misbehaves as it is told."""

import contextlib
import socket
import struct
import time
from enum import Enum

from support.listening import Listening

PAUSE = 0.5
IDENTITY = b"OK =PandA SW: 4.1 FPGA: 3.0.1 rootfs: test\n"


class Do(Enum):
    """What a `FaultyBox` can do instead of answering."""

    CLOSE = "end of file"
    RESET = "connection reset"
    HANG = "say nothing more"
    PAUSE = "say nothing for half a second"
    FLOOD = "lines without end"


Action = bytes | Do | tuple[bytes | Do, ...]


class FaultyBox(Listening):
    """A TCP server that does for each request the next thing on its list.

    Args:
        actions: bytes to send, what to `Do`, or a tuple of both, one after the other; one action
            for each line that comes. When there are no more, a line is answered ``OK =`` and
            itself.
        identify: answer ``*IDN?``, too, in place of the next action
        listener: where it listens; None: on a free port of 127.0.0.1
    """

    def __init__(
        self,
        *actions: Action,
        identify: bool = True,
        listener: socket.socket | None = None,
    ) -> None:
        self.actions = list(actions)
        self.lines: list[str] = []
        self._identify = identify
        super().__init__(listener)

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, client.makefile("rb") as lines:
            for line in lines:
                self.lines.append(line.decode().rstrip("\n"))
                if self._identify and line == b"*IDN?\n":
                    client.sendall(IDENTITY)
                elif not self.actions:
                    client.sendall(b"OK =" + line)
                elif not self._act(client, self.actions.pop(0)):
                    return

    def _act(self, client: socket.socket, action: Action) -> bool:
        """Returns whether the connection goes on."""
        if isinstance(action, tuple):
            return all(self._act(client, each) for each in action if not time.sleep(0.01))
        if isinstance(action, bytes):
            client.sendall(action)
            return True
        if action is Do.PAUSE:
            time.sleep(PAUSE)
            return True
        if action is Do.RESET:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        while action is Do.HANG and client.recv(4096):
            pass
        while action is Do.FLOOD:
            client.sendall(b"!1\n" * 10000)
        return False
