"""All that the blocks do in a rehearsal: every change of their outputs."""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from panda_ioc.commands.rehearse.bench import Bench
from panda_ioc.sim.fields import BitOut
from panda_ioc.sim.twin.outputs import Change, Output
from panda_ioc.sim.twin.trajectory import Trajectory
from panda_ioc.timing.trace import Trace, TraceKind, constant

# Changes of one output that are kept: the first ones.
MOST = 8_000_000
# Steps of what moves by itself that are looked up, and points of its curve if there are more.
EXACT, POINTS = 1200, 1500
# Ticks from the arm to the begin of a motion, which follows PCAP.ACTIVE as a block's output.
STARTS_AFTER = 4


@dataclass
class _Track:
    output: Output
    first: int
    ticks: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[int]" = field(default_factory=lambda: array("q"))

    def note(self, change: Change) -> None:
        if len(self.ticks) < MOST:
            self.ticks.append(change[0])
            self.values.append(change[2])


class Recording:
    """Keeps the changes of all outputs, from the moment that it is made.

    Args:
        bench: whose outputs
        motions: what moves by itself; the trajectory knows where it is, and is asked afterwards
    """

    def __init__(self, bench: Bench, motions: Mapping[str, Trajectory]) -> None:
        self._bench = bench
        self._motions = motions
        self._armed = self._stopped = bench.now
        self._kinds = _kinds(bench)
        self._tracks: dict[str, _Track] = {}
        for block in bench.network.blocks.values():
            for output in block.outputs.values():
                self._tracks[output.name] = _Track(output, output.value)
                if output.name not in motions:
                    output.record = self._tracks[output.name].note

    @property
    def names(self) -> list[str]:
        """The outputs, in the order of the PandA."""
        return list(self._tracks)

    def changed(self, name: str) -> bool:
        """Tell whether an output has changed."""
        return name in self._motions or len(self._tracks[name].ticks) > 0

    def was_high(self, name: str) -> bool:
        """Tell whether a bit was high at any time."""
        track = self._tracks[name]
        return bool(track.first) or len(track.ticks) > 0

    def trace(self, name: str, window: tuple[int, int] | None = None) -> Trace:
        """Return what an output did; ZERO and ONE are outputs, too.

        Args:
            name: of the output
            window: ticks that matter, of what moves by itself; None for the whole rehearsal
        """
        if name in ("ZERO", "ONE"):
            return constant(name, int(name == "ONE"))
        if name in self._motions:
            return self._curve(name, *(window or (self._armed, self._stopped)))
        track = self._tracks[name]
        labels = self._bench.labels(name)
        return Trace.of(name, self._kinds[name], track.first, track.ticks, track.values, labels)

    def value(self, name: str, tick: int) -> int:
        """Return the level of an output in a period."""
        if name in self._motions:
            return self._motions[name].value(tick - self._armed - STARTS_AFTER)
        return self.trace(name).at(tick)

    def extremes(self, name: str) -> tuple[int, int]:
        """Return the least and the largest level of an output in the rehearsal."""
        start, end = self._armed, self._stopped
        if name in self._motions:
            begin = start + STARTS_AFTER
            return self._motions[name].extremes(start - begin, max(end - begin, 1))
        return self.trace(name).extremes(start, end)

    def _curve(self, name: str, start: int, end: int) -> Trace:
        """Return each step of a motion; of a motion with very many only points."""
        motion, begin = self._motions[name], self._armed + STARTS_AFTER
        ticks = [start, *_steps(motion, start - begin, end - begin, begin)]
        is_line = len(ticks) > EXACT
        if is_line:
            ticks = np.unique(np.linspace(start, end, POINTS).astype(np.int64)).tolist()
        values = np.array([motion.value(tick - begin) for tick in ticks], np.int64)
        at = np.array(ticks, np.int64)
        return Trace(name, TraceKind.POSITION, int(values[0]), at[1:], values[1:], is_line=is_line)

    def stop(self, armed: int, stopped: int) -> None:
        """Record no more, and take over when PCAP was armed and when it all stopped."""
        self._armed, self._stopped = armed, stopped
        for track in self._tracks.values():
            if track.output.name not in self._motions:
                track.output.record = None


def _steps(motion: Trajectory, start: int, end: int, begin: int) -> Iterator[int]:
    """Yield the ticks at which a motion changes, a few more than are wanted at most."""
    tick = motion.next_change(start + 1)
    for _ in range(EXACT + 1):
        if tick is None or tick >= end:
            return
        yield tick + begin
        tick = motion.next_change(tick + 1)


def _kinds(bench: Bench) -> Mapping[str, TraceKind]:
    """Tell what each output is."""
    fields = bench.machine.state.fields
    kinds = {}
    for block in bench.network.blocks.values():
        for output in block.outputs.values():
            field = fields.get(output.name)
            is_bit = isinstance(field, BitOut)
            is_state = field is not None and bool(field.spec.labels)
            kinds[output.name] = (
                TraceKind.BIT if is_bit else TraceKind.STATE if is_state else TraceKind.POSITION
            )
    return kinds
