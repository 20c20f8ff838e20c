"""Dead times of detectors: how long a signal has to be low between two pulses."""

from collections.abc import Iterator

from panda_ioc.commands.rehearse.finding import Finding, Scene, error
from panda_ioc.timing.times import show_time
from panda_ioc.timing.trace import Ticks, Trace


def check(scene: Scene) -> Iterator[Finding]:
    """Find pulses that come before a detector is ready."""
    for name, ticks in scene.dead_times.items():
        trace = signal(scene, name)
        if not len(trace.rises):
            yield error(name, "never rose, so its detector is never exposed")
            continue
        gaps = _gaps(trace)
        short = gaps < ticks
        if short.any():
            yield error(
                name,
                f"{int(short.sum())} of {len(gaps)} times it is low for only"
                f" {show_time(int(gaps.min()))} between pulses, its detector needs"
                f" {show_time(ticks)}",
                "make the exposure shorter, or the points longer",
            )


def signal(scene: Scene, name: str, window: tuple[int, int] | None = None) -> Trace:
    """Return what a signal does; an output terminal does what it is wired to."""
    recording = scene.course.recording
    if name in recording.names:
        return recording.trace(name, window)
    wire = scene.bench.wire(name)
    return recording.trace(wire.source, window).later(wire.latency, name)


def _gaps(trace: Trace) -> Ticks:
    """Return how long it was low between pulses."""
    ticks = trace.ticks[1:] if trace.first else trace.ticks
    falls, rises = ticks[1::2], ticks[2::2]
    return rises - falls[: len(rises)]
