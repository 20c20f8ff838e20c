"""One client, many users: each gets its own replies, and a late one disturbs nobody."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.blocking import BlockingClient
from panda_ioc.errors import CommandError, CommandTimeout, ConnectionLost
from panda_ioc.protocol.commands import Get, GetBlockInfo, Put
from support.boxes import Do, FaultyBox
from support.eitherclient import HOST, Make
from support.servers import Sim

THREADS = 4
PAIRS = 1000


def test_threads_share_a_client(sim: Sim) -> None:
    def work(name: int) -> int:
        for number in range(PAIRS):
            one, two = f"{name} {number} a", f"{name} {number} b"
            assert client.send([Get(f"*ECHO {one}"), Get(f"*ECHO {two}")]) == [one, two]
            if number % 100 == 0:
                with pytest.raises(CommandError, match=f"NO{name}X{number}=1 -> ERR"):
                    client.send(Put(f"NO{name}X{number}", 1))
        return number + 1

    with BlockingClient(HOST, sim.port) as client, ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(work, range(THREADS))) == THREADS * PAIRS


def test_a_thread_does_not_wait_longer_for_another_than_it_was_told() -> None:
    with FaultyBox(Do.HANG) as box:
        client = BlockingClient(HOST, box.port, timeout=20)
        client.connect()
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(client.send, Get("A"))
            while box.lines[-1:] != ["A?"]:
                time.sleep(0.001)
            with pytest.raises(CommandTimeout, match=r"B\?: not sent to .* in 0.05 s: another"):
                client.send(Get("B"), timeout=0.05)
            client.close()
            with pytest.raises(ConnectionLost, match=r"A\?: .*: the client was closed"):
                first.result(5)
    assert box.lines == ["*IDN?", "A?"]


def test_threads_that_connect_at_once_leave_one_connection(sim: Sim) -> None:
    client = BlockingClient(HOST, sim.port)
    barrier = threading.Barrier(THREADS)

    def connect(_: int) -> None:
        barrier.wait()
        client.connect()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(connect, range(THREADS)))
    assert client.send(Get("*ECHO x")) == "x"
    client.close()


async def test_tasks_share_a_client(sim: Sim) -> None:
    async def work(client: AsyncioClient, name: int) -> None:
        for number in range(50):
            one, two = f"{name} {number} a", f"{name} {number} b"
            assert await client.send([Get(f"*ECHO {one}"), Get(f"*ECHO {two}")]) == [one, two]

    async with AsyncioClient(HOST, sim.port) as client:
        await asyncio.gather(*(work(client, name) for name in range(64)))


def test_late_replies_belong_to_the_commands_that_timed_out(make: Make) -> None:
    slow = [(Do.PAUSE, f"OK =late {number}\n".encode()) for number in range(3)]
    with FaultyBox(*slow) as box:
        client = make(box.port, timeout=20)
        client.connect()
        for number in range(3):
            with pytest.raises(CommandTimeout, match=rf"S{number}\?: no reply .* in 0.05 s"):
                client.send(Get(f"S{number}"), timeout=0.05)
        assert client.send([Get("A"), Get("B")]) == ["A?", "B?"]
        assert client.is_connected()
    assert box.lines == ["*IDN?", "S0?", "S1?", "S2?", "A?", "B?"]


def test_the_same_command_again_does_not_get_the_reply_to_the_first(make: Make) -> None:
    with FaultyBox((Do.PAUSE, b"OK =first\n"), b"OK =second\n") as box:
        client = make(box.port, timeout=20)
        client.connect()
        command = Get("A")
        with pytest.raises(CommandTimeout):
            client.send(command, timeout=0.05)
        assert client.send(command) == "second"


def test_a_command_that_timed_out_takes_no_further_steps(make: Make) -> None:
    with FaultyBox((Do.PAUSE, b"!PULSE 4\n.\n")) as box:
        client = make(box.port, timeout=20)
        client.connect()
        with pytest.raises(CommandTimeout):
            client.send(GetBlockInfo(), timeout=0.05)
        assert client.send(Get("A")) == "A?"
    assert box.lines == ["*IDN?", "*BLOCKS?", "A?"]


def test_one_late_command_among_several(make: Make) -> None:
    with FaultyBox(b"OK =1\n", (Do.PAUSE, b"OK =2\n"), b"OK =3\n") as box:
        client = make(box.port, timeout=20)
        client.connect()
        with pytest.raises(CommandTimeout):
            client.send([Get("A"), Get("B"), Get("C")], timeout=0.1)
        assert [client.send(Get(name)) for name in "DEF"] == ["D?", "E?", "F?"]
