"""PULSE: triggers that it dropped, and settings that the FPGA changes."""

from collections.abc import Iterator

import numpy as np

from panda_ioc.commands.rehearse.checks.factor import units_hint
from panda_ioc.commands.rehearse.finding import Finding, Scene, error, note, warning
from panda_ioc.timing.times import show_time
from panda_ioc.timing.trace import Ticks, Trace

_SHORTEST = 5


def check(scene: Scene) -> Iterator[Finding]:
    """Find what is wrong with pulses."""
    for name in scene.bench.blocks("PULSE"):
        dropped = _dropped(scene.course.recording.trace(f"{name}.DROPPED"))
        if dropped:
            yield _blocked(scene, name, dropped)
        if scene.course.recording.changed(f"{name}.OUT"):
            yield from _changed_settings(scene, name)


def _dropped(counts: Trace) -> int:
    """Sum the triggers that were dropped; each enable begins to count anew."""
    steps = np.diff(np.concatenate([[counts.first], counts.values]))
    return int(steps[steps > 0].sum())


def _blocked(scene: Scene, name: str, dropped: int) -> Finding:
    source = scene.bench.wire(f"{name}.TRIG").source
    edges = _edges(scene, name)
    busy = _busy(scene, name)
    gap = int(np.diff(edges).min()) if len(edges) > 1 else 0
    ratio = busy / gap if gap else 0.0
    hint = units_hint(ratio, f"{name}.WIDTH ({scene.bench.units(f'{name}.WIDTH')})")
    return error(
        name,
        f"dropped {dropped} of {len(edges)} triggers ({source}): a pulse takes"
        f" {show_time(busy)}, triggers come {show_time(gap)} apart",
        hint or f"make {name}.WIDTH (or PULSES, STEP) shorter, or the points longer",
    )


def _edges(scene: Scene, name: str) -> Ticks:
    trace = scene.course.recording.trace(scene.bench.wire(f"{name}.TRIG").source)
    edge = scene.bench.raw(f"{name}.TRIG_EDGE")
    return (trace.rises, trace.falls, trace.ticks)[min(edge, 2)]


def _busy(scene: Scene, name: str) -> int:
    """Return for how many ticks a trigger keeps others out."""
    width, step = _times(scene, name)
    pulses = scene.bench.raw(f"{name}.PULSES") or 1
    return max(step, width + 1) * (pulses - 1) + width


def _times(scene: Scene, name: str) -> tuple[int, int]:
    width = scene.bench.raw(f"{name}.WIDTH")
    return (max(width, _SHORTEST) if width else 0), scene.bench.raw(f"{name}.STEP")


def _changed_settings(scene: Scene, name: str) -> Iterator[Finding]:
    width, step = _times(scene, name)
    pulses = scene.bench.raw(f"{name}.PULSES")
    if pulses > 1 and step <= width:
        yield error(
            name,
            f"STEP ({show_time(step)}) is not longer than WIDTH ({show_time(width)}): the FPGA"
            f" makes it {show_time(width + 1)}, so {pulses} pulses run into one another",
            f"set {name}.STEP to the time from one pulse to the next",
        )
    edges = _edges(scene, name)
    gap = int(np.diff(edges).min()) if len(edges) > 1 else 0
    hint = units_hint(gap / width, f"{name}.WIDTH") if width and gap > width else ""
    if hint:
        yield note(name, f"pulses of {show_time(width)}, triggers {show_time(gap)} apart", hint)
    for field in ("WIDTH", "DELAY"):
        raw = scene.bench.raw(f"{name}.{field}")
        if 0 < raw < _SHORTEST:
            yield warning(
                name, f"{field} of {show_time(raw)} is made {show_time(_SHORTEST)} by the FPGA"
            )
