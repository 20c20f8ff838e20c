"""Whether things are happening at a PandA, so that it is worth asking more often what changed."""

import time
from collections.abc import Callable, Mapping

SECONDS = 1.0
"""How long something that happened is a reason to look more often."""

RESTLESS = 200
"""Polls in a row after which a name that changed in each of them is no reason any more."""

_ARMED = "PCAP.ACTIVE"
_ALWAYS_CHANGING = "SYSTEM."  # temperatures and voltages


class Attention:
    """Remembers what happened lately.

    Things happen while PCAP is armed, and for a second after a put and after a change. Noise is no
    change of that kind: neither what a PandA measures of itself, nor a name that changes in each
    of many polls, such as a position that jitters.

    Args:
        clock: tells seconds
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0
        self._is_armed = False
        self._in_a_row: dict[str, int] = {}

    @property
    def is_paid(self) -> bool:
        """Whether to look more often now."""
        return self._is_armed or self._clock() < self._until

    def call(self) -> None:
        """Something happens."""
        self._until = self._clock() + SECONDS

    def see(self, changes: Mapping[str, str]) -> None:
        """A poll brought these changes."""
        if _ARMED in changes:
            self._is_armed = changes[_ARMED] != "0"
        before = self._in_a_row
        self._in_a_row = {
            name: before.get(name, 0) + 1
            for name in changes
            if not name.startswith(_ALWAYS_CHANGING)
        }
        if any(times <= RESTLESS for times in self._in_a_row.values()):
            self.call()

    def forget(self) -> None:
        """Another connection begins: what was seen is not known to be true."""
        self._is_armed = False
        self._in_a_row.clear()
