"""TCP servers of tests: each connection has a thread, and all have ended when the test has."""

import contextlib
import socket
import threading
from typing import Self

from support.servers import LOOPBACK


class Listening:
    """Accepts connections as long as the block lasts; a subclass says what becomes of each.

    Args:
        listener: where it listens; None: on a free port of loopback

    Attributes:
        port: where it listens
    """

    def __init__(self, listener: socket.socket | None = None) -> None:
        self._listener = listener or socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        shut(self._listener)
        self._threads[0].join()
        self.cut()
        for thread in self._threads[1:]:
            thread.join()
        for each in (self._listener, *self._sockets):
            each.close()

    def cut(self) -> None:
        """End all connections; new ones may be made."""
        for each in self._sockets:
            shut(each)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                self._threads.append(threading.Thread(target=self._serve, args=(client,)))
                self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        """Serve one client; called in a thread of its own."""
        raise NotImplementedError


class Relay(Listening):
    """Connects each client to a server behind it.

    Args:
        host, port: of the server
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        super().__init__()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            server = socket.create_connection(self._target)
            self._sockets.append(server)
            for side in (client, server):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pass_on(client, server)
            shut(server)
        shut(client)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        """Pass on what either says, until one of them has ended."""
        raise NotImplementedError


def shut(each: socket.socket) -> None:
    """End a connection; whoever waits for it returns at once."""
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
