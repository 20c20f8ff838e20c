"""A tap on the control port: passes everything on and keeps what clients have sent."""

import contextlib
import socket
import threading

from support.listening import Relay, shut

_PIECE = 1 << 16


class Tap(Relay):
    """Listens on a port of its own and connects each client to the box.

    Args:
        host, port: of the box

    Attributes:
        port: to be used in place of the box's
        lines: what clients sent, without the questions of the change feed
    """

    def __init__(self, host: str, port: int) -> None:
        self.lines: list[str] = []
        super().__init__(host, port)

    def sent(self, start: str) -> list[str]:
        """The lines that begin so."""
        return [line for line in self.lines if line.startswith(start)]

    def told(self, reply: bytes) -> bytes:
        """What a client gets of a piece of a reply; a subclass may change it."""
        return reply

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        back = threading.Thread(target=self._pass_back, args=(server, client))
        back.start()
        rest = b""
        with contextlib.suppress(OSError):
            while data := client.recv(_PIECE):
                *lines, rest = (rest + data).split(b"\n")
                self.lines += [line.decode() for line in lines if line != b"*CHANGES?"]
                server.sendall(data)
        shut(server)
        back.join()

    def _pass_back(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(_PIECE):
                client.sendall(self.told(data))
        shut(client)
