"""Trajectories as people write them."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.errors import TwinError
from panda_ioc.sim.twin.trajectory_text import parse_trajectory

SECOND = 125_000_000
MS = 125_000


def shown(text: str, *ms: float) -> list[int]:
    trajectory = parse_trajectory(text)
    return [trajectory.value(round(at * MS)) for at in ms]


@pytest.mark.parametrize("time", ["1s", "1000ms", "1000000 us", "1e9ns", "1", "0.1e1 s"])
def test_ramp_and_units(time: str) -> None:
    assert shown(f"ramp:0,1000,{time}", -5, 0, 0.999, 1, 500, 999.999, 1000, 9999) == [
        *(0, 0, 0, 1, 500, 999, 1000, 1000)
    ]


def test_minutes() -> None:
    assert parse_trajectory("hold:1,2min").ticks == 120 * SECOND


def test_snake_is_repeated() -> None:
    snake = "ramp:0,10,10ms; hold:10,5ms; ramp:10,0,10ms; hold:0,5ms; repeat:2"
    assert shown(snake, 2, 12, 20, 27, 32, 42, 50, 57, 62) == [2, 10, 5, 0, 2, 10, 5, 0, 0]
    forever = parse_trajectory(snake.replace("repeat:2", "repeat:forever"))
    assert forever.ticks is None
    assert forever.value((30 * 10**9 + 2) * MS) == 2


def test_fractions_of_counts_are_kept_until_the_floor() -> None:
    assert shown("ramp:-0.5,0.5,10ms", 0, 4.9, 5.1, 10) == [-1, -1, 0, 0]


def test_move_is_slow_at_its_ends() -> None:
    move = parse_trajectory("move:0,8000,9s,1s")
    # The cruise is 1000 counts a second; half of that is the mean of a ramp.
    at = [move.value(int(s * SECOND)) for s in (0, 0.5, 1, 2, 4.5, 8, 8.5, 9)]
    assert at == [0, 125, 500, 1500, 4000, 7500, 7875, 8000]
    back = parse_trajectory("move:8000,0,9s,1s")
    assert [back.value(int(s * SECOND)) for s in (1, 4.5, 8)] == [7500, 4000, 500]
    assert shown("move:0,100,10ms,0s", 5) == [50]


def test_sine_goes_on_for_ever_unless_it_is_part_of_more() -> None:
    sine = parse_trajectory("sine:100,1000,4s")
    at = [sine.value(second * SECOND) for second in (0, 1, 2, 3, 4, 5, 4001)]
    assert at == [100, 1100, 100, -900, 100, 1100, 1100]
    assert abs(sine.value(SECOND // 3) - 600) <= 1
    assert parse_trajectory("sine:0,10,1s;repeat:3").ticks == 3 * SECOND
    assert parse_trajectory("sine:0,10,1s;hold:0,1s").ticks == 2 * SECOND


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "scan.csv"
    path.write_text("time,position\n# a comment\n0.010, 5\n\n0.020,15\n0.021,-1.5\n")
    assert shown(str(path), 0, 9, 10, 15, 20.5, 21, 99) == [5, 5, 5, 10, 6, -2, -2]
    assert shown(f"{path};repeat:2", 22, 36) == [5, 10]


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(-(2**31), 2**31 - 1)), min_size=2))
def test_csv_meets_its_points_without_drift(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "points.csv"
    tick, points = 0, []
    for ticks, position in steps:
        points.append((tick, position))
        tick += ticks
    # A tick is 8 ns, which has an exact decimal.
    path.write_text("".join(f"{tick * 8}e-9,{position}\n" for tick, position in points))
    trajectory = parse_trajectory(str(path))
    assert [(t, trajectory.value(t)) for t, _ in points] == points


WRONG = [
    ("", "'' is no trajectory; write ramp:FROM,TO,TIME, hold:POSITION,TIME"),
    ("repeat:3", "is no trajectory"),
    ("jump:1,2", "'jump:1,2' is no trajectory; write ramp:FROM,TO,TIME"),
    ("ramp:0,1000", "'ramp:0,1000' has 2 numbers; write ramp:FROM,TO,TIME"),
    ("ramp:0,x,1s", "'x' is not a number"),
    ("ramp:0,1e999999999,1s", "'1e999999999' is not a number"),
    ("ramp:0,nan,1s", "'nan' is not a number"),
    ("ramp:0,1,1h", "'1h' is not a time; write a number and one of s, ms"),
    ("ramp:0,1,s", "'' is not a number"),
    ("ramp:0,1,1ns", "takes less than a tick of 8 ns"),
    ("ramp:0,1,-1s", "takes less than a tick"),
    ("ramp:0,3e9,1s", r"position 3e\+09 does not fit into 32 bits"),
    ("move:0,1,1s,0.6s", "at most half of its time"),
    ("hold:0,1s;repeat:0", "'repeat:0': repeat from 1 to"),
    ("hold:0,1s;repeat:-1", "repeat from 1 to"),
    ("hold:0,1s;repeat:2;hold:0,1s", "'repeat:2' is no trajectory"),
    ("missing.csv", "cannot read the trajectory missing.csv: No such file"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_wrong_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(TwinError, match=message):
        parse_trajectory(text)


WRONG_FILES = [
    ("0,1\n0,2\n", "line 2: time 0 is not after the last"),
    ("t,x\n1,1\n0.5,2\n", "line 3: time 0.5 is not after the last"),
    ("-1,1\n1,2\n", "line 1: time -1 is before the start"),
    ("0,1,5\n", "line 1: 3 columns; write time in seconds and position"),
    ("0;1\n1;2\n", "line 2: 1 columns"),
    ("0,1\n1,x\n", "line 2: 'x' is not a number"),
    ("time,position\ntime,position\n", "line 2: 'time' is not a number"),
    ("0,1\n", "takes less than a tick"),
    ("", "takes less than a tick"),
    ("0,1\n1,5e9\n", r"position 5e\+09 does not fit"),
]


@pytest.mark.parametrize(("content", "message"), WRONG_FILES)
def test_wrong_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(content)
    with pytest.raises(TwinError, match=message):
        parse_trajectory(str(path))


def test_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "binary.csv"
    path.write_bytes(b"\xff\xfe\x00\xff")
    with pytest.raises(TwinError, match="is no CSV file"):
        parse_trajectory(str(path))


@given(st.text(alphabet="ramphold:;,.0123456789s-e \n", max_size=40))
def test_any_text_is_taken_or_refused(text: str) -> None:
    with suppress(TwinError):
        trajectory = parse_trajectory(text)
        assert trajectory.value(-1) == trajectory.first
