"""What scaled mode makes of the words of a sample, in the order in which the server calculates."""

import math

import numpy as np
import numpy.typing as npt

from panda_ioc.sim.captured import CapturedColumn
from panda_ioc.sim.hardware import Words
from panda_ioc.sim.scan import UINT32_MAX


def scaled_type(column: CapturedColumn) -> str:
    """Return the type of a column in scaled mode, as numpy names it."""
    return "<u4" if column.type == "uint32" else "<f8"


def integers(words: Words) -> npt.NDArray[np.int64]:
    """Return what the words of a column are as signed numbers."""
    signed = "<i4" if words.shape[1] == 1 else "<i8"
    return np.ascontiguousarray(words).view(signed).reshape(-1).astype(np.int64)


def scaled(
    column: CapturedColumn, words: dict[CapturedColumn, Words], duration: Words | None
) -> npt.NDArray[np.generic]:
    """Return a column in scaled mode.

    Args:
        column: which
        words: all columns as the hardware sends them
        duration: those of them for how long the gate was open, if there are any
    """
    own = words[column]
    if column.type == "uint32":
        return own[:, 0]
    if column.kind == "StdDev":
        sums = next(w for c, w in words.items() if (c.name, c.kind) == (column.name, "Mean"))
        return _standard_deviation(sums, own, duration) * abs(column.scale)
    with np.errstate(all="ignore"):
        values = integers(own).astype(float) * column.scale
        if column.kind == "Mean" and duration is not None:
            values /= np.where(duration[:, 0], duration[:, 0], np.nan)
        return values + column.offset


def _standard_deviation(
    sums: Words, squares: Words, duration: Words | None
) -> npt.NDArray[np.float64]:
    """sqrt(squares / n - (sum / n)^2) in whole numbers up to the root; NaN where n is 0."""
    counts = duration[:, 0].tolist() if duration is not None else [0] * len(sums)
    rows = zip(integers(sums).tolist(), squares.tolist(), counts, strict=True)
    return np.array([_deviation(total, row, count) for total, row, count in rows])


def _deviation(total: int, squares: list[int], count: int) -> float:
    # The server gives up where the mean does not fit into 32 bits, which no position makes.
    if not count or abs(total) // count > UINT32_MAX:
        return math.nan
    low, middle, high = squares
    variance = (low | middle << 32 | high << 64) * count - total * total
    return math.sqrt(variance) / count if variance >= 0 else math.nan
