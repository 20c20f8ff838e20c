"""Who catches what Python raises when it cannot connect catches ours."""

import copy
import errno
import pickle
import socket
from collections.abc import Callable

import pytest

from panda_ioc.client import _sockets
from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.blocking import BlockingClient
from panda_ioc.client.data import DataSocket
from panda_ioc.errors import ConnectionLost, PandAError
from panda_ioc.protocol.commands import Get
from support.boxes import Do, FaultyBox
from support.eitherclient import HOST, Make
from support.servers import free_ports

NOBODY = "nobody.invalid"


@pytest.fixture
def closed_port() -> int:
    (port,) = free_ports(1)
    return port


def check(error: OSError, kind: type[OSError], number: int) -> None:
    """An error in all its roles, also once copied or sent to another process."""
    for each in (error, copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301
        assert isinstance(each, kind)
        assert isinstance(each, ConnectionLost)
        assert isinstance(each, ConnectionError)
        assert isinstance(each, PandAError)
        assert each.errno == number
        assert str(each) == str(error)


def test_refused(make: Make, closed_port: int) -> None:
    client = make(closed_port, closed_port)
    for connect in (client.connect, lambda: client.data(lambda event: True)):
        with pytest.raises(ConnectionRefusedError) as raised:
            connect()
        check(raised.value, ConnectionRefusedError, errno.ECONNREFUSED)


async def test_refused_by_every_address_of_a_name(
    closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As localhost often has two; the client must not hide the errors in one without a number."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", 1)) for n in (1, 2)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    with pytest.raises(ConnectionRefusedError) as raised:
        await AsyncioClient("two", closed_port).connect()
    check(raised.value, ConnectionRefusedError, errno.ECONNREFUSED)


@pytest.mark.parametrize(
    "connect",
    [
        lambda: BlockingClient(NOBODY).connect(),
        lambda: next(iter(BlockingClient(NOBODY).data())),
        lambda: DataSocket(NOBODY),
    ],
)
def test_unknown_host(connect: Callable[[], object]) -> None:
    with pytest.raises(socket.gaierror) as raised:
        connect()
    assert raised.value.errno in (socket.EAI_NONAME, socket.EAI_AGAIN)
    check(raised.value, socket.gaierror, raised.value.errno)


async def test_unknown_host_with_asyncio() -> None:
    with pytest.raises(socket.gaierror, match=r"nobody\.invalid:8888: cannot connect: ") as raised:
        await AsyncioClient(NOBODY).connect()
    assert raised.value.errno in (socket.EAI_NONAME, socket.EAI_AGAIN)


def test_nobody_answers(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("asyncio", "blocking"):
        monkeypatch.setattr(f"panda_ioc.client.{module}.CONNECT_TIMEOUT", 0.05)
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        filling = [socket.socket() for _ in range(4)]
        for each in filling:
            each.setblocking(False)
            each.connect_ex((HOST, port))
        with pytest.raises(TimeoutError, match=f"{HOST}:{port}: cannot connect") as raised:
            make(port).connect()
        check(raised.value, TimeoutError, errno.ETIMEDOUT)
        for each in filling:
            each.close()


def test_reset(make: Make) -> None:
    with FaultyBox(Do.RESET) as box:
        client = make(box.port)
        client.connect()
        with pytest.raises(ConnectionResetError) as raised:
            client.send(Get("A"))
        check(raised.value, ConnectionResetError, errno.ECONNRESET)
        assert raised.value.command == Get("A")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "error", [OSError(errno.EHOSTUNREACH, "No route"), PermissionError(errno.EPERM, "No")]
)
def test_any_other_error_of_the_system(error: OSError) -> None:
    lost = _sockets.cannot_connect("panda:8888", error)
    check(lost, type(error), error.errno)
    assert str(lost).startswith("panda:8888: cannot connect: ")
