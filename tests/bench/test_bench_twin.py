"""Work of the digital twin: `pytest tests/bench/test_bench_twin.py --benchmark-enable`.

What does not depend on the machine is always judged: events for a row, and what stays in memory.
"""

from collections.abc import Callable
from typing import Any

import pytest

from bench.twin_speed import (
    encoder,
    fast_clock,
    five_blocks,
    four_blocks,
    idle,
    measure,
    run,
    snake,
)
from panda_ioc.sim.twin.network import Network

SECONDS = 10.0
# Set-up, CPU seconds that 10 s of it may take, rows, and the most events for a row.
BARS = [
    pytest.param(encoder, 1.0, 9999, 7, id="1 MHz encoder, PCOMP, PCAP"),
    pytest.param(four_blocks, 3.0, 100_000, 13, id="10 kHz, SEQ, PULSE, COUNTER, PCAP"),
    pytest.param(five_blocks, 4.0, 100_000, 17, id="the same behind a CLOCK"),
]


@pytest.mark.parametrize(("make", "cpu", "rows", "events"), BARS)
def test_ten_seconds(
    benchmark: Any, make: Callable[[], Network], cpu: float, rows: int, events: int
) -> None:
    seconds = SECONDS if benchmark.enabled else SECONDS / 50
    found = benchmark.pedantic(measure, (make, seconds))
    benchmark.extra_info |= found | {"times real time": seconds / found["cpu"]}
    assert abs(found["rows"] - rows * seconds / SECONDS) <= 2
    assert found["events"] / found["rows"] < events
    if benchmark.enabled:
        assert found["cpu"] <= cpu


def test_idle_blocks_cost_nothing(benchmark: Any) -> None:
    found = benchmark.pedantic(measure, (idle, 3600.0))
    assert found["events"] == 0


def test_a_clock_of_16_ns_into_a_counter_costs_nothing(benchmark: Any) -> None:
    found = benchmark.pedantic(measure, (fast_clock, SECONDS))
    assert found["events"] < 20
    if benchmark.enabled:
        assert found["cpu"] <= 0.1


@pytest.mark.parametrize("make", [snake, four_blocks])
def test_nothing_piles_up(make: Callable[[], Network]) -> None:
    network = make()
    engine = network.board.engine
    waiting = []
    for _ in range(5):
        assert run(network, 0.3 if make is four_blocks else 100) > 300
        waiting.append(sum(map(len, engine.agenda.values())))
    assert max(waiting) < 10
    assert len(engine.ticks) == len(engine.agenda)


def test_wishes_that_were_given_up_are_forgotten() -> None:
    """A clock of an hour, begun again each millisecond, plans an edge that never comes."""
    network = Network({"CLOCK1": "CLOCK"})
    network.wire("CLOCK1.ENABLE", "ONE")
    for _ in range(25_000):
        network.write("CLOCK1.PERIOD", 2**32 - 1)
        network.run_until(network.now + 125_000)
    assert len(network.board.engine.ticks) <= 10_001
    network.run_until(network.now + 2**31)
    assert network.output("CLOCK1.OUT").value == 0
