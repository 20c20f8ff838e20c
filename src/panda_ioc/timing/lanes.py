"""A diagram as a picture: a time axis, a lane for each signal, marks at the bottom."""

from collections.abc import Iterator
from itertools import accumulate, pairwise

from panda_ioc.timing.axis import View, axis_shapes
from panda_ioc.timing.diagram import Diagram, Marks
from panda_ioc.timing.lane_bits import bit_shapes
from panda_ioc.timing.lane_numbers import position_shapes, state_shapes
from panda_ioc.timing.shapes import Box, LineShape, Picture, Point, Shape, Word, width_of
from panda_ioc.timing.trace import Trace, TraceKind

_DRAWERS = {
    TraceKind.BIT: bit_shapes,
    TraceKind.POSITION: position_shapes,
    TraceKind.STATE: state_shapes,
}
_HEIGHTS = {TraceKind.BIT: 26.0, TraceKind.POSITION: 44.0, TraceKind.STATE: 28.0}
_MARK_HEIGHT = 32.0
_WIDTH, _HEAD, _FOOT, _RIGHT = 1200.0, 58.0, 14.0, 78.0
_LABEL, _BAND = 12.0, "#f6f8fa"
_GOOD, _BAD = "#2e7d32", "#c62828"
# Marks that are drawn through all lanes.
_FEW = 60
# Numbers: their size, pixels that one needs with what is around it, pixels between two.
_SMALL, _NUMBER_ROOM, _GAP = 10.0, 30.0, 6.0
_ROUND = [digit * 10**power for power in range(12) for digit in (1, 2, 5)]
_CROSS = 4.5


def picture_of(diagram: Diagram) -> Picture:
    """Lay out a diagram."""
    names = [trace.name for trace in diagram.traces] + [marks.name for marks in diagram.marks]
    left = max((width_of(name, _LABEL) for name in names), default=0.0) + 24
    heights = [_HEIGHTS[trace.kind] for trace in diagram.traces]
    heights += [_MARK_HEIGHT for _ in diagram.marks]
    tops = list(accumulate(heights, initial=_HEAD))
    view = View(diagram, left, _WIDTH - _RIGHT, _HEAD, tops[-1])
    shapes = [
        *_bands(tops),
        *axis_shapes(view),
        *_marks_through(view, diagram),
        *_lanes(view, diagram, tops),
    ]
    return Picture(_WIDTH, tops[-1] + _FOOT, tuple(shapes))


def _bands(tops: list[float]) -> Iterator[Shape]:
    """Yield a light band behind every other lane."""
    for number, (top, bottom) in enumerate(pairwise(tops)):
        if number % 2:
            yield Box(0, top, _WIDTH, bottom - top, _BAND)


def _lanes(view: View, diagram: Diagram, tops: list[float]) -> Iterator[Shape]:
    lanes: list[Trace | Marks] = [*diagram.traces, *diagram.marks]
    for lane, top, bottom in zip(lanes, tops, tops[1:], strict=False):
        color = _BAD if isinstance(lane, Marks) and lane.is_bad else "#222222"
        middle = (top + bottom) / 2 + 4
        yield Word(view.left - 10, middle, lane.name, color, _LABEL, "end")
        if isinstance(lane, Marks):
            yield from _mark_shapes(view, lane, top, bottom)
        else:
            yield from _DRAWERS[lane.kind](view, lane, top + 5, bottom - 5)


def _marks_through(view: View, diagram: Diagram) -> Iterator[Shape]:
    for marks in diagram.marks:
        inside = marks.within(diagram.start, diagram.end).ticks
        if len(inside) <= _FEW:
            for tick in inside.tolist():
                points = ((view.x(tick), view.top), (view.x(tick), view.bottom))
                color = "#ef9a9a" if marks.is_bad else "#a5d6a7"
                yield LineShape(points, color, 1.0, is_dashed=True)


def _mark_shapes(view: View, marks: Marks, top: float, bottom: float) -> Iterator[Shape]:
    color = _BAD if marks.is_bad else _GOOD
    shown = _thinned(view, marks)
    for tick in shown:
        if marks.is_bad:
            yield from _cross(view.x(tick), (top + bottom) / 2, color)
        else:
            yield from _flag(view.x(tick), top, bottom, color)
    if not marks.is_bad:
        yield from _numbers(view, marks, top, color)


def _numbers(view: View, marks: Marks, top: float, color: str) -> Iterator[Shape]:
    """Yield the numbers of marks, as many as there is room for."""
    free = view.left
    before = int((marks.ticks < view.diagram.start).sum())
    inside = marks.within(view.diagram.start, view.diagram.end).ticks.tolist()
    step = next(s for s in _ROUND if s * (view.columns + 1) >= len(inside) * _NUMBER_ROOM)
    for number, tick in enumerate(inside, before + 1):
        text, x = str(number), view.x(tick)
        half = width_of(text, _SMALL) / 2
        if x - half >= free and (number % step == 0 or number == 1):
            yield Word(x, top + 11, text, color, _SMALL, "middle")
            free = x + half + _GAP


def _thinned(view: View, marks: Marks) -> list[int]:
    """Return one mark for each pixel at most."""
    found: list[int] = []
    last = -1
    for tick in marks.within(view.diagram.start, view.diagram.end).ticks.tolist():
        pixel = int(view.x(tick))
        if pixel != last or len(marks.ticks) <= _FEW:
            found.append(tick)
            last = pixel
    return found


def _flag(x: float, top: float, bottom: float, color: str) -> Iterator[Shape]:
    yield LineShape(((x, top + 15), (x, bottom - 5)), color, 1.6)
    points: tuple[Point, ...] = ((x - 3, bottom - 9), (x, bottom - 5), (x + 3, bottom - 9))
    yield LineShape(points, color, 1.6)


def _cross(x: float, y: float, color: str) -> Iterator[Shape]:
    for side in (1, -1):
        yield LineShape(
            ((x - _CROSS, y - side * _CROSS), (x + _CROSS, y + side * _CROSS)), color, 2.0
        )
