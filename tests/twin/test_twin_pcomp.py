"""PCOMP, by positions that come one at a time."""

import pytest

from twin.drive import Steps, drive

UP = {20 + i: {"INP": i} for i in range(25)}
SETTINGS = {"START": 10, "STEP": 5, "WIDTH": 2, "PULSES": 2}
ENABLED = {5: {"ENABLE": 1}}


def test_pulses_come_at_start_and_every_step() -> None:
    assert drive("PCOMP", {1: SETTINGS, **ENABLED, **UP}, 100) == {
        "ACTIVE": [(6, 1), (38, 0)],
        "OUT": [(31, 1), (33, 0), (36, 1), (38, 0)],
        "PRODUCED": [(31, 1), (36, 2)],
        "STATE": [(6, 2), (7, 3), (31, 4), (33, 3), (36, 4), (38, 0)],
    }


def test_a_jump_past_a_step_is_an_error() -> None:
    steps = {1: SETTINGS, **ENABLED, 20: {"INP": 10}, 30: {"INP": 40}}
    assert drive("PCOMP", steps, 100) == {
        "ACTIVE": [(6, 1), (31, 0)],
        "OUT": [(21, 1), (31, 0)],
        "PRODUCED": [(21, 1)],
        "HEALTH": [(31, 1)],
        "STATE": [(6, 2), (7, 3), (21, 4), (31, 0)],
    }


def test_a_relative_start_in_either_direction_takes_that_of_the_motion() -> None:
    settings = {**SETTINGS, "START": 4, "PULSES": 1, "RELATIVE": 1, "DIR": 2, "INP": 100}
    down = {20 + i: {"INP": 100 - i} for i in range(10)}
    assert drive("PCOMP", {1: settings, **ENABLED, **down}, 100) == {
        "ACTIVE": [(6, 1), (27, 0)],
        "OUT": [(25, 1), (27, 0)],
        "PRODUCED": [(25, 1)],
        "STATE": [(6, 1), (25, 4), (27, 0)],
    }


@pytest.mark.parametrize(
    ("settings", "out"),
    [
        ({"RELATIVE": 1, "START": 0, "DIR": 0}, [(6, 1), (23, 0), (26, 1), (28, 0)]),
        ({"PRE_START": 3, "DIR": 2}, [(31, 1), (33, 0), (36, 1), (38, 0)]),
        ({"DIR": 1}, []),
        ({"PULSES": 1}, [(31, 1), (33, 0)]),
    ],
)
def test_settings_choose_the_pulses(settings: dict[str, int], out: list[tuple[int, int]]) -> None:
    steps: Steps = {1: {**SETTINGS, **settings}, **ENABLED, **UP}
    assert drive("PCOMP", steps, 100).get("OUT", []) == out


def test_a_direction_that_cannot_be_guessed_is_an_error() -> None:
    settings = {"START": 4, "PRE_START": -4, "RELATIVE": 1, "DIR": 2}
    assert drive("PCOMP", {1: settings, **ENABLED}, 50) == {
        "ACTIVE": [(6, 1), (7, 0)],
        "HEALTH": [(7, 2)],
        "STATE": [(6, 1), (7, 0)],
    }
