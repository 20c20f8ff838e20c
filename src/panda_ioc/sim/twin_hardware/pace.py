"""Which tick the twin should have reached at a moment of the wall clock."""

from panda_ioc.sim.numbers import CLOCK_FREQUENCY

HORIZON = 3600.0
# The twin catches up with so many seconds; with what it is behind beyond that, its time stretches.
CATCH_UP = 0.1


class Pace:
    """Ties ticks to the monotonic clock.

    Attributes:
        speed: simulated seconds in a real one; 0 is as fast as possible while PCAP is armed
        horizon: simulated seconds after which an acquisition at speed 0 goes on at speed 1
    """

    def __init__(self) -> None:
        self.speed = 1.0
        self.horizon = HORIZON
        self._moment: float | None = None
        self._tick = 0
        self._stretched = 0.0
        self._behind = 0.0
        self._armed_at: int | None = None

    @property
    def lag(self) -> float:
        """Simulated seconds by which the twin is behind since it was armed or its speed set."""
        return self._stretched + self._behind

    def set(self, speed: float, horizon: float) -> None:
        """Go on at another speed from the tick reached."""
        self.speed, self.horizon = speed, horizon
        self.rest()

    def rest(self) -> None:
        """Forget what is behind, and begin anew with the next moment."""
        self._moment = None
        self._stretched = self._behind = 0.0

    def arm(self, reached: int) -> None:
        """Note that PCAP is armed."""
        self._armed_at = reached
        self._stretched = 0.0

    def disarm(self) -> None:
        """Note that PCAP is not armed any more."""
        self._armed_at = None

    def hurries(self, reached: int) -> bool:
        """Tell whether there is no need to wait for the wall clock."""
        if self.speed or self._armed_at is None:
            return False
        return reached < self._armed_at + round(self.horizon * CLOCK_FREQUENCY)

    def limit(self) -> int:
        """Return the tick up to which there is no need to wait."""
        return (self._armed_at or 0) + round(self.horizon * CLOCK_FREQUENCY)

    def target(self, moment: float, reached: int) -> int:
        """Return the tick that should have been reached at a moment."""
        if self._moment is None:
            self._moment, self._tick = moment, reached
        rate = (self.speed or 1.0) * CLOCK_FREQUENCY
        return self._tick + round((moment - self._moment) * rate)

    def note(self, moment: float, reached: int) -> None:
        """Note how far the twin came; let its time stretch if that is too little."""
        target = self.target(moment, reached)
        self._behind = max(0, target - reached) / CLOCK_FREQUENCY
        excess = self._behind - CATCH_UP * (self.speed or 1.0)
        if excess > 0:
            self._stretched += excess
            self._behind -= excess
            self._tick -= round(excess * CLOCK_FREQUENCY)

    def jumped(self, moment: float, reached: int) -> None:
        """Note that the twin did not follow the wall clock up to here."""
        self._moment, self._tick = moment, reached
        self._behind = 0.0
