"""Whether things are happening at a PandA, so that it is worth asking more often what changed."""

import time
from collections.abc import Callable, Mapping

SECONDS = 1.0
"""How long something that happened is a reason to look more often."""

CREDIT = 60.0
"""Changes of one name that are reasons, before it has to rest."""

EARNED = 4.0
"""Credit that a name earns in a second. One that has used its credit up is no reason until it has
earned half of it again, which a moving encoder never does."""

_ARMED = "PCAP.ACTIVE"
_ALWAYS_CHANGING = "SYSTEM."  # temperatures and voltages


class _Credit:
    """What one name may still spend."""

    def __init__(self, now: float) -> None:
        self._left = CREDIT
        self._then = now
        self._rests = False

    def spend(self, now: float) -> bool:
        """Take note of a change; return whether it counts."""
        self._left = min(CREDIT, self._left + EARNED * (now - self._then))
        self._then = now
        if self._rests and self._left >= CREDIT / 2:
            self._rests = False
        self._left = max(0.0, self._left - 1)
        counts = not self._rests
        self._rests = self._rests or self._left < 1
        return counts


class Attention:
    """Remembers what happened lately.

    Things happen while PCAP is armed, and for a second after a put and after a change. Two
    kinds of changes do not count: what a PandA measures of itself, and a name that changes all the
    time, such as the position of an encoder that moves or jitters.

    Args:
        clock: tells seconds
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0
        self._is_armed = False
        self._credits: dict[str, _Credit] = {}

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
        now = self._clock()
        names = [name for name in changes if not name.startswith(_ALWAYS_CHANGING)]
        counts = [self._credits.setdefault(name, _Credit(now)).spend(now) for name in names]
        if any(counts):
            self.call()

    def forget(self) -> None:
        """Another connection begins: what was seen is not known to be true."""
        self._is_armed = False
        self._credits.clear()
