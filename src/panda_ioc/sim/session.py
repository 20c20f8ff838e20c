"""The control port without sockets: bytes in, replies out, one session a connection.

A line is split at the first of `?`, `=`, `<`, and ends early at a NUL. A table command (`<`) goes
on to an empty line. What cannot be carried out is answered `ERR text`; a line that is too long
ends the session without an answer.
"""

import logging
import re
from collections.abc import Callable

from panda_ioc.errors import CommandError
from panda_ioc.sim.commands import Commands
from panda_ioc.sim.machine import Machine
from panda_ioc.sim.reports import Lines, Text
from panda_ioc.sim.scan import MAX_LINE

_log = logging.getLogger(__name__)
_OPERATOR = re.compile(r"[?=<]")


class _Nothing:
    """Takes the lines of a table command that was wrong from the start."""

    def write(self, line: str) -> None:
        """Throw the line away."""

    def close(self, complete: bool) -> None:
        """Do nothing."""


class _TableCommand:
    """A table command whose lines are still coming; the first error is the one told."""

    def __init__(self, begin: Callable[[], Lines]) -> None:
        self._error: CommandError | None = None
        self._lines: Lines = _Nothing()
        try:
            self._lines = begin()
        except CommandError as error:
            self._error = error

    def line(self, line: str) -> None:
        """Take one line."""
        try:
            if not self._error:
                self._lines.write(line)
        except CommandError as error:
            self._error = error

    def close(self) -> None:
        """Carry it out, or raise what was wrong with it."""
        self._lines.close(self._error is None)
        if self._error:
            raise self._error

    def give_up(self) -> None:
        """Leave everything as it was: there will be no more lines."""
        self._lines.close(False)


class ControlSession:
    """One control connection: its unfinished input and its commands."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._commands = Commands(machine, self)
        self._input = bytearray()
        self._table: _TableCommand | None = None
        self.closed = False

    def feed(self, data: bytes) -> None:
        """Take bytes that the client sent; `step` answers them."""
        self._input += data

    def step(self) -> bytes | None:
        """Return the reply to the next command, or None if more bytes are needed."""
        while not self.closed:
            end = self._input.find(b"\n")
            if (len(self._input) if end < 0 else end) > MAX_LINE:
                self.close()
            elif end < 0:
                return None
            else:
                line = bytes(self._input[:end]).partition(b"\0")[0]
                del self._input[: end + 1]
                reply = self._line(line.decode(errors="surrogateescape"))
                if reply is not None:
                    return reply
        return None

    def close(self) -> None:
        """Take no more input, and give up a table command that is not complete."""
        self.closed = True
        self._input.clear()
        if self._table:
            self._table.give_up()
            self._table = None

    def _line(self, line: str) -> bytes | None:
        if self._table is not None:
            return self._table_line(self._table, line)
        if self._machine.verbose:
            _log.info("< %s", line)
        operator = _OPERATOR.search(line)
        if not operator:
            return _reply(_unknown)
        name, rest = line[: operator.start()], line[operator.end() :]
        if operator[0] == "<":
            self._table = _TableCommand(lambda: self._commands.writer(name, rest))
            return None
        if operator[0] == "=":
            return _reply(lambda: self._commands.put(name, rest))
        return _reply(lambda: self._commands.get(name, rest))

    def _table_line(self, table: _TableCommand, line: str) -> bytes | None:
        if line:
            table.line(line)
            return None
        self._table = None
        return _reply(table.close)


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
