"""The time axis."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panda_ioc.timing.diagram import Diagram
from panda_ioc.timing.shapes import LineShape, Shape, Word
from panda_ioc.timing.times import unit_for
from panda_ioc.timing.trace import Ticks

_GRID, _INK = "#d5dbe1", "#55606b"
_STEPS = (1.0, 2.0, 5.0, 10.0)
_MARKS = 9


@dataclass(frozen=True, eq=False)
class View:
    """Where ticks are in the picture.

    Attributes:
        diagram: what is drawn
        left, right, top, bottom: of the lanes, without their names
    """

    diagram: Diagram
    left: float
    right: float
    top: float
    bottom: float

    def x(self, tick: float) -> float:
        """Return where a tick is."""
        part = (tick - self.diagram.start) / self.diagram.ticks
        return self.left + part * (self.right - self.left)

    @property
    def columns(self) -> int:
        """How many pixels wide the lanes are."""
        return int(self.right - self.left)

    def column(self, ticks: Ticks) -> NDArray[np.int64]:
        """Return the pixel columns of ticks, from 0."""
        part = (ticks - self.diagram.start) * self.columns // self.diagram.ticks
        return np.clip(part, 0, self.columns - 1)

    def tick(self, column: int) -> int:
        """Return the first tick of a pixel column."""
        return self.diagram.start + -(-column * self.diagram.ticks // self.columns)


def axis_shapes(view: View) -> Iterator[Shape]:
    """Yield the title, the grid and its times."""
    diagram = view.diagram
    unit, size = unit_for(max(abs(diagram.start - diagram.zero), abs(diagram.end - diagram.zero)))
    if diagram.ticks / size < 1e-3:
        unit, size = unit_for(diagram.ticks)
    yield Word(10, 20, diagram.title, size=14.0, is_bold=True)
    yield Word(10, view.top - 8, f"{unit} after the arm", _INK, 11.0)
    begin, end = ((tick - diagram.zero) / size for tick in (diagram.start, diagram.end))
    step = _step((end - begin) / _MARKS)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    for number in range(math.ceil(begin / step - 1e-9), math.floor(end / step + 1e-9) + 1):
        x = view.x(diagram.zero + number * step * size)
        yield LineShape(((x, view.top - 4), (x, view.bottom)), _GRID, 1.0)
        yield Word(x, view.top - 8, f"{number * step:.{digits}f}", _INK, 11.0, "middle")


def _step(least: float) -> float:
    """Return the round number that is at least so large."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * step for step in _STEPS if power * step >= least * (1 - 1e-9))
