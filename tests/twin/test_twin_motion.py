"""A network that a trajectory moves does the same as one to which each position is written."""

from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_ioc.errors import TwinError
from panda_ioc.sim.twin.network import Network
from panda_ioc.sim.twin.trajectory import Trajectory, still
from twin.moving import Plan, Seen, by_trajectories, by_writes, random_plan


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32))
def test_random_networks(seed: int) -> None:
    plan = random_plan(Random(seed))
    assert by_trajectories(plan, Random(seed)) == by_writes(plan)


def ramp(first: int, last: int, ticks: int) -> Trajectory:
    return Trajectory([(ticks, Fraction(first), Fraction(last))])


def same(plan: Plan) -> Seen:
    """Do it both ways; return what came of it."""
    seen = by_trajectories(plan, Random(0))
    assert seen == by_writes(plan)
    return seen


@pytest.mark.parametrize("other", ["INENC2.VAL", "CALC1.OUT"])
@pytest.mark.parametrize("tick", range(195, 208))
def test_input_is_rewired_while_the_encoder_crosses(tick: int, other: str) -> None:
    plan = Plan(
        writes=[(n, f"PCOMP1.{name}", 10) for n, name in enumerate(("START", "STEP"), 1)],
        moves=[(100, "INENC1.VAL", ramp(0, 100, 1000), 100)],
        wires=[
            (0, "PCOMP1.ENABLE", "ONE"),
            (0, "PCOMP1.INP", "INENC1.VAL"),
            (tick, "PCOMP1.INP", other),
        ],
    )
    plan.writes += [(3, "PCOMP1.WIDTH", 5)]
    same(plan)


def test_input_is_rewired_to_and_fro_in_one_tick() -> None:
    plan = Plan(
        writes=[(n, f"PCOMP1.{name}", 10) for n, name in enumerate(("START", "STEP"), 1)],
        moves=[(100, "INENC1.VAL", still(10), 100)],
        wires=[(0, "PCOMP1.ENABLE", "TTLIN1.VAL"), (0, "PCOMP1.INP", "CALC1.OUT")],
    )
    plan.writes += [(3, "PCOMP1.WIDTH", 5), (150, "TTLIN1.VAL", 1)]
    plan.wires += [(200, "PCOMP1.INP", "INENC1.VAL"), (200, "PCOMP1.INP", "CALC1.OUT")]
    same(plan)


@pytest.mark.parametrize("direction", [0, 1, 2])
@pytest.mark.parametrize(("latched", "beyond"), [(2**31 - 5, -(2**31)), (-(2**31), 2**31 - 5)])
def test_distance_from_the_latched_position_wraps(
    direction: int, latched: int, beyond: int
) -> None:
    down = beyond > 0
    there = ramp(beyond, beyond + (-40 if down else 40), 300)
    settings = {"START": 20, "STEP": 8, "WIDTH": 3, "RELATIVE": 1, "DIR": direction}
    plan = Plan(
        writes=[(n, f"PCOMP1.{name}", v) for n, (name, v) in enumerate(settings.items(), 1)],
        moves=[
            (50, "INENC1.VAL", still(latched), 50),
            (150, "INENC1.VAL", there, 150),
        ],
        wires=[(0, "PCOMP1.ENABLE", "TTLIN1.VAL"), (0, "PCOMP1.INP", "INENC1.VAL")],
    )
    plan.writes.append((100, "TTLIN1.VAL", 1))
    changes, _, _ = same(plan)
    pulses = [change for change in changes if change[1:] == ("PCOMP1.OUT", 1)]
    assert len(pulses) >= 2 or direction == (0 if down else 1)


