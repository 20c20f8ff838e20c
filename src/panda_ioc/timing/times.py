"""Times as people write them, and ticks of 8 ns."""

import re
from decimal import ROUND_HALF_EVEN, Decimal

from panda_ioc.errors import BadValue

TICK_NS = 8
TICKS_PER_SECOND = 125_000_000

_UNITS = {
    "": Decimal(1),
    "s": Decimal(1),
    "min": Decimal(60),
    "ms": Decimal("1e-3"),
    "us": Decimal("1e-6"),
    "ns": Decimal("1e-9"),
}
_TIME = re.compile(r"([+-]?(?:[0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12}))\s*([a-z]*)")
_SHOWN = (("s", TICKS_PER_SECOND), ("ms", 125_000), ("us", 125))


def parse_time(text: str) -> int:
    """Return the ticks of a time like `2s`, `1.5 ms`, `10us`; a number alone is in seconds.

    Raises:
        BadValue: the text is no time
    """
    found = _TIME.fullmatch(text.strip())
    if found is None or found[2] not in _UNITS:
        raise BadValue(f"{text!r} is no time; write a number and one of s, ms, us, ns, min")
    ticks = Decimal(found[1]) * _UNITS[found[2]] * TICKS_PER_SECOND
    return int(ticks.to_integral_value(ROUND_HALF_EVEN))


def unit_for(ticks: int) -> tuple[str, float]:
    """Choose the unit in which so many ticks are easy to read: its name, and its ticks."""
    for name, size in _SHOWN:
        if abs(ticks) >= size:
            return name, float(size)
    return "ns", 1 / TICK_NS


def show_time(ticks: int) -> str:
    """Write a number of ticks as a time, exactly, in the unit that is easiest to read."""
    if not ticks:
        return "0 s"
    unit, size = unit_for(ticks)
    return f"{_plain(Decimal(ticks) / Decimal(size))} {unit}"


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
