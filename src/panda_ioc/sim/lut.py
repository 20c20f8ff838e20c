"""Functions of a lookup table: five inputs make 32 entries, one bit of the result each.

A function is a number of hexadecimal digits, or an expression of A..E, 0 and 1. The server reads
an expression token by token, keeping what is not decided yet on a stack; which of two neighbours
binds is decided by their kinds. That decides which error a bad expression gets, so it is the same
here.
"""

from collections.abc import Callable

from panda_ioc.errors import CommandError
from panda_ioc.sim.scan import UINT32_MAX

_VALUES = {
    "0": 0x00000000,
    "1": 0xFFFFFFFF,
    "A": 0xFFFF0000,
    "B": 0xFF00FF00,
    "C": 0xF0F0F0F0,
    "D": 0xCCCCCCCC,
    "E": 0xAAAAAAAA,
}
# Loosest first.
_BINARY: dict[str, Callable[[int, int], int]] = {
    "=>": lambda a, b: ~a | b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "&": lambda a, b: a & b,
    "=": lambda a, b: ~(a ^ b),
}
_LOOSENESS = list(_BINARY)
_END = "end"
_STACK = 40

_NO_OPERATOR = "Missing operator between values"
_NO_OPEN = "Missing open bracket"
_NO_CLOSE = "Missing close bracket"
_NO_IF = "Missing ? before :"
_NO_ELSE = "Missing : after ?"
# What follows a complete value: it is reduced, except that nothing may begin another value there.
_COMPLETE = {"value": _NO_OPERATOR, "(": _NO_OPERATOR, "~": _NO_OPERATOR}
# Kind of the token on top of the stack -> kind of the next one -> what is wrong, or "push" where
# the next token is put on the stack. Whatever is not here is reduced.
_PUSH = "push"
_OPEN = dict.fromkeys(["value", "(", "~", "binary", "?"], _PUSH)
_ACTIONS: dict[str, dict[str, str]] = {
    "value": _COMPLETE,
    ")": _COMPLETE,
    "~": dict.fromkeys(["value", "(", "~"], _PUSH),
    "binary": dict.fromkeys(["value", "(", "~"], _PUSH),
    "(": {**_OPEN, ")": _PUSH, ":": _NO_IF, _END: _NO_CLOSE},
    "?": {**_OPEN, ")": _NO_ELSE, ":": _PUSH, _END: _NO_ELSE},
    ":": _OPEN,
    _END: {**_OPEN, ")": _NO_OPEN, ":": _NO_IF},
}


def lut_mask(text: str) -> int:
    """Return the 32 bits that the function `text` of A..E writes to the register."""
    if text.startswith("0x"):
        return _number(text[2:])
    parser = _Parser(text)
    while len(parser.stack) > 1 or parser.next != _END:
        parser.step()
    return parser.result() & UINT32_MAX


def _number(digits: str) -> int:
    if not digits or set(digits) - set("0123456789abcdefABCDEF"):
        raise CommandError("Bad LUT number")
    return min(int(digits, 16), 2**64 - 1) & UINT32_MAX


def _kind(token: str) -> str:
    return "value" if token in _VALUES else "binary" if token in _BINARY else token


class _Parser:
    """The tokens that wait for others, and the values that have been found."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._found: list[int] = []
        self.stack = [_END]
        self.next = self._token()

    def _token(self) -> str:
        while self._text.startswith(" ", self._place):
            self._place += 1
        for symbol in ("=>", "==", *_VALUES, *"()~&|^?:="):
            if self._text.startswith(symbol, self._place):
                self._place += len(symbol)
                return "=" if symbol == "==" else symbol
        if self._place == len(self._text):
            return _END
        raise CommandError("Invalid token")

    def step(self) -> None:
        """Put the next symbol on the stack, or replace what is on top of it by its value."""
        top, following = _kind(self.stack[-1]), _kind(self.next)
        action = _ACTIONS[top].get(following, "")
        if top == following == "binary" and self._binds_tighter():
            action = _PUSH
        if action == _PUSH:
            self._push()
        elif action:
            raise CommandError(action)
        else:
            self._reduce(self.stack.pop())

    def _binds_tighter(self) -> bool:
        return _LOOSENESS.index(self.next) > _LOOSENESS.index(self.stack[-1])

    def _push(self) -> None:
        if len(self.stack) == _STACK:
            raise CommandError("Expression too complex")
        self.stack.append(self.next)
        self.next = self._token()

    def _reduce(self, symbol: str) -> None:
        if symbol in _VALUES:
            self._found.append(_VALUES[symbol])
        elif symbol in _BINARY:
            first, second = self._take(2)
            self._found.append(_BINARY[symbol](first, second))
        elif symbol == "~":
            self._found.append(~self._take(1)[0])
        elif symbol == ":":
            condition, yes, no = self._take(3)
            self._found.append((condition & yes) | (~condition & no))
            self.stack.pop()
        else:
            self._found += self._take(1)
            self.stack.pop()

    def _take(self, count: int) -> list[int]:
        if len(self._found) < count:
            raise CommandError("Missing value")
        taken = self._found[-count:]
        del self._found[-count:]
        return taken

    def result(self) -> int:
        """Return the one value that is left."""
        if len(self._found) != 1:
            raise CommandError("Missing value")
        return self._found[0]
