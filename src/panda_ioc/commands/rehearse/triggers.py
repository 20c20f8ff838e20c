"""Which triggers PCAP captured, and which it lost.

A trigger acts in PCAP 3 + DELAY ticks after the bus. Its row leaves 5 ticks later, one word a tick:
so triggers closer than that end the capture, and a trigger that acts up to 3 ticks before ENABLE
falls leaves no row.
"""

from dataclasses import dataclass

import numpy as np

from panda_ioc.timing.trace import Ticks, Trace

RISING, FALLING = 0, 1
# Ticks after the end in which a trigger was meant to be captured; fewer if what triggers sees that
# PCAP has ended: so long it takes at least until that is a trigger again.
NEAR, OWN = 32, 6
NOTHING: Ticks = np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Acts:
    """PCAP's inputs at the ticks at which they act there.

    Attributes:
        trigger, enable: what they did
        edge: TRIG_EDGE
        words: words of a row
        near: ticks after the end in which a trigger was meant to be captured
    """

    trigger: Trace
    enable: Trace
    edge: int
    words: int
    near: int = NEAR


@dataclass(frozen=True, eq=False)
class Triggers:
    """The triggers of an acquisition, as the ticks at which they act in PCAP.

    Attributes:
        captured: those that made a row
        close: those that came while the words of the row before were leaving
        late: those that came as ENABLE fell, or just after
        early: how many came after the arm and before ENABLE rose
        after: how many came when it was over, long after
        smallest: least distance of two that were to be captured, None if there are not two
        smallest_at: the later of these two
        words: words of a row, and so the least distance that PCAP can take
        enabled, disabled: when ENABLE rose and fell in the acquisition, None if it did not
    """

    captured: Ticks
    close: Ticks
    late: Ticks
    early: int
    after: int
    smallest: int | None
    smallest_at: int | None
    words: int
    enabled: int | None
    disabled: int | None

    @property
    def lost(self) -> Ticks:
        """All that made no row, though they were meant to."""
        return np.sort(np.concatenate([self.close, self.late]))


def sort_triggers(acts: Acts, armed: int, ended: int | None, rows: int) -> Triggers:
    """Tell what became of the triggers.

    Args:
        acts: PCAP's inputs
        armed: the tick of the arm
        ended: the last tick of the acquisition, None if it goes on
        rows: how many were captured
    """
    end = np.iinfo(np.int64).max if ended is None else ended
    pulses = _gated_edges(acts)
    pulses = pulses[pulses > armed]
    meant, beyond = pulses[pulses <= end], pulses[pulses > end]
    gaps, lost = np.diff(meant), meant[rows:]
    close = meant[1:][gaps < acts.words] if acts.words > 1 else NOTHING
    close = np.intersect1d(close, lost)
    edges = _edges(acts.trigger, acts.edge)
    enabled = armed if acts.enable.at(armed) else _first(acts.enable.rises, armed)
    disabled = None if enabled is None else _first(acts.enable.falls, enabled)
    near = edges[(edges > end) & (edges <= end + acts.near)] if ended is not None else NOTHING
    # Where something else ended it, triggers are not lost because of ENABLE.
    fell = disabled is not None and disabled <= end and ended is not None
    late = np.union1d(np.setdiff1d(lost, close), near) if fell else NOTHING
    least = int(gaps.argmin()) if len(gaps) else None
    return Triggers(
        captured=meant[:rows],
        close=close,
        late=late,
        early=int(((edges > armed) & (edges < (end if enabled is None else enabled))).sum()),
        after=len(np.setdiff1d(np.union1d(beyond, edges[edges > end]), late)),
        smallest=None if least is None else int(gaps[least]),
        smallest_at=None if least is None else int(meant[least + 1]),
        words=acts.words,
        enabled=enabled,
        disabled=disabled,
    )


def _gated_edges(acts: Acts) -> Ticks:
    """Find the edges of TRIG and ENABLE together, which is what PCAP looks at."""
    ticks = np.union1d(acts.trigger.ticks, acts.enable.ticks)
    levels = acts.trigger.levels(ticks) & acts.enable.levels(ticks)
    before = acts.trigger.first & acts.enable.first
    return _chosen(ticks, levels, before, acts.edge)


def _edges(trace: Trace, edge: int) -> Ticks:
    return _chosen(trace.ticks, trace.values, trace.first, edge)


def _chosen(ticks: Ticks, levels: Ticks, before: int, edge: int) -> Ticks:
    steps = np.diff(np.concatenate([[before], levels]))
    wanted = steps > 0 if edge == RISING else steps < 0 if edge == FALLING else steps != 0
    return ticks[wanted]


def _first(ticks: Ticks, after: int) -> int | None:
    later = ticks[ticks > after]
    return int(later[0]) if len(later) else None
