"""Round trips of the clients: `pytest tests/bench/test_bench_clients.py --benchmark-enable`."""

import asyncio
from typing import Any

import pytest

from bench.senders import measure
from panda_ioc.client.blocking import BlockingClient
from panda_ioc.client.panda import Panda
from panda_ioc.protocol.commands import Get, Put
from support.servers import Sim, Starter

HOST = "127.0.0.1"


@pytest.fixture(params=[False, True], ids=["one write", "two small writes"])
def box(request: pytest.FixtureRequest, start_sim: Starter[Sim]) -> Sim:
    """A simulator that answers in one write or in two."""
    sim = start_sim("--no-alive")
    if request.param:
        sim.put("*SIM.SPLIT=1")
    return sim


@pytest.mark.parametrize("senders", [1, 32])
def test_concurrent_puts(benchmark: Any, box: Sim, senders: int) -> None:
    def run() -> dict[str, float]:
        return asyncio.run(measure("panda_ioc", HOST, box.port, senders, 640))

    found = benchmark(run)
    benchmark.extra_info |= found
    assert found["rate"] > 0
    assert box.ask("PULSE1.DELAY?") == [f"OK ={640 // senders}"]


def test_blocking_put(benchmark: Any, box: Sim) -> None:
    with BlockingClient(HOST, box.port) as client:
        assert benchmark(client.send, Put("PULSE1.DELAY", "1")) is None


def test_many_commands_in_one_round_trip(benchmark: Any, sim: Sim) -> None:
    commands = [Get(f"PULSE{n % 4 + 1}.DELAY") for n in range(1000)]
    with BlockingClient(HOST, sim.port) as client:
        assert len(benchmark(client.send, commands)) == 1000


def test_value_of_a_field(benchmark: Any, sim: Sim) -> None:
    with Panda.open(HOST, sim.port) as panda:
        panda.PULSE1.DELAY.put(3)
        assert benchmark(panda.PULSE1.DELAY.get) == 3


def test_introspection(benchmark: Any, sim: Sim) -> None:
    def run() -> int:
        with Panda.open(HOST, sim.port) as panda:
            return len(panda.blocks)

    assert benchmark(run) > 70
