"""The changes of chosen outputs, the newest only when there are many."""

from collections import deque
from collections.abc import Iterable

from panda_ioc.sim.twin.outputs import Change, Output

MOST_CHANGES = 1_000_000


class Recorder:
    """Keeps changes as (first period, name, value)."""

    def __init__(self, outputs: Iterable[Output], most: int = MOST_CHANGES) -> None:
        self._changes: deque[Change] = deque(maxlen=most)
        self._outputs = list(outputs)
        for output in self._outputs:
            output.record = self._changes.append

    def changes(self, until: int) -> list[Change]:
        """List the changes kept, sorted, of the periods before `until`."""
        # A register behind which nothing is clocked may change an output twice in a period.
        last = {(tick, name): value for tick, name, value in self._changes if tick < until}
        return sorted((tick, name, value) for (tick, name), value in last.items())

    def stop(self) -> None:
        for output in self._outputs:
            output.record = None
