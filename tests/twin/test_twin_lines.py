"""The time that phases take, and the memory of tables, against a loop over ticks."""

from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.sim.twin.prescaler import PhaseTimer
from panda_ioc.sim.twin.ring import LineRing


def _end_by_ticks(time: int, prescale: int, changes: dict[int, int]) -> int:
    ticks = periods = now = 0
    while True:
        prescale = changes.get(now, prescale)
        if ticks == prescale - 1:
            if periods == time - 1:
                return now
            ticks, periods = 0, periods + 1
        else:
            ticks = (ticks + 1) % 2**32
        now += 1


@given(
    st.integers(1, 6),
    st.integers(1, 9),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), max_size=4),
)
def test_a_phase_ends_as_counters_would_end_it(
    time: int, prescale: int, growths: list[tuple[int, int]]
) -> None:
    # A prescaler that becomes longer; a counter past a shorter one would go round 2^32 ticks.
    changes: dict[int, int] = {}
    now, longer = 0, prescale
    for pause, more in growths:
        now, longer = now + pause, longer + more
        changes[now] = longer
    end = _end_by_ticks(time, prescale, changes)
    timer = PhaseTimer()
    timer.set_prescale(0, prescale)
    timer.start(0, time)
    for tick, length in changes.items():
        if tick <= end:
            timer.set_prescale(tick, length)
    assert timer.end == end


def test_a_counter_that_is_past_its_new_end_goes_round() -> None:
    timer = PhaseTimer()
    timer.set_prescale(0, 10)
    timer.start(0, 1)
    timer.set_prescale(6, 3)
    assert timer.end == 2**32 + 2
    timer.set_prescale(8, 10)
    assert timer.end == 9


@given(
    st.integers(0, 9),
    st.lists(st.integers(0, 2**32 - 1), max_size=20),
    st.booleans(),
    st.booleans(),
)
def test_filling_a_ring_equals_clocks(
    begun: int, words: list[int], wrapping: bool, reset: bool
) -> None:
    def ring() -> LineRing[tuple[int, ...]]:
        made: LineRing[tuple[int, ...]] = LineRing(4, tuple)
        for word in [None, *range(begun)]:
            made.step(word, last=False, reset=False, wrapping=wrapping, take=False)
        if reset:
            made.step(None, last=False, reset=True, wrapping=wrapping, take=False)
        return made

    filled, clocked = ring(), ring()
    filled.fill(words, wrapping)
    for word in words:
        clocked.step(word, last=False, reset=False, wrapping=wrapping, take=False)
    for _ in range(4):
        assert (filled.line, filled.state) == (clocked.line, clocked.state)
        assert filled.room(wrapping) == clocked.room(wrapping)
        for each in (filled, clocked):
            each.step(None, last=False, reset=False, wrapping=wrapping, take=True)
