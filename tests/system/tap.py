"""A tap on the control port: passes everything on and keeps what clients have sent."""

import contextlib
import socket
import threading
from typing import Self

from support.servers import LOOPBACK


class Tap:
    """Listens on a port of its own and connects each client to the box.

    Args:
        host, port: of the box

    Attributes:
        port: to be used in place of the box's
        lines: what clients sent, without the questions of the change feed
    """

    def __init__(self, host: str, port: int) -> None:
        self.lines: list[str] = []
        self._box = (host, port)
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._shut(self._listener)
        self._threads[0].join()
        self.cut()
        for thread in self._threads[1:]:
            thread.join()
        for each in (self._listener, *self._sockets):
            each.close()

    def cut(self) -> None:
        """End all connections; new ones may be made."""
        for each in self._sockets:
            self._shut(each)

    def sent(self, start: str) -> list[str]:
        """The lines that begin so."""
        return [line for line in self.lines if line.startswith(start)]

    @staticmethod
    def _shut(each: socket.socket) -> None:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                box = socket.create_connection(self._box)
                self._sockets.append(box)
                for source, target in ((client, box), (box, client)):
                    pump = threading.Thread(target=self._pump, args=(source, target))
                    self._threads.append(pump)
                    pump.start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        from_client = source.getsockname()[1] == self.port
        rest = b""
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if from_client:
                    *lines, rest = (rest + data).split(b"\n")
                    self.lines += [x.decode() for x in lines if x != b"*CHANGES?"]
                target.sendall(data)
        self._shut(source)
        self._shut(target)
