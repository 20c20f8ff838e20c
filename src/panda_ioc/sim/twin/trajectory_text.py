"""Trajectories as people write them.

A text is a list of parts, one after the other, separated by `;`:

    ramp:FROM,TO,TIME               constant speed
    hold:POSITION,TIME              a dwell
    move:FROM,TO,TIME,RAMP          speeds up during RAMP, cruises, and slows down during RAMP
    sine:CENTRE,AMPLITUDE,PERIOD    one period, which begins at the centre, upwards
    FILE.csv                        times in seconds and positions, straight lines between them
    repeat:NUMBER                   at the end: do it all so often; `repeat:forever` without end

Positions are in counts, and may have fractions. A time has a unit (s, ms, us, ns, min), or is in
seconds. So a snake is `ramp:0,1000,1s;hold:1000,50ms;ramp:1000,0,1s;hold:0,50ms;repeat:20`. A sine
by itself goes on for ever.
"""

import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

from panda_ioc.errors import TwinError
from panda_ioc.sim.numbers import CLOCK_FREQUENCY
from panda_ioc.sim.twin.trajectory import FOREVER, Leg, Trajectory

_UNITS = {
    "": Fraction(1),
    "s": Fraction(1),
    "min": Fraction(60),
    "ms": Fraction(1, 10**3),
    "us": Fraction(1, 10**6),
    "ns": Fraction(1, 10**9),
}
_TIME = re.compile(r"(.*?)\s*([a-z]*)")
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,2})?|[+-]?\.[0-9]{1,30}")
# Pieces of constant speed in a period of a sine, and in a ramp up or down.
_SINE_PIECES, _RAMP_PIECES = 1024, 64
# Steps into which a sine of amplitude 1 is rounded, so that it is the same on every machine.
_SINE_STEPS = 1 << 24
_MOST_REPEATS = 10**9

# Tick and position, both exact.
Point = tuple[Fraction, Fraction]


def parse_trajectory(text: str) -> Trajectory:
    """Make a trajectory of its text.

    Raises:
        TwinError: the text or a file that it names is wrong
    """
    parts = [part.strip() for part in text.split(";") if part.strip()]
    repeats = FOREVER if len(parts) == 1 and parts[0].startswith("sine:") else 1
    if parts and parts[-1].startswith("repeat:"):
        repeats = _repeats(parts.pop())
    legs = [leg for part in parts for leg in _legs(part)]
    if not legs:
        raise TwinError(f"{text!r} is no trajectory; write {_forms()}")
    return Trajectory(legs, repeats)


def _forms() -> str:
    forms = (f"{kind}:{','.join(names)}" for kind, (names, _) in _KINDS.items())
    return f"{', '.join(forms)} or FILE.csv"


def _legs(part: str) -> Iterable[Leg]:
    kind, colon, rest = part.partition(":")
    if part.lower().endswith(".csv"):
        return _of_points(_read(Path(part)), part)
    if not colon or kind not in _KINDS:
        raise TwinError(f"{part!r} is no trajectory; write {_forms()}")
    names, make = _KINDS[kind]
    words = [word.strip() for word in rest.split(",")]
    if len(words) != len(names):
        raise TwinError(f"{part!r} has {len(words)} numbers; write {kind}:{','.join(names)}")
    return _of_points(make(*map(_quantity, names, words)), part)


def _quantity(name: str, text: str) -> Fraction:
    return _ticks(text) if name in _TIMES else _number(text)


def _number(text: str) -> Fraction:
    if _NUMBER.fullmatch(text) is None:
        raise TwinError(f"{text!r} is not a number")
    return Fraction(text)


def _ticks(text: str) -> Fraction:
    match = _TIME.fullmatch(text)
    if match is None or match[2] not in _UNITS:
        raise TwinError(f"{text!r} is not a time; write a number and one of s, ms, us, ns, min")
    return _number(match[1]) * _UNITS[match[2]] * CLOCK_FREQUENCY


