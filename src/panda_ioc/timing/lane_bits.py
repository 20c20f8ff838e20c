"""Bits as levels. Where they change faster than pixels can show, they are grey."""

from collections.abc import Iterator

import numpy as np

from panda_ioc.timing.axis import View
from panda_ioc.timing.shapes import Box, LineShape, Point, Shape
from panda_ioc.timing.trace import Ticks, Trace

_INK, _HIGH, _BUSY = "#1b7f3b", "#dff2e4", "#8fc7a1"
# Changes in a pixel that can still be seen.
_SEEN = 2


def bit_shapes(view: View, trace: Trace, top: float, bottom: float) -> Iterator[Shape]:
    """Yield the levels of a bit in its lane."""
    start, end = view.diagram.start, view.diagram.end
    inside = trace.ticks[(trace.ticks > start) & (trace.ticks < end)]
    runs = _busy_runs(view, inside)
    column = 0
    for first, last in [*runs, (view.columns, view.columns)]:
        if first > column:
            tick, until = view.tick(column), min(view.tick(first), end)
            yield from _levels(view, trace, (tick, until), top, bottom)
        if last > first:
            yield Box(view.left + first, top, last - first, bottom - top, _BUSY)
        column = last


def _busy_runs(view: View, ticks: Ticks) -> list[tuple[int, int]]:
    """Return first and last + 1 of the columns with too many changes."""
    counts = np.bincount(view.column(ticks), minlength=view.columns)
    edges = np.diff(np.concatenate([[0], (counts > _SEEN).astype(int), [0]]))
    begins, ends = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
    return list(zip(begins.tolist(), ends.tolist(), strict=True))


def _levels(
    view: View, trace: Trace, span: tuple[int, int], top: float, bottom: float
) -> Iterator[Shape]:
    start, end = span
    level, tick = trace.at(start), start
    points: list[Point] = [(view.x(start), top if level else bottom)]
    changes = trace.ticks[(trace.ticks > start) & (trace.ticks < end)].tolist()
    for at in [*changes, end]:
        if level:
            yield Box(view.x(tick), top, view.x(at) - view.x(tick), bottom - top, _HIGH)
        points.append((view.x(at), top if level else bottom))
        if at != end:
            level, tick = 1 - level, at
            points.append((view.x(at), top if level else bottom))
    yield LineShape(tuple(points), _INK)