@pytest.mark.parametrize("tick", range(97, 104))
def test_armed_while_an_encoder_begins_to_move(tick: int) -> None:
    modes = [mode for mode in range(9) if mode != 0]
    plan = Plan(
        writes=[(n, "PCAP.WRITE", mode) for n, mode in enumerate(modes, 1)],
        moves=[
            (50, "INENC1.VAL", still(77), tick),
            (300, "INENC1.VAL", ramp(5, -90, 100), 310),
        ],
        wires=[
            *((0, "PCAP.ENABLE", "ONE"), (0, "PCAP.GATE", "ONE")),
            (0, "PCAP.TRIG", "TTLIN1.VAL"),
        ],
    )
    plan.writes += [(100, "PCAP.ARM", 0), (450, "TTLIN1.VAL", 1)]
    _, rows, _ = same(plan)
    assert len(rows) == 1


def network(*names: str) -> Network:
    return Network({name: name.rstrip("0123456789") for name in names})


def test_motion_starts_with_a_bit_like_any_output() -> None:
    twin = network("INENC1", "TTLIN1")
    recorder = twin.record(["INENC1.VAL"])
    twin.write("TTLIN1.VAL", 1, 5)
    twin.run_until(10)
    twin.move("INENC1.VAL", ramp(5, 9, 40), trigger="TTLIN1.VAL")
    for tick, level in ((50, 0), (100, 1), (150, 0), (160, 1)):
        twin.write("TTLIN1.VAL", level, tick)
    twin.run_until(99)
    assert twin.output("INENC1.VAL").value == 5
    twin.run_until(300)
    assert recorder.changes(300) == [
        (10, "INENC1.VAL", 5),
        *((103 + 10 * n, "INENC1.VAL", 5 + n) for n in (1, 2, 3, 4)),
    ]


def test_another_motion_replaces_one_that_waits() -> None:
    twin = network("INENC1", "TTLIN1")
    twin.move("INENC1.VAL", ramp(5, 9, 40), trigger="TTLIN1.VAL")
    twin.run_until(10)
    twin.move("INENC1.VAL", still(3), 20)
    twin.write("TTLIN1.VAL", 1, 30)
    twin.run_until(300)
    assert twin.output("INENC1.VAL").value == 3


def test_write_or_motion_drops_what_would_start_later() -> None:
    twin = network("INENC1")
    twin.move("INENC1.VAL", ramp(0, 100, 100), 10)
    twin.move("INENC1.VAL", still(7), 200)
    twin.run_until(30)
    assert twin.output("INENC1.VAL").value == 20
    twin.write("INENC1.VAL", 50, 40)
    twin.run_until(60)
    assert twin.output("INENC1.VAL").value == 50
    twin.run_until(300)
    assert twin.output("INENC1.VAL").value == 50
    twin.move("INENC1.VAL", still(8), 400)
    twin.move("INENC1.VAL", still(9), 350)
    twin.run_until(500)
    assert twin.output("INENC1.VAL").value == 9


def test_encoder_that_nobody_follows_makes_no_events() -> None:
    twin = network("INENC1", "PCOMP1", "SEQ1", "PCAP")
    for name in ("PCOMP1.INP", "SEQ1.POSA"):
        twin.wire(name, "INENC1.VAL")
    twin.run_until(100)
    twin.move("INENC1.VAL", ramp(0, 10**7, 125_000_000))
    before = twin.board.engine.events
    twin.run_until(125_000_000)
    assert twin.board.engine.events - before < 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("TTLIN1.VAL", still(0)), "TTLIN1.VAL cannot move; there are INENC1.VAL"),
        (("ZERO", still(0)), "ZERO cannot move"),
        (("INENC1.VAL", still(0), 3), "motion of INENC1.VAL from tick 3: now is 10"),
        (("INENC1.VAL", still(0), None, "INENC1.VAL"), "INENC1.VAL is no bit that rises"),
        (("INENC1.VAL", still(0), None, "ONE"), "ONE is no bit that rises"),
        (("INENC2.VAL", still(0)), "no block 'INENC2'"),
    ],
)
def test_wrong_moves_are_refused(arguments: tuple[Any, ...], message: str) -> None:
    twin = network("INENC1", "TTLIN1")
    twin.run_until(10)
    with pytest.raises(TwinError, match=message):
        twin.move(*arguments)
