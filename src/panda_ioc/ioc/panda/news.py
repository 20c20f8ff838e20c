"""The board: which followers follow which name on the wire."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from numpy.typing import NDArray

from panda_ioc.client.changes import Batch
from panda_ioc.threads import ThreadOwner


class Follower:
    """Follows names of the PandA; a subclass overrides the events that it needs."""

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """The PandA has a new text for this name, or says again that it changed."""

    def in_error(self, wire: str) -> None:
        """The PandA cannot read this name at present; may be called repeatedly."""

    def table_from_device(self, words: NDArray[Any], batch: Batch) -> None:
        """The PandA has a new table: its words, uint32."""

    def connected(self) -> None:
        """All that the PandA tells of itself has been shown."""

    def stale(self) -> None:
        """The connection is lost: nothing that is shown is known to be true.

        Told again with each attempt to connect that fails, as a put may have hidden it.
        """


class Board:
    """Passes news of the PandA on to their followers."""

    def __init__(self) -> None:
        self._followers: Mapping[str, list[Follower]] = defaultdict(list)
        self._tables: dict[str, Follower] = {}
        self._all: dict[Follower, None] = {}
        self._errors: frozenset[str] = frozenset()
        self._after: Callable[[Iterable[str]], None] = _nothing
        self._owner = ThreadOwner("the board")

    def add(self, follower: Follower, wires: Iterable[str] = ()) -> None:
        """Register a follower of these names."""
        self._all[follower] = None
        for wire in wires:
            self._followers[wire].append(follower)

    def add_table(self, follower: Follower, wire: str) -> None:
        """Register a follower of this table."""
        self._all[follower] = None
        self._tables[wire] = follower

    def then(self, after: Callable[[Iterable[str]], None]) -> None:
        """Have this called after all changes have been passed on.

        Args:
            after: takes the names that became readable, which are to be asked for
        """
        self._after = after

    def show(self, batch: Batch) -> None:
        """Pass on all changes."""
        self.tell(batch)
        recovered = self._errors - batch.errors - batch.texts.keys()
        self._errors = batch.errors
        self._after(recovered & self._followers.keys())

    def tell(self, batch: Batch) -> None:
        """Pass on an answer that was asked for."""
        self._owner.check()
        for wire, text in batch.texts.items():
            for follower in self._followers.get(wire, ()):
                follower.from_device(wire, text, batch)
        for wire, words in batch.tables.items():
            if wire in self._tables:
                self._tables[wire].table_from_device(words, batch)
        for wire in batch.errors:
            for follower in self._followers.get(wire, ()):
                follower.in_error(wire)
            if wire in self._tables:
                self._tables[wire].in_error(wire)

    def connected(self) -> None:
        """All that the PandA tells of itself has been shown."""
        self._owner.check()
        for follower in self._all:
            follower.connected()

    def stale(self) -> None:
        """The connection is lost."""
        self._owner.check()
        self._errors = frozenset()
        for follower in self._all:
            follower.stale()


def _nothing(_: object) -> None:
    """Nobody has asked to be called."""
