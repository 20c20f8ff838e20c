"""Numbers and times as the control port shows and takes them."""

import math

from panda_ioc.errors import CommandError
from panda_ioc.sim.scan import Cursor

CLOCK_FREQUENCY = 125_000_000
TIME_UNITS = {"min": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}


def parse_double(text: str) -> float:
    """Return the real number that the whole text is."""
    cursor = Cursor(text)
    value = cursor.double()
    cursor.end()
    return value


def format_double(value: float) -> str:
    """Return ten significant digits, as the server writes them."""
    if math.isnan(value):
        return "-nan" if math.copysign(1, value) < 0 else "nan"
    return f"{value:.10g}"


def take_ticks(cursor: Cursor, units: str, limit: int) -> int:
    """Take a time in `units`, at most `limit` clock ticks, as clock ticks."""
    ticks = cursor.double() * TIME_UNITS[units] * CLOCK_FREQUENCY
    if not 0 <= ticks <= limit:
        raise CommandError("Time setting out of range")
    return math.floor(ticks + 0.5)


def format_ticks(ticks: int, units: str) -> str:
    """Return clock ticks as a time in `units`."""
    return format_double(ticks / TIME_UNITS[units] / CLOCK_FREQUENCY)
