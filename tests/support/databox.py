"""A data port on the loopback that sends exactly the bytes that a test gives it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class DataBox:
    """Accepts one connection after another, and answers OK; `send` goes to the newest."""

    def __init__(self, answer: bytes = b"OK\n") -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.options = b""
        self._answer = answer
        self._client: socket.socket | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
                self.options = client.recv(100)
                self._client = client
                client.sendall(self._answer)
            except OSError:
                return
            self._ready.set()

    def send(self, stream: bytes) -> None:
        assert self._ready.wait(5)
        assert self._client is not None
        self._client.sendall(stream)

    def cut(self) -> None:
        assert self._ready.wait(5)
        assert self._client is not None
        self._client.close()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(5)
        if self._client is not None:
            self._client.close()


@contextmanager
def data_box(answer: bytes = b"OK\n") -> Iterator[DataBox]:
    box = DataBox(answer)
    try:
        yield box
    finally:
        box.close()
