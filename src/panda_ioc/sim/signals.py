"""What the simulated PandA captures: every sample is a function of its index.

With i the index of a sample in its acquisition, p = i mod PERIOD and `ticks` clock ticks a sample
(`ticks_per_sample(rate)`), the signal v of a position is

    a COUNTER     START + STEP * p, wrapped into MIN..MAX where MAX > MIN; a STEP of 0 counts as 1
    any other     round(AMPLITUDE * sin(2 pi (p / PERIOD + f))), f from 0 to 1 by its name

and its gate is open for n = ticks (less 1 if odd) ticks, half of them at v - d, half at v + d, with
d = 1 + p mod 7. So what is captured is, all in raw units and before `PCAP.SHIFT_SUM`:

    Value v   Diff d   Min v - d   Max v + d   Sum n v   Mean n v   StdDev n (v^2 + d^2)
    GATE_DURATION n   TS_START i ticks   TS_END, TS_TRIG i ticks + n
    BITSk    (p * 0x9E3779B1 + k * 0x01000193) mod 2^32

The mean is exactly v and the standard deviation exactly d. SHIFT_SUM shifts sums and duration
right. In ramp mode none of this holds: word j of sample i is (i * words + j) mod 2^32.
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from panda_ioc.sim.captured import CapturedColumn
from panda_ioc.sim.numbers import CLOCK_FREQUENCY

PERIOD = 1 << 14
AMPLITUDE = 1_000_000
UNLIMITED_TICKS = 125

Words = npt.NDArray[np.uint32]
Integers = npt.NDArray[np.int64]
V = TypeVar("V", int, Integers)
# START, STEP, MIN and MAX of a counter.
Limits = tuple[int, int, int, int]

_SIDE = {"Min": -1, "Value": 0, "Max": 1}
_MASK = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def ticks_per_sample(rate: float) -> int:
    """Return clock ticks between samples at a rate in samples/s; 0 is the unlimited rate."""
    if not rate:
        return UNLIMITED_TICKS
    return int(min(max(CLOCK_FREQUENCY / rate, 2), 2**30))


def wrap(value: V, low: int, high: int) -> V:
    """Return a counter's value, or values, rolled over between MIN and MAX."""
    return low + (value - low) % (high - low + 1) if high > low else value


def position(name: str, index: int, counter: Limits | None = None) -> int:
    """Return the signal v of one sample."""
    return int(_positions(name, np.array([index], np.int64), counter)[0])


def _positions(name: str, indices: Integers, counter: Limits | None) -> Integers:
    phase = indices % PERIOD
    if counter:
        return _counter(phase, *counter)
    fraction = zlib.crc32(name.encode()) / 2**32
    sine = np.sin(2 * math.pi * (phase / PERIOD + fraction))
    return np.asarray(np.rint(AMPLITUDE * sine), np.int64)


def _counter(phase: Integers, start: int, step: int, low: int, high: int) -> Integers:
    values = wrap(start + (step or 1) * phase, low, high)
    return values.astype(np.int32).astype(np.int64)


@dataclass(frozen=True)
class Source:
    """All that one raw column depends on, besides the index."""

    name: str
    kind: str
    ticks: int = UNLIMITED_TICKS
    shift: int = 0
    counter: Limits | None = None

    @property
    def gate(self) -> int:
        """Clock ticks for which a sample is summed up: an even number."""
        return self.ticks - self.ticks % 2

    def raw(self, start: int, stop: int) -> Integers:
        """Return raw values of samples start..stop-1; of StdDev use `words` or `sum_of_squares`."""
        indices = np.arange(start, stop, dtype=np.int64)
        field = self.name.rpartition(".")[2]
        if field.startswith("TS_"):
            return indices * self.ticks + (0 if field == "TS_START" else self.gate)
        if field == "GATE_DURATION":
            return np.full(stop - start, self.gate >> self.shift, np.int64)
        if self.name.startswith("PCAP.BITS"):
            return self._bits(indices, int(field[len("BITS") :]))
        return self._position(indices)

    def _bits(self, indices: Integers, word: int) -> Integers:
        return ((indices % PERIOD) * 0x9E3779B1 + word * 0x01000193) & 0xFFFFFFFF

    def _position(self, indices: Integers) -> Integers:
        value = _positions(self.name, indices, self.counter)
        spread = 1 + (indices % PERIOD) % 7
        if self.kind in ("Sum", "Mean"):
            return np.asarray((value * self.gate) >> self.shift)
        if self.kind == "Diff":
            return spread
        return value + spread * _SIDE[self.kind]

    def _square_words(self, start: int, stop: int) -> tuple[npt.NDArray[np.uint64], ...]:
        indices = np.arange(start, stop, dtype=np.int64)
        value = _positions(self.name, indices, self.counter)
        spread = 1 + (indices % PERIOD) % 7
        squares = (value * value + spread * spread).astype(np.uint64)
        gate = np.uint64(self.gate)
        low = (squares & _MASK) * gate
        high = (squares >> _32) * gate + (low >> _32)
        return low & _MASK, high & _MASK, high >> _32

    def sum_of_squares(self, start: int, stop: int) -> list[int]:
        """Return raw StdDev values of samples start..stop-1, as Python integers of 96 bits."""
        low, middle, high = (words.tolist() for words in self._square_words(start, stop))
        return [
            (a | b << 32 | c << 64) >> self.shift for a, b, c in zip(low, middle, high, strict=True)
        ]

    def words(self, start: int, stop: int) -> Words:
        """Return the column as the hardware sends it: shape (samples, words of the column)."""
        if self.kind == "StdDev":
            values = self.sum_of_squares(start, stop)
            data = b"".join(value.to_bytes(12, "little") for value in values)
            return np.frombuffer(data, "<u4").reshape(-1, 3)
        raw = self.raw(start, stop)
        wide = self.kind in ("Sum", "Mean") or ".TS_" in self.name
        return raw.view("<u4").reshape(-1, 2)[:, : 2 if wide else 1]


def signal_words(
    columns: Sequence[CapturedColumn],
    rate: float,
    shift: int,
    counters: Mapping[str, Limits],
    start: int,
    stop: int,
) -> Words:
    """Return columns of samples start..stop-1: shape (samples, words of the columns)."""
    ticks = ticks_per_sample(rate)
    sources = [
        Source(column.name, column.kind, ticks, shift, counters.get(column.name))
        for column in columns
    ]
    return np.hstack([source.words(start, stop) for source in sources])


def ramp_words(total: int, start: int, stop: int) -> Words:
    """Return samples start..stop-1 of `total` words that count on and on."""
    return (np.arange(start * total, stop * total) & 0xFFFFFFFF).astype("<u4").reshape(-1, total)


def is_periodic(column: CapturedColumn) -> bool:
    """Tell whether the column repeats after PERIOD samples."""
    return ".TS_" not in column.name
