"""The divider of FILTER: one bit of the quotient each tick."""

WORD = (1 << 32) - 1
LAST = 31


class Divider:
    """A long division, one clock at a time.

    It is right for a load of one tick. A longer load replaces what is left of the dividend while
    the bits go on, as in the FPGA.
    """

    def __init__(self) -> None:
        self.running = False
        self.ready = False
        self.quotient = 0
        self._index = 0
        self._stop = False
        self._rest = 0
        self._result = 0

    def step(self, load: bool, dividend: int, divisor: int) -> None:
        """Do one clock."""
        running, index, rest = self.running, self._index, self._rest
        if load:
            self.running, self._rest = True, dividend
        elif self._stop and running:
            self.running, self.ready, self.quotient = False, True, self._result
        else:
            self.ready = False
        self._stop = index == LAST
        if not running:
            self._index = self._result = 0
            return
        shift = LAST - index
        part = rest >> shift & WORD
        if part >= divisor:
            self._result |= 1 << shift
            self._rest = self._rest & ~(WORD << shift) | (part - divisor) << shift
        self._index = min(index + 1, LAST)

    @property
    def ticks_left(self) -> int:
        """Count the clocks up to the one that gives the quotient, if nothing is loaded."""
        return 1 if self._stop else LAST - self._index + 2

    @property
    def full(self) -> bool:
        """Whether more loads change nothing but the last bit."""
        return self._stop and self._index == LAST

    def keeps(self, dividend: int, divisor: int) -> bool:
        """Whether neither what was loaded nor this, to be loaded next, sets the last bit."""
        return max(self._rest & WORD, dividend & WORD) < divisor

    @property
    def odd(self) -> bool:
        return bool(self._result & 1)
