"""The queue of the FPGA: a memory with a register at its head."""

from collections import deque
from typing import Generic, TypeVar

Word = TypeVar("Word")


class Fifo(Generic[Word]):
    """A queue, one clock at a time.

    The head is a register of its own. It keeps its word when that has been read and when the queue
    is reset; only `valid` tells.
    """

    def __init__(self, most: int, head: Word) -> None:
        self._most = most
        self._words: deque[Word] = deque()
        self._readable = False
        self.head = head
        self.valid = False
        self.ready = False
        self.depth = 0

    def step(self, word: Word | None, read: bool) -> None:
        """Do one clock.

        Args:
            word: what to write; it is lost if the queue is not ready.
            read: take the head off.
        """
        written = word is not None and self.ready
        if self._readable and (read or not self.valid):
            self.head = self._words.popleft()
            self.valid = True
        elif read:
            self.valid = False
        if word is not None and written:
            self._words.append(word)
        self.ready = len(self._words) < self._most
        self._readable = bool(self._words)
        self.depth = len(self._words) + self.valid

    def reset(self) -> None:
        self._words.clear()
        self._readable = self.valid = self.ready = False
        self.depth = 0

    @property
    def moving(self) -> bool:
        """Whether the next clock changes something by itself."""
        return self._readable and not self.valid
