"""The control port without sockets: bytes in, replies out, one session a connection.

A line is split at the first of `?`, `=`, `<`. A table command (`<`) goes on to an empty line.
What can not be carried out is answered `ERR text`; a line or table beyond the limits ends the
session.
"""

import re
from collections.abc import Callable

from panda_ioc.errors import CommandError

from .commands import Commands
from .machine import Machine
from .reports import Text

MAX_LINE = 1 << 20
MAX_TABLE_BYTES = 1 << 27
_LINE_OVERHEAD = 50

_OPERATOR = re.compile(r"[?=<]")


class Session:
    """One control connection: its unfinished input and its commands."""

    def __init__(self, machine: Machine):
        self._commands = Commands(machine, self)
        self._input = bytearray()
        self._table: tuple[str, str, list[str]] | None = None
        self._table_bytes = 0
        self.closed = False

    def feed(self, data: bytes) -> None:
        """Take bytes that the client sent; `step` answers them."""
        self._input += data

    def step(self) -> bytes | None:
        """The reply to the next command, or None if more bytes are needed."""
        while not self.closed:
            end = self._input.find(b"\n")
            length = len(self._input) if end < 0 else end
            if length > MAX_LINE:
                return self._give_up("Line too long")
            if end < 0:
                return None
            line = bytes(self._input[:end]).decode(errors="surrogateescape")
            del self._input[: end + 1]
            reply = self._line(line)
            if reply is not None:
                return reply
        return None

    def _give_up(self, problem: str) -> bytes:
        self.closed = True
        self._input.clear()
        return f"ERR {problem}\n".encode()

    def _line(self, line: str) -> bytes | None:
        if self._table is not None:
            return self._table_line(line)
        operator = _OPERATOR.search(line)
        if not operator:
            return _reply(_unknown)
        name, rest = line[: operator.start()], line[operator.end() :]
        if operator[0] == "<":
            self._table, self._table_bytes = (name, rest, []), 0
            return None
        if operator[0] == "=":
            return _reply(lambda: self._commands.put(name, rest))
        return _reply(lambda: self._commands.get(name, rest))

    def _table_line(self, line: str) -> bytes | None:
        name, suffix, lines = self._table or ("", "", [])
        if line:
            lines.append(line)
            self._table_bytes += len(line) + _LINE_OVERHEAD
            too_long = self._table_bytes > MAX_TABLE_BYTES
            return self._give_up("Table too long") if too_long else None
        self._table = None
        return _reply(lambda: self._commands.put_table(name, suffix, lines))


def _unknown() -> None:
    raise CommandError("Unknown command")


def _reply(work: Callable[[], Text | None]) -> bytes:
    try:
        result = work()
    except CommandError as error:
        return f"ERR {error}\n".encode(errors="surrogateescape")
    if result is None:
        return b"OK\n"
    if isinstance(result, str):
        return f"OK ={result}\n".encode(errors="surrogateescape")
    return "".join([*(f"!{line}\n" for line in result), ".\n"]).encode(errors="surrogateescape")
