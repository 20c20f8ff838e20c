"""Waves answer what a loop over ticks would, and networks do the same with and without them."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_ioc.sim.twin.network import Network
from panda_ioc.sim.twin.waves import Wave
from twin.waving import Run, random_plan

SECOND = 125_000_000


@st.composite
def _waves(draw: st.DrawFn) -> Wave:
    period = draw(st.integers(2, 40))
    return Wave(draw(st.integers(-50, 50)), period, draw(st.integers(1, period - 1)))


@given(wave=_waves(), first=st.integers(-80, 150), ticks=st.integers(0, 200))
def test_a_wave_answers_what_a_loop_over_ticks_would(wave: Wave, first: int, ticks: int) -> None:
    end = first + ticks
    levels = {}
    for tick in range(-100, end + 200):
        place = tick - wave.start
        levels[tick] = int(place >= 0 and place % wave.period < wave.width)
    edges = [t for t in range(-99, end + 200) if levels[t] != levels[t - 1]]
    inside = [t for t in edges if first < t <= end]
    assert wave.level(end) == levels[end]
    assert wave.rises(first, end) == sum(levels[t] for t in inside)
    assert wave.falls(first, end) == sum(1 - levels[t] for t in inside)
    assert wave.next_edge(first) == next(t for t in edges if t > first)
    assert wave.later(7).level(end + 7) == levels[end]


@pytest.mark.parametrize("slices", [False, True], ids=["whole", "sliced"])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_network_does_the_same_without_waves(slices: bool, seed: int) -> None:
    plan = random_plan(Random(seed))
    with_waves = Run(plan, waves=True, slices=Random(seed) if slices else None)
    assert with_waves.seen == Run(plan, waves=False).seen


def _counting(waves: bool = True) -> Network:
    network = Network({"CLOCK1": "CLOCK", "COUNTER1": "COUNTER"}, waves=waves)
    for name, source in (("CLOCK1.ENABLE", "ONE"), ("COUNTER1.ENABLE", "ONE")):
        network.wire(name, source)
    network.wire("COUNTER1.TRIG", "CLOCK1.OUT")
    network.write("CLOCK1.PERIOD", 2, 20)
    return network


def test_ten_seconds_of_the_fastest_clock_are_a_few_events() -> None:
    network = _counting()
    network.run_until(10 * SECOND)
    # The first rise is on the bus at 22, at the counter at 24, and counted in period 25.
    assert network.output("COUNTER1.OUT").value_at(10 * SECOND) == (10 * SECOND - 25) // 2 + 1
    assert network.board.engine.events < 20


def test_limits_and_a_carry_need_no_events() -> None:
    network = _counting()
    network.write("COUNTER1.MAX", 9, 5)
    network.run_until(10 * SECOND)
    assert network.output("COUNTER1.OUT").value_at(10 * SECOND) == (
        ((10 * SECOND - 25) // 2 + 1) % 10
    )
    assert network.board.engine.events < 20


def test_whoever_listens_gets_every_edge() -> None:
    network = _counting()
    network.run_until(1_000_000)
    recorder = network.record(["COUNTER1.OUT"])
    network.run_until(1_000_100)
    assert len(recorder.changes(1_000_100)) in (49, 50)
    recorder.stop()
    before = network.board.engine.events
    network.run_until(2_000_000)
    assert network.board.engine.events < before + 10
