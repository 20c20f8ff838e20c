"""The control port without I/O: commands to bytes, bytes to results.

Replies come in the order of the requests, so a queue of the requests in flight is all that tells
replies apart. A command is a generator of requests; its next ones join the end of the queue when
its last ones have been answered.

    READY --"OK ..." or "ERR ..."--> READY             a reply of one line
    READY --"!value" or "."--> IN_REPLY                the same line is then read again
    IN_REPLY --"!value"--> IN_REPLY
    IN_REPLY --"."--> READY                            a reply of several lines, or of none
    READY, IN_REPLY --anything else--> BROKEN          ProtocolError
    READY, IN_REPLY --end of file--> CLOSED            ConnectionLost

From BROKEN and CLOSED there is no way back: all pending commands have failed, further calls raise.
"""

from collections import deque
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from panda_ioc.errors import (
    CommandError,
    ConnectionLost,
    NoContextAvailable,
    PandAError,
    ProtocolError,
)
from panda_ioc.protocol._buffer import Buffer
from panda_ioc.protocol._exchange import Exchange, ExchangeGenerator, Exchanges, shorten
from panda_ioc.protocol.commands import Command


@dataclass(frozen=True)
class Limits:
    """Limits on what a PandA may send; beyond them the connection is broken.

    The largest real reply is a table of 1048576 words: 12 MiB in as many lines.
    """

    line_bytes: int = 1 << 20
    reply_lines: int = 1 << 21
    reply_bytes: int = 1 << 24


DEFAULT_LIMITS = Limits()

_SINGLE = ("OK", "ERR")


class _State(Enum):
    READY = auto()
    IN_REPLY = auto()
    BROKEN = auto()
    CLOSED = auto()


class _Pending:
    """A command in flight: what to resume once `unanswered` requests have been replied to."""

    __slots__ = ("abandoned", "command", "generator", "owner", "unanswered")

    def __init__(
        self, command: Command[Any], generator: ExchangeGenerator[Any], owner: object
    ) -> None:
        self.command = command
        self.generator = generator
        self.owner = owner
        self.unanswered = 0
        self.abandoned = False


