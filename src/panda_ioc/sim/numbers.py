"""Numbers, units and lookup-table functions as the control port reads and writes them.

The server parses like C: blanks and a sign may come first, `0x` is hexadecimal, a leading 0 octal,
and what is too large wraps to 32 bits. Errors carry the server's own texts.
"""

import math
import re
from collections.abc import Callable

from panda_ioc.errors import CommandError

CLOCK_FREQUENCY = 125_000_000
TIME_UNITS = {"min": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}
UINT32_MAX = 2**32 - 1

_SPACE = " \t\v\f\r"
_INTEGER = re.compile(r"[ \t\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)", re.ASCII)
_DOUBLE = re.compile(
    r"[ \t\v\f\r]*([+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf|nan))", re.ASCII
)
_LIMIT = 2**64 - 1
_MAX_DIGITS = 400


def _match(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.match(text)
    if not match:
        raise CommandError("Number missing")
    if match.end() != len(text):
        raise CommandError("Unexpected character after input")
    if len(text) > _MAX_DIGITS:
        raise CommandError("Number out of range")
    return match


def _magnitude(digits: str) -> int:
    if digits[:2] in ("0x", "0X"):
        return int(digits, 16)
    if digits[0] == "0" and len(digits) > 1:
        if not set(digits) <= set("01234567"):
            raise CommandError("Unexpected character after input")
        return int(digits, 8)
    return int(digits)


def parse_integer(text: str) -> int:
    """A whole number, saturated at 64 bits."""
    sign, digits = _match(_INTEGER, text).groups()
    value = min(_magnitude(digits), _LIMIT)
    return -value if sign == "-" else value


def parse_uint(text: str) -> int:
    """A whole number, wrapped to 32 bits without sign."""
    return parse_integer(text) & UINT32_MAX


def parse_int(text: str) -> int:
    """A whole number, wrapped to 32 bits with sign."""
    return to_int32(parse_integer(text))


def to_int32(value: int) -> int:
    """The low 32 bits as a signed number."""
    value &= UINT32_MAX
    return value - 2**32 if value >= 2**31 else value


def parse_double(text: str) -> float:
    """A real number; infinity and nan are numbers, too."""
    return float(_match(_DOUBLE, text)[1])


def format_double(value: float) -> str:
    """Ten significant digits, as the server writes them."""
    return f"{value:.10g}"


def parse_ticks(text: str, units: str, limit: int) -> int:
    """A time in `units` as clock ticks."""
    ticks = parse_double(text) * TIME_UNITS[units] * CLOCK_FREQUENCY
    if not -0.5 < ticks <= limit:
        raise CommandError("Time setting out of range")
    return math.floor(ticks + 0.5)


def format_ticks(ticks: int, units: str) -> str:
    """Clock ticks as a time in `units`."""
    return format_double(ticks / CLOCK_FREQUENCY / TIME_UNITS[units])


# Functions of a lookup table: five inputs make 32 entries, one bit of the result each.
_LUT_INPUTS = {"A": 0xFFFF0000, "B": 0xFF00FF00, "C": 0xF0F0F0F0, "D": 0xCCCCCCCC, "E": 0xAAAAAAAA}
_LUT_TOKEN = re.compile(r"\s*(=>|0[xX][0-9a-fA-F]+|[0-9]+|[A-E](?![A-Za-z0-9_])|[?:|^&~!=()])")
_LUT_BINARY: tuple[tuple[str, Callable[[int, int], int]], ...] = (
    ("=>", lambda a, b: ~a | b),
    ("=", lambda a, b: ~(a ^ b)),
    ("|", lambda a, b: a | b),
    ("^", lambda a, b: a ^ b),
    ("&", lambda a, b: a & b),
)
_LUT_LIMIT = 256
_LUT_BRACKETS = 32


def lut_mask(text: str) -> int:
    """The 32 bits that the function `text` of A..E writes to the register."""
    if len(text) > _LUT_LIMIT or text.count("(") > _LUT_BRACKETS:
        raise CommandError("Expression too long")
    parser = _LutParser(_lut_tokens(text))
    value = parser.choice()
    if parser.tokens:
        raise CommandError("Unexpected character after input")
    return value & UINT32_MAX


def _lut_tokens(text: str) -> list[str]:
    tokens, position = [], 0
    text = text.strip(_SPACE)
    while position < len(text):
        match = _LUT_TOKEN.match(text, position)
        if not match:
            raise CommandError("Invalid token")
        tokens.append(match[1])
        position = match.end()
    return tokens


class _LutParser:
    """Recursive descent; loosest first: a?b:c, then the operators of _LUT_BINARY, then ~."""

    def __init__(self, tokens: list[str]):
        self.tokens = tokens

    def take(self, token: str) -> bool:
        if self.tokens and self.tokens[0] == token:
            self.tokens.pop(0)
            return True
        return False

    def choice(self) -> int:
        value = self.binary(0)
        if not self.take("?"):
            return value
        yes = self.choice()
        if not self.take(":"):
            raise CommandError("Missing :")
        return (value & yes) | (~value & self.choice())

    def binary(self, level: int) -> int:
        if level == len(_LUT_BINARY):
            return self.unary()
        operator, apply = _LUT_BINARY[level]
        value = self.binary(level + 1)
        while self.take(operator):
            value = apply(value, self.binary(level + 1))
        return value

    def unary(self) -> int:
        negate = False
        while self.take("~") or self.take("!"):
            negate = not negate
        value = self.primary()
        return ~value if negate else value

    def primary(self) -> int:
        if self.take("("):
            value = self.choice()
            if not self.take(")"):
                raise CommandError("Missing close bracket")
            return value
        token = self.tokens.pop(0) if self.tokens else ""
        if token in _LUT_INPUTS:
            return _LUT_INPUTS[token]
        if not token[:1].isdecimal():
            raise CommandError("Missing value")
        return {"0": 0, "1": UINT32_MAX}.get(token) or int(token, 0 if "x" in token.lower() else 10)
