"""POSENC: quadrature, and step and direction."""

import pytest

from twin.drive import drive

MOVES = {5: {"ENABLE": 1}, 10: {"INP": 3}, 40: {"INP": 1}, 60: {"ENABLE": 0}}
STATE = [(6, 1), (11, 2), (23, 1), (41, 2), (47, 1), (61, 0)]


def test_quadrature_follows_the_position_one_step_a_period() -> None:
    assert drive("POSENC", {1: {"PERIOD": 4}, **MOVES}, 80) == {
        "A": [(15, 1), (23, 0), (43, 1), (61, 0)],
        "B": [(19, 1), (47, 0)],
        "STATE": STATE,
    }


def test_steps_last_one_tick_beside_their_direction() -> None:
    steps = [t for tick in (15, 19, 23, 43, 47) for t in ((tick, 1), (tick + 1, 0))]
    assert drive("POSENC", {1: {"PERIOD": 4, "PROTOCOL": 1}, **MOVES}, 80) == {
        "A": steps,
        "B": [(6, 1), (11, 0), (23, 1), (61, 0)],
        "STATE": STATE,
    }


@pytest.mark.parametrize(
    ("settings", "a", "b"),
    [
        ({1: {"PERIOD": 1}, 10: {"INP": -3}}, [(13, 1)], [(12, 1), (14, 0)]),
        (
            {1: {"PERIOD": 10}, 10: {"INP": 3}, 15: {"PERIOD": 3}, 23: {"PERIOD": 5}},
            [(13, 1), (23, 0)],
            [(20, 1)],
        ),
    ],
    ids=["every tick, back", "a write begins a period"],
)
def test_the_period_paces_the_steps(
    settings: dict[int, dict[str, int]], a: list[tuple[int, int]], b: list[tuple[int, int]]
) -> None:
    seen = drive("POSENC", {**settings, 5: {"ENABLE": 1}}, 80)
    assert (seen["A"], seen["B"]) == (a, b)
