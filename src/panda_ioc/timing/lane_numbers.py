"""Positions as steps or curves with numbers, states as boxes with their names."""

from collections.abc import Callable, Iterator

import numpy as np

from panda_ioc.timing.axis import View
from panda_ioc.timing.shapes import Box, LineShape, Point, Shape, Word, width_of
from panda_ioc.timing.trace import Ticks, Trace

_INK, _TEXT, _FILL, _EDGE = "#1f4e9e", "#3a5a92", "#e8eef8", "#7c93b8"
_SIZE = 10.0
# Steps that are drawn one by one; with more only the extremes of each pixel.
_MOST = 600

Height = Callable[[float], float]


def position_shapes(view: View, trace: Trace, top: float, bottom: float) -> Iterator[Shape]:
    """Yield a position in its lane, between its extremes in the window."""
    start, end = view.diagram.start, view.diagram.end
    low, high = trace.extremes(start, end)
    yield Word(view.right + 6, top + 8, str(high), _TEXT, _SIZE)
    if low != high:
        yield Word(view.right + 6, bottom, str(low), _TEXT, _SIZE)

    def y(value: float) -> float:
        part = (value - low) / (high - low) if high > low else 0.5
        return bottom - part * (bottom - top)

    inside = (trace.ticks > start) & (trace.ticks < end)
    ticks, values = trace.ticks[inside], trace.values[inside]
    if trace.is_line:
        yield LineShape(_curve(view, trace, y), _INK)
    elif len(ticks) > _MOST:
        yield LineShape(_band(view, ticks, values, y), _INK, 1.0)
    else:
        levels = [trace.at(start), *values.tolist()]
        edges = [start, *ticks.tolist(), end]
        yield from _steps(view, levels, edges, y, bottom)


def _curve(view: View, trace: Trace, y: Height) -> tuple[Point, ...]:
    start, end = view.diagram.start, view.diagram.end
    inside = (trace.ticks > start) & (trace.ticks < end)
    ticks = [start, *trace.ticks[inside].tolist(), end - 1]
    values = [trace.at(start), *trace.values[inside].tolist(), trace.at(end - 1)]
    return tuple((view.x(tick), y(value)) for tick, value in zip(ticks, values, strict=True))


def _band(view: View, ticks: Ticks, values: Ticks, y: Height) -> tuple[Point, ...]:
    """Return the extremes of each pixel."""
    columns = view.column(ticks)
    begins = np.flatnonzero(np.diff(columns, prepend=-1))
    lows, highs = np.minimum.reduceat(values, begins), np.maximum.reduceat(values, begins)
    points: list[Point] = []
    for column, low, high in zip(columns[begins].tolist(), lows, highs, strict=True):
        points += [(view.left + column, y(float(low))), (view.left + column, y(float(high)))]
    return tuple(points)


def _steps(
    view: View, levels: list[int], edges: list[int], y: Height, bottom: float
) -> Iterator[Shape]:
    points: list[Point] = []
    for level, begin, end in zip(levels, edges, edges[1:], strict=False):
        points += [(view.x(begin), y(level)), (view.x(end), y(level))]
        text, room = str(level), view.x(end) - view.x(begin)
        if len(levels) > 1 and room > width_of(text, _SIZE) + 4:
            above = y(level) - 3
            base = above if above > bottom - 25 else y(level) + 11
            yield Word(view.x((begin + end) / 2), base, text, _TEXT, _SIZE, "middle")
    yield LineShape(tuple(points), _INK)


def state_shapes(view: View, trace: Trace, top: float, bottom: float) -> Iterator[Shape]:
    """Yield the states of a block in its lane."""
    start, end = view.diagram.start, view.diagram.end
    inside = (trace.ticks > start) & (trace.ticks < end)
    ticks, values = trace.ticks[inside].tolist(), trace.values[inside].tolist()
    edges = [start, *ticks, end]
    last = -1.0
    for level, begin, until in zip([trace.at(start), *values], edges, edges[1:], strict=False):
        x, room = view.x(begin), view.x(until) - view.x(begin)
        if room < 1 and x - last < 1:
            continue
        last = x
        yield Box(x, top, max(room, 0.5), bottom - top, _FILL)
        yield LineShape(((x, top), (x, bottom)), _EDGE, 1.0)
        text = trace.text(level)
        if room > width_of(text, _SIZE) + 6:
            yield Word(x + room / 2, (top + bottom) / 2 + 4, text, _TEXT, _SIZE, "middle")
