"""Blocks do the same whether they are called only when they ask for it, or at every tick."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.drive import Steps, drive

UNTIL = 400
MORE = 1 << 31


def _small(random: Random) -> int:
    return random.choice([0, 1, 2, random.randint(0, 12), random.randint(0, 60)])


def _signed(random: Random) -> int:
    return random.randint(-9, 9)


# Ranges of registers, and where the positions go.
FIELDS = {
    "PULSE": {
        **dict.fromkeys(("DELAY_L", "WIDTH_L", "STEP_L"), _small),
        **dict.fromkeys(("PULSES", "TRIG_EDGE"), lambda r: r.randint(0, 3)),
    },
    "PCOMP": {
        **dict.fromkeys(("PRE_START", "START", "WIDTH", "STEP"), _signed),
        **dict.fromkeys(("PULSES", "RELATIVE", "DIR"), lambda r: r.randint(0, 3)),
    },
    "SEQ": dict.fromkeys(("PRESCALE", "REPEATS"), lambda r: r.randint(0, 3)),
    "PGEN": {"REPEATS": lambda r: r.randint(0, 3)},
    "FILTER": {"MODE": lambda r: r.randint(0, 1)},
    "POSENC": {"PERIOD": _small, "PROTOCOL": lambda r: r.randint(0, 1)},
    "QDEC": {
        **dict.fromkeys(("LINKUP_INCR", "RST_ON_Z"), lambda r: int(r.random() < 0.8)),
        "SETP": _signed,
    },
}
BITS = {
    "PULSE": ("ENABLE", "TRIG"),
    "PCOMP": ("ENABLE",),
    "SEQ": ("ENABLE", "BITA", "BITB", "BITC"),
    "PGEN": ("ENABLE", "TRIG"),
    "FILTER": ("ENABLE", "TRIG"),
    "POSENC": ("ENABLE",),
    "QDEC": ("A", "B", "Z"),
}
POSITIONS = {"PCOMP": "INP", "SEQ": "POSA", "FILTER": "INP", "POSENC": "INP"}
WIDTHS = {"SEQ": 4, "PGEN": 1}


def _line(random: Random) -> list[int]:
    first = random.randint(0, 3) | random.randint(0, 13) << 16 | random.getrandbits(12) << 20
    return [first, _signed(random), random.randint(0, 9), random.randint(0, 9)]


def _put(steps: dict[int, dict[str, int]], tick: int, name: str, value: int) -> None:
    steps.setdefault(tick, {})[name] = value


def _steps(kind: str, random: Random) -> dict[int, dict[str, int]]:
    steps: dict[int, dict[str, int]] = {}
    for name, choose in FIELDS[kind].items():
        for tick in [1, *(random.randint(5, UNTIL) for _ in range(random.randint(0, 2)))]:
            _put(steps, tick, name, choose(random))
    for name in BITS[kind]:
        tick, level, longest = 4, 0, random.choice([4, 30, 200])
        while (tick := tick + random.randint(1, longest)) < UNTIL:
            level = 1 - level
            _put(steps, tick, name, level)
    if kind in POSITIONS:
        position = tick = 0
        while (tick := tick + random.choice([1, 2, 3, 40])) < UNTIL:
            position += _signed(random) if kind == "FILTER" else random.choice([-1, 0, 1, 1, 2])
            _put(steps, tick, POSITIONS[kind], position)
    return steps


def _tables(kind: str, random: Random, steps: dict[int, dict[str, int]]) -> dict[int, list[int]]:
    tables: dict[int, list[int]] = {}
    tick, streaming = 3, random.random() < 0.5
    while kind in WIDTHS and tick < UNTIL:
        length = random.randint(1, 8) * WIDTHS[kind]
        tables[4096 * tick] = [w for _ in range(length) for w in _line(random)][:length]
        _put(steps, tick, "TABLE_ADDRESS", 4096 * tick)
        _put(steps, tick + 1, "TABLE_LENGTH", length | MORE * streaming)
        if random.random() < 0.5:
            _put(steps, tick + random.randint(5, 60), "TABLE_LENGTH", 0)
        tick += random.randint(10, 100)
    return tables


@pytest.mark.parametrize("kind", FIELDS)
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_a_call_at_every_tick_changes_nothing(kind: str, seed: int) -> None:
    random = Random(seed)
    steps = _steps(kind, random)
    tables = _tables(kind, random, steps)
    assert drive(kind, steps, UNTIL, tables) == drive(kind, steps, UNTIL, tables, always=True)


@pytest.mark.parametrize("inp", [-3, -1, 0, 1, 2, 3])
@pytest.mark.parametrize("start", [-40, 0, 50])
def test_a_long_trigger_of_an_average_gives_what_ticks_would_give(start: int, inp: int) -> None:
    for fall in (20, 60, 400, 1200, 1201, 1202, 1203):
        steps: Steps = {
            1: {"MODE": 1, "INP": start},
            5: {"ENABLE": 1},
            8: {"INP": 0},
            300: {"TRIG": 1},
            310: {"INP": inp},
            310 + fall: {"TRIG": 0},
        }
        assert drive("FILTER", steps, 1700) == drive("FILTER", steps, 1700, always=True)
