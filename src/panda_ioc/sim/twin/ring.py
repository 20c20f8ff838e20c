"""The memory in a block that a table is read into, and out of which lines are taken."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Line = TypeVar("Line")

LINES = 4096


class LineRing(Generic[Line]):
    """A ring of lines, one clock at a time.

    In wrapping mode the whole table is in the ring and lines come round again; otherwise a line is
    gone when it has been taken.

    Attributes:
        line: the line to be taken next; its register lags behind the memory by a clock.
        last: whether that is the last one of a streaming table.
        valid: whether there is one.
    """

    def __init__(self, width: int, make: Callable[[Sequence[int]], Line]) -> None:
        self.width = width
        self._make = make
        self._memory = [(make((0,) * width), False)] * LINES
        self._shift: tuple[int, ...] = (0,) * width
        self._write = self._read = 0
        self.line, self.last = self._memory[0]
        self.valid = False
        self._ready = False

    @property
    def state(self) -> tuple[int, bool, bool]:
        """What stands still when nothing happens, whatever is being written meanwhile."""
        return self._read, self.valid, self._ready

    def room(self, wrapping: bool) -> int:
        """Count the words that can be written."""
        used = self._write // self.width - (0 if wrapping else self._read)
        return (LINES - 1 - used) % LINES * self.width

    def missing(self) -> int:
        """Count the words to come before there is a line to take."""
        line, place = divmod(self._write, self.width)
        return self.width - place if line == self._read else 0

    def fill(self, words: Sequence[int], wrapping: bool) -> None:
        """Do as many clocks as there are words, with nothing taken and no reset."""
        # Only what is written by the last two clocks shows in the registers after them, and only
        # in the first one the ring may still be blind from a reset.
        for number, word in enumerate(words):
            if 0 < number < len(words) - 2:
                self._put(word, last=False)
            else:
                self.step(word, last=False, reset=False, wrapping=wrapping, take=False)

    def step(
        self, word: int | None, last: bool, *, reset: bool, wrapping: bool, take: bool
    ) -> None:
        """Do one clock.

        Args:
            word: what comes from outside.
            last: whether it ends a streaming table.
            reset: begin again with the first line; unless `wrapping`, also forget all lines.
            wrapping: the mode.
            take: the block takes the line.
        """
        written, read = self._write // self.width, self._read
        if reset:
            self._read = 0
        elif take and self.valid:
            following = (read + 1) % LINES
            ends = wrapping and following == self._after(word) // self.width
            self._read = 0 if ends else following
        self.line, self.last = self._memory[self._read]
        if reset and not wrapping:
            self._write = 0
        elif word is not None and self._ready:
            self._put(word, last)
        self.valid = written > 0 if wrapping else written != self._read and not reset
        self._ready = (self._write // self.width + 1) % LINES != read and not reset

    def _after(self, word: int | None) -> int:
        """Tell where the next word goes after this clock."""
        return (self._write + (word is not None and self._ready)) % (LINES * self.width)

    def _put(self, word: int, last: bool) -> None:
        line, place = divmod(self._write, self.width)
        self._shift = (*self._shift[1:], word)
        if place == self.width - 1:
            self._memory[line] = (self._make(self._shift), last)
        self._write = (self._write + 1) % (LINES * self.width)
