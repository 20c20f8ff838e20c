"""The data port of the bridge against peers that accept a connection and end it."""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from panda_ioc.capture.stream import DataStream
from panda_ioc.client.address import Address
from panda_ioc.ioc.panda.data_port import DataPort

RESET = struct.pack("ii", 1, 0)


class Closer:
    """Accepts connections and ends each at once, until it is told to be good.

    Attributes:
        attempts: connections that were ended
        answers: whether the options are read and answered first
        resets: whether they end with a reset
        good: answer the options and leave it open
    """

    def __init__(self, answers: bool, resets: bool) -> None:
        self.answers, self.resets, self.good = answers, resets, False
        self.attempts = 0
        self.held: list[socket.socket] = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            if self.good or self.answers:
                client.recv(100)
                client.sendall(b"OK\n")
            if self.good:
                self.held.append(client)
                continue
            self.attempts += 1
            if self.resets:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.close()

    def close(self) -> None:
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self._thread.join(5)
        for client in self.held:
            client.close()


@pytest.fixture(params=[(False, True), (False, False), (True, True), (True, False)])
def closer(request: pytest.FixtureRequest) -> Iterator[Closer]:
    server = Closer(*request.param)
    yield server
    server.close()


async def test_a_port_that_accepts_and_closes_is_asked_ever_more_seldom_and_told_once(
    closer: Closer, caplog: pytest.LogCaptureFixture
) -> None:
    opened: list[DataStream] = []
    closed: list[str] = []
    port = DataPort(Address("127.0.0.1", 1, closer.port), opened.append, closed.append)
    running = asyncio.create_task(port.run())
    port.want("test")
    await asyncio.sleep(2.5)
    assert not running.done()
    assert 3 <= closer.attempts <= 8  # pauses of 0.05 ... 0.1, then twice as long each time
    assert "data port" in closed[-1]
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert 1 <= len(warnings) <= 4  # once for each wording: reset, broken pipe, closed
    closer.good = True
    stream = await port.ready(5)
    assert stream.alive
    assert stream is opened[-1]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
