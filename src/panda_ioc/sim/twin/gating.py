"""What PCAP notes of gate and trigger themselves: timestamps and samples."""

TS_START, TS_END, TS_TRIG = 0, 2, 4
SAMPLES = 6
BITS = 7
WORDS = 11
NEVER = -1


class Gating:
    """Timestamps and the number of samples; `words` are those of the last capture.

    Unlike the others, TS_END stays open for one more tick: a gate that falls in the tick after a
    capture still shows in its row, as the row is put together two ticks after the trigger.
    """

    def __init__(self) -> None:
        self.words = [0] * WORDS
        self._done = 0
        self._gate = 0
        self._samples = 0
        self._started = self._ended = False
        self._start = 0

    def step(self, tick: int, on: bool, gate: int, pulse: bool, timestamp: int, shift: int) -> None:
        """Take in period `tick`; the arguments are those of `Column.step`."""
        if self._gate:
            self._samples += tick - self._done
        if pulse:
            self.words[SAMPLES] = self._samples >> shift & 0xFFFF_FFFF
            self._set(TS_TRIG, timestamp)
            self._set(TS_START, self._start)
        self._step_start(on, gate, pulse, timestamp)
        self._step_end(on, gate, pulse, timestamp)
        if pulse or not on:
            self._samples = 0
        self._samples += gate
        self._gate = gate
        self._done = tick + 1

    def _step_start(self, on: bool, gate: int, pulse: bool, timestamp: int) -> None:
        if not on:
            self._started = False
        elif pulse or (not self._started and gate and not self._gate):
            self._started = bool(gate)
            self._start = timestamp if gate else NEVER

    def _step_end(self, on: bool, gate: int, pulse: bool, timestamp: int) -> None:
        if not on:
            self._ended = False
        elif self._gate and not gate:
            self._ended = self._ended or not pulse
            self._set(TS_END, timestamp)
        elif pulse:
            if gate or not self._ended:
                self._set(TS_END, timestamp if gate else NEVER)
            self._ended = False

    def _set(self, index: int, timestamp: int) -> None:
        self.words[index] = timestamp & 0xFFFF_FFFF
        self.words[index + 1] = timestamp >> 32 & 0xFFFF_FFFF
