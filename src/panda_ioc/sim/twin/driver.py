"""Hands the buffers of a table to its block, as the driver in a PandA does."""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from panda_ioc.errors import TwinError
from panda_ioc.sim.twin.fields import unsigned32
from panda_ioc.sim.twin.network import Network
from panda_ioc.sim.twin.tables import MORE, TableListener

# Ticks from an interrupt to the write that answers it; in a real PandA some 10 us, not constant.
ANSWER = 1250
# Ticks between two writes.
SPACING = 25
# Addresses are only names of buffers here.
FIRST_ADDRESS = 0x1000
STEP = 0x1000


class Reader(Protocol):
    """The part of a table reader that tells of interrupts."""

    follower: TableListener | None


@dataclass(frozen=True)
class TableBuffer:
    """Words of a table in memory, and whether others come after them."""

    address: int
    length: int
    more: bool


class TableDriver:
    """Keeps the buffers of one block: the one it reads, the one it has been told of, and others.

    Attributes:
        words: how many words wait or are being read.
    """

    def __init__(self, network: Network, block: str, reader: Reader) -> None:
        self._network = network
        self._block = block
        self._queue: deque[TableBuffer] = deque()
        self._given: deque[TableBuffer] = deque()
        self._addresses = count(FIRST_ADDRESS, STEP)
        self._closed = False
        self.words = 0
        reader.follower = self

    def reset(self) -> None:
        """Forget all buffers and let the block forget its table."""
        network = self._network
        block = network.blocks[self._block]
        for name in ("TABLE_ADDRESS", "TABLE_LENGTH"):
            network.board.engine.cancel(network.now, block, name)
        network.write(f"{self._block}.TABLE_LENGTH", 0)
        network.run_until(network.now + SPACING)
        self._free()
        self._closed = False

    def send(self, words: array[int], more: bool) -> None:
        """Take a buffer, which the block gets as soon as it may.

        Args:
            words: the words of whole lines.
            more: whether there will be others.

        Raises:
            TwinError: the block takes no more: the last buffer was sent, or it gave up.
        """
        if self._closed:
            raise TwinError(f"{self._block} takes no more of its table; write an empty one first")
        buffer = TableBuffer(unsigned32(next(self._addresses)), len(words), more)
        self._network.board.memory[buffer.address] = words
        self.words += len(words)
        self._closed = not more
        if len(self._given) < 2:
            self._give(buffer, self._network.now)
        else:
            self._queue.append(buffer)

    def ready(self, tick: int) -> None:
        """Give the next buffer, as the block reads the last that it was given."""
        if len(self._given) == 2:
            self._drop(self._given.popleft())
        if self._queue:
            self._give(self._queue.popleft(), tick + ANSWER)

    def completed(self, tick: int) -> None:
        """Forget all buffers, as the block reads none of them any more."""
        self._closed = True
        self._free()

    def _give(self, buffer: TableBuffer, tick: int) -> None:
        self._given.append(buffer)
        length = buffer.length | MORE if buffer.more else buffer.length
        self._network.write(f"{self._block}.TABLE_ADDRESS", buffer.address, tick)
        self._network.write(f"{self._block}.TABLE_LENGTH", length, tick + SPACING)

    def _drop(self, buffer: TableBuffer) -> None:
        self.words -= buffer.length
        del self._network.board.memory[buffer.address]

    def _free(self) -> None:
        for buffers in (self._given, self._queue):
            while buffers:
                self._drop(buffers.popleft())
