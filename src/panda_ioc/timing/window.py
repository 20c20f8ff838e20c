"""Which part of the time to look at."""

import re

from panda_ioc.errors import BadValue
from panda_ioc.timing.times import parse_time
from panda_ioc.timing.trace import Ticks, Trace, TraceKind

_EVENT = re.compile(r"([\w.]+)\s+(rise|fall|change)(?:\s+([0-9]+))?(?:\s+([0-9.]+\s*[a-z]+))?")
# Distances to the neighbours, of which so many are shown.
_NEIGHBOURS = 1.6
_ALONE = 1000


def parse_event(text: str) -> tuple[str, str, int, int | None]:
    """Read `SEQ1.OUTA rise 3 20us`: the signal, what it does, the how many-th time, the width.

    Raises:
        BadValue: it is not written like that
    """
    found = _EVENT.fullmatch(text.strip())
    if found is None:
        raise BadValue(f"{text!r} is no event; write SIGNAL rise|fall|change NUMBER [TIME]")
    width = parse_time(found[4]) if found[4] else None
    return found[1], found[2], int(found[3] or 1), width


def around(trace: Trace, what: str, number: int, width: int | None, since: int) -> tuple[int, int]:
    """Return the window around an event.

    Args:
        trace: the signal
        what: rise, fall or change
        number: of the event, from 1
        width: ticks to show, None to show its neighbours
        since: from when on to count

    Raises:
        BadValue: there are not so many
    """
    ticks = _events(trace, what)
    ticks = ticks[ticks >= since]
    if not 1 <= number <= len(ticks):
        raise BadValue(f"{trace.name} {what} {number}: it does so {len(ticks)} times only")
    at = int(ticks[number - 1])
    half = (width or _room(trace.ticks, at)) // 2
    return at - half, at + max(half, 1)


def _events(trace: Trace, what: str) -> Ticks:
    if what == "change" or trace.kind is not TraceKind.BIT:
        return trace.ticks
    return trace.rises if what == "rise" else trace.falls


def _room(ticks: Ticks, at: int) -> int:
    """Return how wide a window shows the changes before and after one."""
    gaps = [abs(int(tick) - at) for tick in ticks[abs(ticks - at).argsort()][1:3]]
    return int(2 * _NEIGHBOURS * max(gaps, default=_ALONE))