def _repeats(part: str) -> int:
    text = part.partition(":")[2].strip()
    if text == "forever":
        return FOREVER
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_REPEATS:
        raise TwinError(f"{part!r}: repeat from 1 to {_MOST_REPEATS} times, or forever")
    return int(text)


def _of_points(points: Iterable[Point], part: str) -> Iterator[Leg]:
    """Connect points by straight lines; those that lie in one tick are joined."""
    tick, position, moved = 0, Fraction(0), False
    for number, (time, following) in enumerate(points):
        at = round(time)
        if number and at > tick:
            yield at - tick, position, following
            moved = True
        elif number == 0 and at > 0:
            # Waits for the first point.
            yield at, following, following
        tick, position = at, following
    if not moved:
        raise TwinError(f"{part!r} takes less than a tick of 8 ns; a trajectory needs time")


# Kinds: points from the quantities in the text


def _ramp(begin: Fraction, end: Fraction, time: Fraction) -> Iterator[Point]:
    yield Fraction(0), begin
    yield time, end


def _hold(position: Fraction, time: Fraction) -> Iterator[Point]:
    return _ramp(position, position, time)


def _move(begin: Fraction, end: Fraction, time: Fraction, ramp: Fraction) -> Iterator[Point]:
    if not 0 <= 2 * ramp <= time or ramp == time:
        raise TwinError("a move speeds up and slows down for at most half of its time each")
    distance, cruise = end - begin, time - ramp
    for piece in range(_RAMP_PIECES + 1):
        part = Fraction(piece, _RAMP_PIECES)
        yield ramp * part, begin + distance * ramp * part * part / 2 / cruise
    for piece in range(_RAMP_PIECES, -1, -1):
        part = Fraction(piece, _RAMP_PIECES)
        yield time - ramp * part, end - distance * ramp * part * part / 2 / cruise


def _sine(centre: Fraction, amplitude: Fraction, period: Fraction) -> Iterator[Point]:
    for piece in range(_SINE_PIECES + 1):
        height = round(math.sin(2 * math.pi * piece / _SINE_PIECES) * _SINE_STEPS)
        yield period * piece / _SINE_PIECES, centre + amplitude * height / _SINE_STEPS


_TIMES = frozenset({"TIME", "RAMP", "PERIOD"})
_KINDS: dict[str, tuple[tuple[str, ...], Callable[..., Iterator[Point]]]] = {
    "ramp": (("FROM", "TO", "TIME"), _ramp),
    "hold": (("POSITION", "TIME"), _hold),
    "move": (("FROM", "TO", "TIME", "RAMP"), _move),
    "sine": (("CENTRE", "AMPLITUDE", "PERIOD"), _sine),
}


def _read(path: Path) -> Iterator[Point]:
    """Read the points of a file; a first line of names, empty lines and `#` are left out."""
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except OSError as error:
        raise TwinError(f"cannot read the trajectory {path}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise TwinError(f"{path} is no CSV file: {error}") from None
    before = Fraction(-1)
    named = False
    for number, row in enumerate(rows, 1):
        if not row or not "".join(row).strip() or row[0].lstrip().startswith("#"):
            continue
        if not named and before < 0 and _is_names(row):
            named = True
            continue
        point = _point(row, f"{path}, line {number}")
        if point[0] <= before:
            raise TwinError(f"{path}, line {number}: time {row[0].strip()} is not after the last")
        before = point[0]
        yield point


def _is_names(row: list[str]) -> bool:
    return not any(_NUMBER.fullmatch(word.strip()) for word in row)


def _point(row: list[str], where: str) -> Point:
    if len(row) != 2:
        raise TwinError(f"{where}: {len(row)} columns; write time in seconds and position")
    try:
        time, position = (_number(word.strip()) for word in row)
    except TwinError as error:
        raise TwinError(f"{where}: {error}") from None
    if time < 0:
        raise TwinError(f"{where}: time {row[0].strip()} is before the start; begin with 0")
    return time * CLOCK_FREQUENCY, position
