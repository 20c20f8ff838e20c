"""A queue between two threads that is bounded by the bytes in it."""

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class BoundedQueue(Generic[Item]):
    """First in, first out; `put` waits while more than `limit` bytes are in it.

    Attributes:
        queued, peak: bytes in it now, and at most so far
    """

    def __init__(self, limit: int) -> None:
        self.queued = self.peak = 0
        self._limit = limit
        self._items: deque[tuple[Item, int]] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, item: Item, size: int = 0) -> None:
        """Append an item; wait for room unless its size is 0. After `close`, do nothing."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not size or self.queued < self._limit)
            if self._closed:
                return
            self._items.append((item, size))
            self.queued += size
            self.peak = max(self.peak, self.queued)
            self._changed.notify_all()

    def get(self, timeout: float | None = None) -> Item | None:
        """Return the oldest item, or None if none comes within `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._items, timeout):
                return None
            item, size = self._items.popleft()
            self.queued -= size
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Drop all items, and wake all threads that wait in `put`."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self.queued = 0
            self._changed.notify_all()