class ControlConnection:
    """The control port of a PandA, for any kind of I/O::

        connection = ControlConnection()
        sendall(connection.send(command))
        while received := recv():
            sendall(connection.receive_bytes(received))
            for command, result in connection.responses():
                ...
        connection.receive_eof()

    A command that fails has an exception for a result: `CommandError`, `ConnectionLost`, ...
    Several may be in flight; each completes with its last reply, so commands of one request each
    complete in order. The same command may be sent several times: an `owner` tells its results
    apart.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._buffer = Buffer(limits.line_bytes)
        self._queue: deque[tuple[Exchange, _Pending]] = deque()
        self._responses: deque[tuple[_Pending, Any]] = deque()
        self._state = _State.READY
        self._values: list[str] = []
        self._values_bytes = 0
        self._version = (0, 0)
        self._error: PandAError | None = None

    def set_api(self, version: tuple[int, int]) -> None:
        """Set the version (major, minor) of the server; until then commands use what all servers
        understand."""
        self._version = version

    def send(self, command: Command[Any], owner: object = None) -> bytes:
        """Begin a command; return the bytes to be sent.

        Args:
            command: what to do
            owner: names the result in `results`

        Raises:
            BadValue, VersionError: the command cannot be sent; nothing is pending for it
            ConnectionLost, ProtocolError: the connection has ended with that error
        """
        if self._error is not None:
            raise copy(self._error)
        pending = _Pending(command, command.execute(self._version), owner)
        try:
            return self._enqueue(next(pending.generator), pending)
        except StopIteration as finished:
            self._responses.append((pending, finished.value))
            return b""

    def abandon(self, owner: object) -> None:
        """Abandon a command: send no more of its requests, and drop its result.

        The replies to what has been sent are awaited all the same: they belong to no other command.
        """
        for _, pending in self._queue:
            if pending.owner is owner:
                pending.abandoned = True

    def receive_bytes(self, received: bytes) -> bytes:
        """Take bytes from the PandA; return bytes to send. Results are in `responses`.

        Raises:
            ProtocolError: no PandA would send this; all pending commands have failed with it
            ConnectionLost: after `receive_eof`
        """
        if self._error is not None:
            raise copy(self._error)
        self._buffer += received
        to_send: list[bytes] = []
        try:
            while self._buffer and (block := self._buffer.read_lines()):
                self._receive_lines(block.decode(errors="backslashreplace").split("\n"), to_send)
        except ProtocolError as error:
            self._end(_State.BROKEN, error)
            raise
        return b"".join(to_send)

    def receive_eof(self, reason: str | ConnectionLost = "the PandA closed the connection") -> None:
        """Take the end of the connection: all pending commands fail with `ConnectionLost`."""
        if self._error is None:
            error = ConnectionLost(reason) if isinstance(reason, str) else reason
            self._end(_State.CLOSED, error)

    def responses(self) -> Iterator[tuple[Command[Any], Any]]:
        """Take the (command, result or exception) pairs that are complete."""
        while self._responses:
            pending, result = self._responses.popleft()
            yield pending.command, result

    def results(self) -> Iterator[tuple[Any, Any]]:
        """Take the complete results, as (owner, result or exception)."""
        while self._responses:
            pending, result = self._responses.popleft()
            yield pending.owner, result

    def _receive_lines(self, lines: list[str], to_send: list[bytes]) -> None:
        """Take whole lines; the last of the list is the nothing behind the last newline."""
        position, end = 0, len(lines) - 1
        while position < end:
            if self._state is _State.READY:
                position += self._begin_reply(lines[position], to_send)
            else:
                position = self._continue_reply(lines, position, end, to_send)

    def _begin_reply(self, line: str, to_send: list[bytes]) -> int:
        """Return how many lines it took: none of a reply of several, which is to be continued."""
        if not self._queue:
            raise NoContextAvailable(f"The PandA sent {shorten(line)!r}, but nothing was asked")
        if line.startswith(_SINGLE):
            self._queue[0][0].answer(line)
            self._answered(to_send)
            return 1
        if not line.startswith("!") and line != ".":
            raise ProtocolError(f"The PandA sent {shorten(line)!r}, which is not a reply")
        self._state = _State.IN_REPLY
        return 0

    def _continue_reply(
        self, lines: list[str], position: int, end: int, to_send: list[bytes]
    ) -> int:
        """Return the position behind the lines that belong to this reply."""
        stop = _find(lines, ".", position, end)
        self._add_values(lines[position:stop])
        if stop == end:
            return end
        self._queue[0][0].answer_values(self._values)
        self._state, self._values, self._values_bytes = _State.READY, [], 0
        self._answered(to_send)
        return stop + 1

    def _add_values(self, lines: list[str]) -> None:
        values = [line[1:] for line in lines if line.startswith("!")]
        self._values += values
        self._values_bytes += sum(map(len, lines))
        if len(values) != len(lines):
            odd = next(line for line in lines if not line.startswith("!"))
            raise ProtocolError(f"The PandA sent {shorten(odd)!r} among lines that begin with '!'")
        limits = self._limits
        if len(self._values) > limits.reply_lines or self._values_bytes > limits.reply_bytes:
            raise ProtocolError(
                f"A reply to {self._queue[0][0].shown} of more than {limits.reply_lines} lines or "
                f"{limits.reply_bytes} bytes"
            )

    def _answered(self, to_send: list[bytes]) -> None:
        """Note that the oldest request has its reply, and go on with its command."""
        _, pending = self._queue.popleft()
        pending.unanswered -= 1
        if not pending.unanswered and not pending.abandoned:
            to_send.append(self._resume(pending))

    def _resume(self, pending: _Pending) -> bytes:
        """Run a command up to its next requests, or its end; what it raises is its own result."""
        try:
            return self._enqueue(next(pending.generator), pending)
        except StopIteration as finished:
            result = finished.value
        except PandAError as error:
            error.command = pending.command
            result = error
        except Exception as error:
            result = CommandError(f"{pending.command}: {error!r}", pending.command)
            result.__cause__ = error
        self._responses.append((pending, result))
        return b""

    def _enqueue(self, exchanges: Exchanges, pending: _Pending) -> bytes:
        if isinstance(exchanges, Exchange):
            pending.unanswered = 1
            self._queue.append((exchanges, pending))
            return exchanges.request
        if not exchanges:
            return self._resume(pending)
        pending.unanswered = len(exchanges)
        self._queue.extend((exchange, pending) for exchange in exchanges)
        return b"".join(exchange.request for exchange in exchanges)

    def _end(self, state: _State, error: PandAError) -> None:
        """Enter BROKEN or CLOSED: every pending command fails now."""
        self._state, self._error = state, error
        pending = {id(pending): pending for _, pending in self._queue}
        self._queue.clear()
        self._buffer.clear()
        self._values = []
        for each in pending.values():
            if not each.abandoned:
                message = f"{each.command}: {error}"
                self._responses.append((each, error.again(message, each.command)))


def _find(lines: list[str], line: str, start: int, end: int) -> int:
    try:
        return lines.index(line, start, end)
    except ValueError:
        return end
