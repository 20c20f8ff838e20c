"""Read the text of a command from left to right, as the server does.

The server takes what it wants from the front, checks it, and only then looks at what follows. So
the order of reading decides which of several errors a client is told. Numbers are those of C:
blanks and a sign may come first, `0x` is hexadecimal, and a leading 0 octal. A number of more than
64 bits is an error. One of more than 32 bits wraps. Errors carry the server's own texts.
"""

import re

from panda_ioc.errors import CommandError

UINT32_MAX = 2**32 - 1
NAME_LENGTH = 31
# The longest line that the server makes room for, on either port.
MAX_LINE = 1022

_BLANKS = re.compile(r"[ \t]*")
_NAME = re.compile(r"[A-Za-z_]*", re.ASCII)
_ALPHANUMERIC = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*)?", re.ASCII)
_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)", re.ASCII)
_DOUBLE = re.compile(
    r"[ \t\n\v\f\r]*([+-]?)"
    r"(?:(0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?[0-9]+)?)"
    r"|((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)"
    r"|(inf(?:inity)?)|(nan)(?:\([a-z0-9_]*\))?)",
    re.ASCII | re.IGNORECASE,
)
_OUT_OF_RANGE = "Error converting number: (34) Numerical result out of range"
_SMALLEST_NORMAL = 2.2250738585072014e-308
_NONCHARACTERS = re.compile("[\ud800-\udfff\ufffe\uffff]")


class Cursor:
    """A text and how far it has been read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    @property
    def rest(self) -> str:
        """What has not been read yet."""
        return self._text[self._place :]

    def peek(self) -> str:
        """Return the next character, or an empty text at the end."""
        return self._text[self._place : self._place + 1]

    def accept(self, expected: str) -> bool:
        """Take this text if it comes next."""
        found = self._text.startswith(expected, self._place)
        self._place += len(expected) if found else 0
        return found

    def expect(self, character: str) -> None:
        """Take a character that must come next."""
        if not self.accept(character):
            raise CommandError(f"Character '{character}' expected")

    def end(self) -> None:
        """Check that everything has been read."""
        if self._place < len(self._text):
            raise CommandError("Unexpected character after input")

    def blanks(self) -> None:
        """Take blanks, if there are any."""
        self._match(_BLANKS)

    def whole(self) -> str:
        """Take everything that is left."""
        rest, self._place = self.rest, len(self._text)
        return rest

    def utf8(self) -> str:
        """Take everything that is left, which must have been UTF-8."""
        if _NONCHARACTERS.search(self._text, self._place):
            raise CommandError("Malformed UTF-8 encoding")
        return self.whole()

    def name(self) -> str:
        """Take a name of letters and `_`."""
        return self._name(_NAME)

    def alphanumeric(self) -> str:
        """Take a name of letters, digits and `_` that begins with no digit."""
        return self._name(_ALPHANUMERIC)

    def back(self, count: int) -> None:
        """Give back this many characters."""
        self._place -= count

    def _name(self, pattern: re.Pattern[str]) -> str:
        found = self._match(pattern)
        if not found:
            raise CommandError("No name found")
        if len(found) > NAME_LENGTH:
            raise CommandError("Name too long")
        return found

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._place)
        if not match:
            return ""
        self._place = match.end()
        return match[0]

    # Numbers

    def unsigned64(self) -> int:
        """Take a whole number, wrapped to 64 bits without sign."""
        sign, magnitude = self._integer()
        if magnitude >= 2**64:
            raise CommandError(_OUT_OF_RANGE)
        return (-magnitude if sign == "-" else magnitude) % 2**64

    def unsigned(self) -> int:
        """Take a whole number, wrapped to 32 bits without sign."""
        return self.unsigned64() & UINT32_MAX

    def signed(self) -> int:
        """Take a whole number, wrapped to 32 bits with sign."""
        sign, magnitude = self._integer()
        value = -magnitude if sign == "-" else magnitude
        if not -(2**63) <= value < 2**63:
            raise CommandError(_OUT_OF_RANGE)
        return to_int32(value)

    def _integer(self) -> tuple[str, int]:
        match = self._number(_INTEGER)
        sign, digits = match.groups()
        if digits[:2] in ("0x", "0X"):
            return sign, int(digits, 16)
        return sign, int(digits, 8 if digits[0] == "0" else 10)

    def double(self) -> float:
        """Take a real number; infinity and nan are numbers, too."""
        sign, hexadecimal, decimal, _, nan = (match := self._number(_DOUBLE)).groups()
        if hexadecimal or decimal:
            value = _finite(hexadecimal, decimal)
        else:
            value = float("nan" if nan else match[4])
        return -value if sign == "-" else value

    def _number(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self._text, self._place)
        if not match:
            raise CommandError("Number missing")
        self._place = match.end()
        return match

    def bit(self) -> int:
        """Take 0 or 1."""
        if self.peek() not in ("0", "1"):
            raise CommandError("Invalid bit value")
        return int(self.accept("1") or not self.accept("0"))


def _finite(hexadecimal: str | None, decimal: str) -> float:
    """Return the value of the digits, neither too large nor too small for a double."""
    try:
        value = float.fromhex(hexadecimal) if hexadecimal else float(decimal)
    except OverflowError:
        raise CommandError(_OUT_OF_RANGE) from None
    digits = (hexadecimal[2:].lower().split("p") if hexadecimal else decimal.lower().split("e"))[0]
    too_small = value < _SMALLEST_NORMAL and digits.strip("0.") != ""
    if value == float("inf") or too_small:
        raise CommandError(_OUT_OF_RANGE)
    return value


def to_int32(value: int) -> int:
    """Return the low 32 bits as a signed number."""
    value &= UINT32_MAX
    return value - 2**32 if value >= 2**31 else value
