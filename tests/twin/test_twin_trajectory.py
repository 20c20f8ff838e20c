"""A trajectory answers as a loop over all ticks would."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.errors import TwinError
from panda_ioc.sim.twin.floor_sums import floor_sums
from panda_ioc.sim.twin.trajectory import DOWN, FOREVER, UP, Leg, Trajectory, still

positions = st.fractions(-30, 30, max_denominator=7)
legs = st.lists(st.tuples(st.integers(1, 25), positions, positions), min_size=1, max_size=5)
repeats = st.integers(0, 3)
# Longer than three times all of the legs.
LONG = 500


def loop(legs: list[Leg], repeats: int) -> dict[int, int]:
    """Positions by tick, as the definition has them."""
    cycle = [
        (begin + (end - begin) * tick / ticks).__floor__()
        for ticks, begin, end in legs
        for tick in range(ticks)
    ]
    whole = cycle * (repeats if repeats != FOREVER else 2 * LONG // len(cycle) + 2)
    rest = [legs[-1][2].__floor__()] * (2 * LONG)
    return dict(enumerate([cycle[0]] * LONG + whole + rest, -LONG))


@given(legs, repeats, st.integers(-40, LONG))
def test_value(legs: list[Leg], repeats: int, tick: int) -> None:
    assert Trajectory(legs, repeats).value(tick) == loop(legs, repeats)[tick]


@given(legs, repeats, st.integers(-40, LONG), st.integers(-32, 32), st.sampled_from([UP, DOWN]))
def test_next_crossing(legs: list[Leg], repeats: int, tick: int, position: int, sense: int) -> None:
    path = loop(legs, repeats)
    found = [t for t in range(tick, tick + LONG - 40) if (path[t] - position) * sense >= 0]
    assert Trajectory(legs, repeats).next_crossing(tick, position, sense) == min(
        found, default=None
    )


@given(legs, repeats, st.integers(-40, LONG), st.integers(-32, 32), st.integers(0, 5))
def test_next_within_even_if_it_jumps_over(
    legs: list[Leg], repeats: int, tick: int, low: int, width: int
) -> None:
    path = loop(legs, repeats)
    found = [t for t in range(tick, tick + LONG - 40) if low <= path[t] <= low + width]
    assert Trajectory(legs, repeats).next_within(tick, low, low + width) == min(found, default=None)


@given(legs, repeats, st.integers(-40, LONG))
def test_next_change(legs: list[Leg], repeats: int, tick: int) -> None:
    path = loop(legs, repeats)
    found = [t for t in range(tick, tick + LONG - 40) if path[t] != path[t - 1]]
    assert Trajectory(legs, repeats).next_change(tick) == min(found, default=None)


@given(legs, repeats, st.integers(-40, LONG), st.integers(1, 300))
def test_sums_and_extremes(legs: list[Leg], repeats: int, first: int, ticks: int) -> None:
    path = loop(legs, repeats)
    taken = [path[t] for t in range(first, first + ticks)]
    trajectory = Trajectory(legs, repeats)
    assert trajectory.sum(first, first + ticks) == sum(taken)
    assert trajectory.sum_of_squares(first, first + ticks) == sum(p * p for p in taken)
    assert trajectory.extremes(first, first + ticks) == (min(taken), max(taken))


@given(st.integers(-100, 100), st.integers(-100, 100), st.integers(1, 60), st.integers(-1, 60))
def test_floor_sums(slope: int, offset: int, divisor: int, last: int) -> None:
    values = [(slope * i + offset) // divisor for i in range(last + 1)]
    assert floor_sums(slope, offset, divisor, last) == (
        sum(values),
        sum(i * value for i, value in enumerate(values)),
        sum(value * value for value in values),
    )


def test_an_encoder_of_10_mhz_for_an_hour_has_no_drift() -> None:
    hour = 3600 * 125_000_000
    trajectory = Trajectory([(hour, Fraction(0), Fraction(2**31 - 1))])
    middle = trajectory.next_crossing(0, 2**30, UP)
    assert middle is not None
    assert [trajectory.value(middle + n) for n in (-1, 0)] == [2**30 - 1, 2**30]
    assert trajectory.value(hour - 1) == 2**31 - 2
    assert trajectory.value(hour) == 2**31 - 1
    # As many ticks lie below the middle as above it, but for the floor.
    assert abs(trajectory.sum(0, hour) * 2 - hour * (2**31 - 2)) < 2**31


@pytest.mark.parametrize(
    ("legs", "repeats", "message"),
    [
        ([(0, Fraction(0), Fraction(1))], 1, "a motion of 0 ticks of 8 ns is too short"),
        ([(5, Fraction(0), Fraction(2**31))], 1, r"position 2.14748e\+09 does not fit into 32"),
        ([(5, Fraction(-(2**31) - 1), Fraction(0))], 1, "does not fit into 32 bits"),
        ([], 1, "a trajectory of 0 pieces, 1 times"),
        ([(5, Fraction(0), Fraction(0))], -1, "a trajectory of 1 pieces, -1 times"),
    ],
)
def test_what_cannot_be_is_refused(legs: list[Leg], repeats: int, message: str) -> None:
    with pytest.raises(TwinError, match=message):
        Trajectory(legs, repeats)


def test_no_ticks_have_no_extremes() -> None:
    with pytest.raises(TwinError, match="no ticks from 5 to before 5"):
        still(3).extremes(5, 5)
