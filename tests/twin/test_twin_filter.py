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


@pytest.mark.parametrize(("then", "turned"), [(-3, 136), (-100, 123)])
def test_a_ready_average_follows_the_sign_of_the_sum_while_the_trigger_is_held(
    then: int, turned: int
) -> None:
    steps = {
        1: {**AVERAGE, "INP": 5},
        5: {"ENABLE": 1},
        10: {"TRIG": 1},
        60: {"ENABLE": 0},
        61: {"ENABLE": 1},
        110: {"ENABLE": 0},
        111: {"ENABLE": 1},
        120: {"INP": then},
    }
    assert drive("FILTER", steps, 180) == {
        "HEALTH": [(63, 2), (112, 0)],
        "OUT": [(113, 5), (turned, -5)],
        "READY": [(113, 1)],
    }


def test_a_held_trigger_compares_once_more_after_the_last_subtraction() -> None:
    steps = {
        1: {**AVERAGE, "INP": -4},
        5: {"ENABLE": 1},
        10: {"TRIG": 1},
        30: {"INP": 2},
        41: {"INP": 0},
        86: {"ENABLE": 0},
        87: {"ENABLE": 1},
        94: {"ENABLE": 0},
        95: {"ENABLE": 1},
    }
    assert drive("FILTER", steps, 180) == {
        "HEALTH": [(89, 2), (96, 0)],
        "OUT": [(97, 3)],
        "READY": [(97, 1), (98, 0)],
    }


def test_an_overflow_is_seen_while_an_average_is_divided() -> None:
    lowest = -(2**31)
    steps = {
        1: {**AVERAGE, "INP": lowest},
        5: {"ENABLE": 1},
        2**31 - 10: {"TRIG": 1},
        2**31 - 9: {"TRIG": 0},
    }
    assert drive("FILTER", steps, 2**31 + 100) == {"HEALTH": [(2**31 + 9, 1)]}
