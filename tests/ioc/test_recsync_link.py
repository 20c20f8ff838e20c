"""A connection to a RecCeiver that is slow, or says nothing of use: every wait has an end."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from panda_ioc.errors import CommandTimeout, ConnectionLost
from panda_ioc.ioc.recsync import link
from panda_ioc.ioc.recsync.link import connected
from panda_ioc.ioc.recsync.messages import MessageKind, RecCeiver

LOOPBACK = "127.0.0.1"
UNKNOWN = bytes.fromhex("5243877700000000")
PING = bytes.fromhex("524380020000000400000007")
Serve = Callable[[socket.socket], None]


@contextlib.contextmanager
def serving(serve: Serve) -> Iterator[RecCeiver]:
    """A RecCeiver that does as it likes with its one client."""

    def accept() -> None:
        client, _ = server.accept()
        with client, contextlib.suppress(ConnectionError):
            serve(client)

    with socket.create_server((LOOPBACK, 0)) as server:
        thread = threading.Thread(target=accept)
        thread.start()
        yield RecCeiver(LOOPBACK, server.getsockname()[1], 0)
        thread.join(10)
        assert not thread.is_alive()


def babble(client: socket.socket) -> None:
    """Send messages that nobody knows, until the client hangs up."""
    while True:
        client.sendall(UNKNOWN)
        time.sleep(0.01)


def silence(client: socket.socket) -> None:
    """Say nothing, and read nothing, until the client hangs up, or longer than it waits."""
    hung_up = select.poll()
    hung_up.register(client, select.POLLRDHUP)
    hung_up.poll(2_000)


def pings(client: socket.socket) -> None:
    """Two pings, and the end."""
    client.sendall(PING + UNKNOWN + PING)


@pytest.mark.parametrize("serve", [babble, silence])
async def test_what_does_not_come_is_not_awaited_for_ever(serve: Serve) -> None:
    with serving(serve) as recceiver:
        async with connected(recceiver) as connection:
            with pytest.raises(CommandTimeout, match=r"sent no server greeting within 0\.3 s"):
                await connection.expect(MessageKind.SERVER_GREETING, 0.3)


async def test_messages_that_came_together_are_all_taken() -> None:
    with serving(pings) as recceiver:
        async with connected(recceiver) as connection:
            for _ in range(2):
                assert (await connection.expect(MessageKind.PING, 10)).number == 7
            with pytest.raises(ConnectionLost, match="closed the connection"):
                await connection.expect(MessageKind.PING, 10)


async def test_a_recceiver_that_takes_no_data_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link, "PATIENCE", 0.3)
    with serving(silence) as recceiver:
        async with connected(recceiver) as connection:
            with pytest.raises(CommandTimeout, match="took no data"):
                await connection.send(bytes(1 << 26))


async def test_nobody_there() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        async with connected(RecCeiver(LOOPBACK, port, 0)):
            pass
