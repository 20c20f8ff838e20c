"""Arm, run the twin as fast as it can, and keep all that happens."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from panda_ioc.commands.rehearse.bench import Bench
from panda_ioc.commands.rehearse.recording import Recording
from panda_ioc.commands.rehearse.rows import LocalData, RowStore
from panda_ioc.commands.rehearse.triggers import NEAR, OWN, Acts, Triggers, sort_triggers
from panda_ioc.errors import CommandError
from panda_ioc.protocol.commands import Arm, Disarm
from panda_ioc.sim.twin.trajectory import Trajectory
from panda_ioc.timing.times import TICKS_PER_SECOND

# Events between two looks at the rows and at the progress.
_EVENTS = 20_000
# Ticks for which it goes on after the end: at least, and as a part of what went before.
_LEAST_REST, _REST = TICKS_PER_SECOND // 1000, 20
# Ticks between arming and what follows it.
_SETTLE = 125


@dataclass(frozen=True)
class Course:
    """How a rehearsal went.

    Attributes:
        recording: what the blocks did
        armed: the tick of the arm
        stopped: the tick at which the rehearsal ended
        ended: the last tick of the acquisition, None if it did not end by itself
        idle: from which tick on nothing happened, None if something always did
        refused: why PCAP was not armed, "" if it was
        interrupted: somebody pressed Ctrl-C
        triggers: what became of the triggers
    """

    recording: Recording
    armed: int
    stopped: int
    ended: int | None
    idle: int | None
    refused: str
    interrupted: bool
    triggers: Triggers


class Runner:
    """One rehearsal on a bench that is set up.

    Args:
        bench: the PandA
        rows: takes the rows
        motions: what moves from the arm on
        on_progress: called now and then with the ticks since the arm and the rows so far
    """

    def __init__(
        self,
        bench: Bench,
        rows: RowStore,
        motions: Mapping[str, Trajectory],
        on_progress: Callable[[int, int], None],
    ) -> None:
        self._bench = bench
        self._rows = rows
        self._on_progress = on_progress
        self._recording = Recording(bench, motions)
        self._idle: int | None = None
        self._armed = bench.now

    def run(self, most: int, after_arm: Sequence[tuple[str, str]] = ()) -> Course:
        """Arm, and run for at most so many ticks.

        Args:
            most: ticks after the arm
            after_arm: fields and values to put once PCAP is armed
        """
        # Before the arm: an acquisition may be over at once.
        data = LocalData(self._bench.machine.capture)
        refused, interrupted = self._arm(), False
        try:
            if not refused:
                self._put(after_arm)
                self._work(data, self._armed + most)
        except KeyboardInterrupt:
            interrupted = True
        stopped, ended = self._bench.now, self._ended()
        if not refused and ended is None:
            self._bench.client.send(Disarm())
        self._take(data)
        data.close()
        self._recording.stop(self._armed, stopped)
        triggers = self._triggers(ended, stopped)
        return Course(
            *(self._recording, self._armed, stopped, ended, self._idle),
            *(refused, interrupted, triggers),
        )

    def _arm(self) -> str:
        try:
            self._bench.client.send(Arm())
        except CommandError as error:
            return error.reason
        finally:
            self._armed = self._bench.now
        rises = self._recording.trace("PCAP.ACTIVE").rises
        self._armed = int(rises[0]) - 1 if len(rises) else self._bench.now
        return ""

    def _put(self, settings: Sequence[tuple[str, str]]) -> None:
        if settings:
            self._bench.hardware.run_until(self._bench.now + _SETTLE, _EVENTS)
        for name, value in settings:
            self._bench.put(name, value)

    def _work(self, data: LocalData, end: int) -> None:
        """Run until the acquisition is over, and then some ticks more."""
        while self._bench.now < end:
            self._step(data, end)
            if self._rows.reason:
                break
        rest = max(_LEAST_REST, (self._bench.now - self._armed) // _REST)
        end = min(end, self._bench.now + rest)
        while self._bench.now < end:
            self._step(data, end)

    def _step(self, data: LocalData, end: int) -> None:
        self._bench.hardware.run_until(self._next_stop(end), _EVENTS)
        self._take(data)
        self._on_progress(self._bench.now - self._armed, self._rows.count)

    def _next_stop(self, end: int) -> int:
        """Return how far to run: not far beyond the next event, as it may be the last."""
        ticks = self._bench.network.board.engine.ticks
        if not ticks:
            self._idle = self._idle or self._bench.now
            return end
        return min(end, ticks[0] + _LEAST_REST)

    def _take(self, data: LocalData) -> None:
        for event in data.poll():
            self._rows.take(event)

    def _ended(self) -> int | None:
        falls = self._recording.trace("PCAP.ACTIVE").falls
        return int(falls[0]) - 1 if len(falls) else None

    def _triggers(self, ended: int | None, stopped: int) -> Triggers:
        wires = (self._bench.wire("PCAP.TRIG"), self._bench.wire("PCAP.ENABLE"))
        trigger, enable = (self._recording.trace(w.source).later(w.latency) for w in wires)
        start = self._rows.start
        words = start.sample_bytes // 4 if start else 0
        near = OWN if self._follows_pcap(wires[0].source) else NEAR
        acts = Acts(trigger, enable, self._bench.raw("PCAP.TRIG_EDGE"), words, near)
        return sort_triggers(acts, self._armed, ended, self._rows.count)

    def _follows_pcap(self, source: str) -> bool:
        """Tell whether an output's block is wired to PCAP.ACTIVE."""
        block = source.partition(".")[0]
        wires = self._bench.wires()
        return any(
            wire.source == "PCAP.ACTIVE" and wire.target.startswith(f"{block}.") for wire in wires
        )
