"""FILTER: differences and averages."""

import pytest

from twin.drive import drive

PULSE = {20: {"TRIG": 1}, 21: {"TRIG": 0}}
AVERAGE = {"MODE": 1}


def test_a_difference_is_that_to_the_trigger_before() -> None:
    steps = {
        1: {"INP": 10},
        5: {"ENABLE": 1},
        8: {"INP": 25},
        **PULSE,
        24: {"INP": -5},
        30: {"TRIG": 1},
    }
    assert drive("FILTER", steps, 100) == {
        "OUT": [(21, 15), (31, -30)],
        "READY": [(21, 1), (22, 0), (31, 1), (32, 0)],
    }


@pytest.mark.parametrize(("first", "then", "average"), [(100, 200, 185), (-7, -7, -7), (0, 1, 0)])
def test_an_average_takes_a_division(first: int, then: int, average: int) -> None:
    steps = {1: {**AVERAGE, "INP": first}, 5: {"ENABLE": 1}, 8: {"INP": then}, **PULSE}
    seen = drive("FILTER", steps, 100)
    assert seen.get("OUT", [(56, 0)]) == [(56, average)]
    assert seen["READY"] == [(56, 1), (57, 0)]


def test_a_trigger_during_a_division_stops_until_the_next_enable() -> None:
    steps = {
        1: {**AVERAGE, "INP": 100},
        5: {"ENABLE": 1},
        **PULSE,
        40: {"TRIG": 1},
        41: {"TRIG": 0},
        90: {"ENABLE": 0},
        95: {"ENABLE": 1},
    }
    assert drive("FILTER", steps, 150) == {"HEALTH": [(43, 2), (96, 0)]}


def test_a_sum_of_more_than_62_bits_is_an_overflow() -> None:
    lowest = -(2**31)
    steps = {1: {**AVERAGE, "INP": lowest}, 5: {"ENABLE": 1}}
    assert drive("FILTER", steps, 2**31 + 100) == {"HEALTH": [(2**31 + 9, 1)]}
