"""How SEQ and PGEN get their tables from memory."""

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from panda_ioc.sim.twin.block import Backplane
from panda_ioc.sim.twin.ring import LINES, LineRing

Line = TypeVar("Line")

MORE = 1 << 31
LENGTH = (1 << 21) - 1
BURST = 256
# Ticks from the request of a burst to its grant. In a real PandA it is longer and not constant.
GRANT = 1

IDLE, ONE_BUFFER, STREAMING, STREAMING_WAIT, DONE = range(5)
REST, WAIT_ROOM, WAIT_GRANT, READING = range(4)


class TableListener(Protocol):
    """The side that writes addresses and lengths; it is told when to."""

    def ready(self, tick: int) -> None:
        """Hear that one more buffer may come."""

    def completed(self, tick: int) -> None:
        """Hear that no more buffers may come until a length of 0."""


class TableReader(Generic[Line]):
    """Takes lengths, and reads bursts of words into the ring as long as there is room.

    A clock has two halves: `look` before the block decides, `step` after it. Between clocks that
    are asked for by `next` nothing happens but that words come.

    Attributes:
        ring: where the lines are.
        streaming: whether the table comes in chunks.
        fixed: whether it is one buffer, to be repeated.
        refused: whether a length came that nobody waited for.
        wrapping: whether the whole table is in the ring.
        resetting: whether what was read is being thrown away.
        follower: who is told of the interrupts, if anybody is.
    """

    def __init__(self, board: Backplane, width: int, make: Callable[[Sequence[int]], Line]) -> None:
        self._memory = board.memory
        self.ring = LineRing(width, make)
        self.streaming = self.fixed = self.refused = False
        self.wrapping = self.resetting = False
        self.follower: TableListener | None = None
        self._completed = False
        self._state = IDLE
        self._start = self._last_buffer = False
        self._throwing = False
        self._transfer = REST
        self._abort = self._last_burst = False
        self._address = self._offset = self._left = self._size = 0
        # The tick of the grant, then those of the first and last word of a burst.
        self._granted = self._first = self._done = board.engine.now
        self._moving = False
        self._clock = board.engine.now

    @property
    def rests(self) -> bool:
        """Whether clocks change nothing, unless the block writes, gives up or begins again."""
        return self._transfer == REST and not self._moving

    def look(self, tick: int, lines: int, abort: bool) -> None:
        """Begin a clock.

        Args:
            tick: the period.
            lines: length of the table.
            abort: whether the block gives up.
        """
        if self._transfer == READING and self._clock < tick and not self._throwing:
            self.ring.fill(self._words(self._clock, tick), self.wrapping)
        self.resetting = abort or self._throwing
        self.wrapping = lines < LINES and self.fixed and not self.resetting
        self._clock = tick + 1

    def step(
        self,
        tick: int,
        source: tuple[int, int],
        *,
        written: bool,
        abort: bool,
        rewind: bool,
        take: bool,
    ) -> None:
        """End a clock.

        Args:
            tick: the period.
            source: address and length of the table.
            written: whether the length was written.
            abort: whether the block gives up.
            rewind: whether it begins again with the first line.
            take: whether it takes a line.
        """
        if self._transfer == REST and not (self._moving or written or abort or rewind):
            if take:
                self._step_ring(tick, rewind=False, take=True)
            return
        before = self._signature()
        cleared = written and source[1] == 0
        busy = self._transfer != REST or self._start
        room = self.ring.room(self.wrapping)
        self._step_ring(tick, rewind, take)
        self._move_data(tick, source, abort or cleared, room)
        self._throwing = abort or cleared or (self._throwing and busy)
        if cleared:
            self.streaming = self.fixed = self._completed = False
            self._state = IDLE
        elif not abort:
            self._complete(tick, busy)
            self._accept(tick, written, bool(source[1] & MORE), busy)
        elif self._state != ONE_BUFFER:
            self._state = DONE
        self._moving = abort or rewind or before != self._signature()

    def next(self, tick: int) -> int | None:
        """Tell when the next clock is needed, if no other reason comes before."""
        if self._moving:
            return tick + 1
        if self._transfer == WAIT_GRANT:
            return self._granted
        if self._transfer != READING:
            return None
        if self.ring.valid:
            return self._done
        complete = max(tick, self._first - 1) + self.ring.missing()
        return min(self._done, complete + 1)

    def _step_ring(self, tick: int, rewind: bool, take: bool) -> None:
        words = self._words(tick, tick + 1) if self._transfer == READING else ()
        self.ring.step(
            words[0] if words else None,
            bool(words) and tick == self._done and self._last_burst and self._last_buffer,
            reset=self.resetting or rewind,
            wrapping=self.wrapping,
            take=take,
        )

    def _signature(self) -> tuple[object, ...]:
        return (
            *(self.ring.state, self.streaming, self.fixed, self.refused, self._state, self._start),
            *(self._last_buffer, self._throwing, self._transfer, self._abort),
        )

    def _complete(self, tick: int, busy: bool) -> None:
        if self._state == DONE and not busy and not self._completed:
            self._completed = True
            if self.follower is not None:
                self.follower.completed(tick)

    def _accept(self, tick: int, written: bool, more: bool, busy: bool) -> None:
        """Take a length if one is waited for, and start to read when nothing is being read."""
        self._start = self.refused = False
        if self._state == IDLE:
            self.streaming, self.fixed = written and more, written and not more
            self._last_buffer = False
            if written:
                self._state = STREAMING if more else ONE_BUFFER
            return
        if self._state == STREAMING_WAIT:
            self._state = STREAMING if written else STREAMING_WAIT
            return
        if written:
            self.refused = True
        state, self._state = self._state, DONE if written else self._state
        if busy or state == DONE:
            return
        self._start = True
        if state == STREAMING:
            self._last_buffer = self._last_buffer or not more
            self._state = STREAMING_WAIT if more else DONE
            if more and self.follower is not None:
                self.follower.ready(tick)
        elif self.wrapping:
            self._state = DONE

    def _move_data(self, tick: int, source: tuple[int, int], stop: bool, room: int) -> None:
        state, abort = self._transfer, self._abort
        if stop:
            self._abort = True
        elif state == REST:
            self._abort = False
        if state == REST:
            self._last_burst = False
            self._address, self._offset, self._left = source[0], 0, source[1] & LENGTH
            self._transfer = WAIT_ROOM if self._start else REST
        elif state == WAIT_ROOM:
            self._size = min(self._left, BURST)
            if abort:
                self._transfer = REST
            elif room >= self._size:
                self._transfer = WAIT_GRANT
                self._granted = tick + 1 + GRANT
        elif state == WAIT_GRANT and tick == self._granted:
            self._left -= self._size
            self._last_burst = self._last_burst or self._left == 0
            # A burst of no words is one of 256.
            self._first, self._done = tick + 1, tick + (self._size or BURST)
            self._transfer = READING
        elif state == READING and tick == self._done:
            self._offset += self._size
            self._transfer = WAIT_ROOM if self._left else REST

    def _words(self, start: int, end: int) -> Sequence[int]:
        """List the words that come in some periods."""
        table = self._memory.get(self._address, ())
        at = self._offset - self._first
        return [
            table[at + tick] if at + tick < len(table) else 0
            for tick in range(max(start, self._first), min(end, self._done + 1))
        ]
