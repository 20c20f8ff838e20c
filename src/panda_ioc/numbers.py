"""Parsers of numbers on the command line."""

import math
from argparse import ArgumentTypeError

LAST_PORT = 65535


def port(text: str) -> int:
    """Parse a port, or 0 for any."""
    if not text.isdecimal() or int(text) > LAST_PORT:
        raise ArgumentTypeError(f"{text} is not a port: 0 to {LAST_PORT}")
    return int(text)


def positive(text: str) -> float:
    """Parse a finite number above 0."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise ArgumentTypeError(f"{text} is not a positive number")
    return value


def not_negative(text: str) -> float:
    """Parse such a number, or 0."""
    value = _number(text)
    if not 0 <= value < math.inf:
        raise ArgumentTypeError(f"{text} is not a positive number or 0")
    return value


def positive_int(text: str) -> int:
    """Parse a whole number above 0."""
    if not text.isdecimal() or int(text) == 0:
        raise ArgumentTypeError(f"{text} is not a positive whole number")
    return int(text)


def not_negative_int(text: str) -> int:
    """Parse such a number, or 0."""
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text} is not a positive whole number or 0")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
