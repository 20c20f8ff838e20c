"""One request to the control port and its reply, and the commands that are made of them.

A request is one line, or a table: a line in which ``<`` comes before any ``?`` or ``=``, then
lines of data, then an empty line. A reply is one line (``OK``, ``OK =value``, ``ERR reason``) or
lines of ``!value`` up to a ``.``.

A request that the PandA would take for several, or for the beginning of a longer one, is refused
here, before anything is sent: only counting tells replies apart.
"""

import re
from collections.abc import Generator, Sequence
from typing import Generic, TypeVar

from panda_ioc.errors import BadValue, CommandError, PandAError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_TABLE = re.compile(r"[^?=<]*<")
_SHOWN = 120
_NEWEST = (99, 0)


def is_table(line: str) -> bool:
    """Whether the PandA waits for lines of data, up to an empty one, after this line."""
    return _TABLE.match(line) is not None


def shorten(text: str, limit: int = _SHOWN) -> str:
    """Return `text`, or its beginning and how long it is."""
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


class Exchange:
    """A request, and the reply once it has come.

    Attributes:
        request: the bytes to send

    Args:
        to_send: one line; or a table command, its data, and an empty line

    Raises:
        BadValue: this is not exactly one request
    """

    __slots__ = ("_line", "_sent", "_values", "request")

    def __init__(self, to_send: str | Sequence[str]) -> None:
        if len(to_send) == 1:  # a list of one line is that line
            to_send = to_send[0]
        self._sent = to_send
        self.request = _one_line(to_send) if isinstance(to_send, str) else _table(to_send)
        self._line: str | None = None
        self._values: list[str] | None = None

    def answer(self, line: str) -> None:
        """Take a single-line reply."""
        self._line = line

    def answer_values(self, values: list[str]) -> None:
        """Take a multi-line reply, without its markup."""
        self._values = values

    @property
    def to_send(self) -> list[str]:
        """The lines of the request."""
        return [self._sent] if isinstance(self._sent, str) else list(self._sent)

    @property
    def received(self) -> list[str]:
        """The lines of the reply, as they came."""
        if self._values is None:
            return [] if self._line is None else [self._line]
        return [*(f"!{value}" for value in self._values), "."]

    @property
    def is_multiline(self) -> bool:
        """Whether the reply had several lines."""
        return self._values is not None

    @property
    def line(self) -> str:
        """The text after ``OK =``; raise `CommandError` for any other reply."""
        if self._line is None or not self._line.startswith("OK ="):
            raise self._failed("expected a single value")
        return self._line[4:]

    @property
    def multiline(self) -> list[str]:
        """Values of a multi-line reply; raise `CommandError` for any other reply."""
        if self._values is None:
            raise self._failed("expected several lines")
        return self._values

    def check_ok(self) -> None:
        """Raise `CommandError` unless the reply was ``OK``."""
        if self._line != "OK":
            raise self._failed("expected OK")

    @property
    def shown(self) -> str:
        """The request, for messages."""
        if isinstance(self._sent, str):
            return shorten(self._sent)
        return f"{shorten(self._sent[0])} ({len(self._sent) - 2} lines)"

    def __repr__(self) -> str:
        return f"{self.shown} -> {self._replied()}"

    def _failed(self, expected: str) -> CommandError:
        if self._line is not None and self._line.startswith("ERR"):
            return CommandError(repr(self), reason=self._line[3:].strip())
        return CommandError(f"{self!r}: {expected}")

    def _replied(self) -> str:
        if self._values is None:
            return "no reply" if self._line is None else shorten(self._line)
        first = " ".join(f"!{value}" for value in self._values[:3])
        return f"{shorten(first)} ({len(self._values)} lines)"


Exchanges = Exchange | list[Exchange]
ExchangeGenerator = Generator[Exchanges, None, T]


class Command(Generic[T_co]):
    """Base of all commands; T_co is the type of the result. To make one more::

    @dataclass
    class GetPair(Command[tuple[str, str]]):
        field: str

        def execute(self, version: tuple[int, int]) -> ExchangeGenerator[tuple[str, str]]:
            value, units = Exchange(f"{self.field}?"), Exchange(f"{self.field}.UNITS?")
            yield [value, units]  # a list goes out together
            return value.line, units.line
    """

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[T_co]:
        """Yield requests, return the result.

        Args:
            version: (major, minor) of the server
        """
        raise NotImplementedError(type(self).__name__)

    def __str__(self) -> str:
        """The requests with which it begins, for messages."""
        try:
            begin = next(self.execute(_NEWEST))
        except (PandAError, StopIteration):  # there is nothing to send
            return shorten(repr(self))
        first, *others = begin if isinstance(begin, list) else [begin]
        return f"{first.shown} and {len(others)} more" if others else first.shown


def _one_line(line: str) -> bytes:
    if "\n" in line:
        raise BadValue(f"{shorten(line)!r}: a newline would make a second command of the rest")
    if "<" in line and is_table(line):
        raise BadValue(f"{shorten(line)!r}: '<' would begin a table; give a list of lines")
    return _encode(line + "\n")


def _table(lines: Sequence[str]) -> bytes:
    if not lines or lines[-1] or not is_table(lines[0]):
        raise BadValue(
            f"{shorten(repr(lines))}: several lines must be a table: NAME<, data, an empty line"
        )
    text = "\n".join(lines)
    if text.count("\n") != len(lines) - 1 or "\n\n" in text:
        raise BadValue(
            f"{shorten(lines[0])!r}: an empty line or a newline in it ends a table early"
        )
    return _encode(text + "\n")


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise BadValue(f"{shorten(text)!r} is not text: {error}") from error
