"""PULSE, from trigger to the last edge."""

import logging

import pytest

from twin.drive import drive

ENABLED = {5: {"ENABLE": 1}}
ONE_TRIGGER = {**ENABLED, 20: {"TRIG": 1}, 23: {"TRIG": 0}}


def test_a_train_comes_after_the_delay_and_blocks_triggers_until_its_last_edge() -> None:
    steps = {
        1: {"DELAY_L": 10, "WIDTH_L": 6, "PULSES": 2, "STEP_L": 9},
        **ENABLED,
        20: {"TRIG": 1},
        22: {"TRIG": 0},
        25: {"TRIG": 1},
        36: {"TRIG": 0},
        37: {"TRIG": 1},
    }
    assert drive("PULSE", steps, 100) == {
        "OUT": [(31, 1), (37, 0), (40, 1), (46, 0), (48, 1), (54, 0), (57, 1), (63, 0)],
        "QUEUED": [(22, 1), (39, 2), (46, 1), (63, 0)],
        "DROPPED": [(26, 1)],
    }


@pytest.mark.parametrize(
    ("settings", "out"),
    [
        ({}, [(21, 1), (24, 0)]),
        ({"TRIG_EDGE": 1}, [(21, 1), (24, 0)]),
        ({"DELAY_L": 7}, [(28, 1), (31, 0)]),
        ({"DELAY_L": 1}, [(26, 1), (29, 0)]),
        ({"WIDTH_L": 3}, [(21, 1), (26, 0)]),
        ({"WIDTH_L": 8, "TRIG_EDGE": 1}, [(24, 1), (32, 0)]),
        ({"WIDTH_L": 8, "TRIG_EDGE": 3}, []),
        ({"WIDTH_L": 5, "PULSES": 2, "STEP_L": 1}, [(21, 1), (26, 0), (27, 1), (32, 0)]),
        ({"WIDTH_L": 5, "DELAY_H": 1}, []),
    ],
)
def test_settings_shape_the_pulse(settings: dict[str, int], out: list[tuple[int, int]]) -> None:
    assert drive("PULSE", {1: settings, **ONE_TRIGGER}, 200).get("OUT", []) == out


def test_a_write_drops_the_queue_and_forgets_the_number_of_drops() -> None:
    steps = {
        1: {"DELAY_L": 20, "WIDTH_L": 10},
        **ENABLED,
        20: {"TRIG": 1},
        21: {"TRIG": 0},
        22: {"TRIG": 1},
        30: {"DELAY_L": 20},
        31: {"TRIG": 0},
        40: {"TRIG": 1},
    }
    assert drive("PULSE", steps, 100) == {
        "OUT": [(61, 1), (71, 0)],
        "QUEUED": [(22, 1), (31, 0), (42, 1), (71, 0)],
        "DROPPED": [(23, 1), (32, 0)],
    }


def test_a_pulse_that_nobody_triggered_comes_after_the_next_enable(
    caplog: pytest.LogCaptureFixture,
) -> None:
    steps = {1: {"WIDTH_L": 10}, **ONE_TRIGGER, 50: {"ENABLE": 0}, 60: {"ENABLE": 1}}
    with caplog.at_level(logging.WARNING):
        assert drive("PULSE", steps, 150)["OUT"] == [(21, 1), (31, 0), (80, 1), (86, 0)]
    assert "nobody triggered" in caplog.text


def test_a_full_queue_drops_triggers() -> None:
    edges = {10 + i: {"TRIG": 1 - i % 2} for i in range(260)}
    seen = drive("PULSE", {1: {"DELAY_L": 1000}, **ENABLED, **edges}, 300)
    assert seen["QUEUED"][-1] == (268, 257)
    assert seen["DROPPED"] == [(269, 1), (270, 2)]
