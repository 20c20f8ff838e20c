"""Sums of the positions that a motion of constant speed has at ticks, without a loop."""

from typing import TypeAlias

# The sums over i = 0..last of f(i), i * f(i) and f(i)**2.
Sums: TypeAlias = tuple[int, int, int]


def floor_sums(slope: int, offset: int, divisor: int, last: int) -> Sums:
    """Sum f(i) = (slope * i + offset) // divisor, i * f(i) and f(i)**2 over i = 0..last.

    Takes whole steps out of the line, then counts the points below it by the other axis, as the
    algorithm of Euclid does; hence the number of steps grows with the digits only.
    """
    if last < 0:
        return 0, 0, 0
    whole, slope = divmod(slope, divisor)
    base, offset = divmod(offset, divisor)
    total, weighted, squared = _below_one(slope, offset, divisor, last)
    ones, places = last + 1, last * (last + 1) // 2
    squares = places * (2 * last + 1) // 3
    return (
        total + whole * places + base * ones,
        weighted + whole * squares + base * places,
        squared
        + whole * whole * squares
        + base * base * ones
        + 2 * (whole * base * places + whole * weighted + base * total),
    )


def _below_one(slope: int, offset: int, divisor: int, last: int) -> Sums:
    """Do the same where both slope and offset are less than one step."""
    top = (slope * last + offset) // divisor
    if top == 0:
        return 0, 0, 0
    total, weighted, squared = floor_sums(divisor, divisor - offset - 1, slope, top - 1)
    own = last * top - total
    return (
        own,
        (last * (last + 1) * top - squared - total) // 2,
        last * top * (top + 1) - 2 * weighted - 2 * total - own,
    )
