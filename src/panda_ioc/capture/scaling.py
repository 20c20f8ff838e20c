"""Raw columns of a frame -> physical values.

What each capture kind means (checked against a server's own scaled streams of the same samples):

    Value Diff Sum Min Max   raw * scale + offset, with the scale and offset that the header gives
                             for that very column
    Mean                     raw is the sum over the gate: raw / duration * scale + offset
    StdDev                   raw is the sum of squares: sqrt(n * sumsq - sum**2) / n * |scale|
    PCAP.BITS, PCAP.SAMPLES  as they are, integers

The duration is the column PCAP.GATE_DURATION, or PCAP.SAMPLES from servers before 2.1, as unsigned
32-bit clock ticks. A gate of no duration, and a sum of squares that cannot be one, give NaN. The
variance is computed as an integer of 128 bits, so no bit is lost before the root is taken.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panda_ioc.errors import CaptureError
from panda_ioc.protocol.connections import GATE_DURATION_FIELD, SAMPLES_FIELD
from panda_ioc.protocol.responses import INT96, FieldCapture, StartData

Rows = NDArray[Any]
"""Samples as they lie in a frame: shape (samples,), structured."""

DURATION = GATE_DURATION_FIELD
_DURATIONS = (DURATION, SAMPLES_FIELD)
_SUMS = ("Mean", "Sum")
_LOW = np.uint64(0xFFFFFFFF)
_32, _31, _33 = np.uint64(32), np.uint64(31), np.uint64(33)


@dataclass(frozen=True)
class Column:
    """One column of an acquisition.

    Attributes:
        name: ``NAME.CAPTURE``, also the name of the column in `Rows`
        field: what the header says of it
        dtype: of the physical values: float64, or the integer type of a column without a scale
        values: `Rows` -> physical values, shape (samples,), a new contiguous array
    """

    name: str
    field: FieldCapture
    dtype: np.dtype[Any]
    values: Callable[[Rows], NDArray[Any]]


def columns_of(start: StartData) -> tuple[Column, ...]:
    """Return the columns of an acquisition, in the order of the wire.

    Raises:
        CaptureError: a Mean or StdDev column lacks the columns that it is computed with
    """
    return tuple(_column(field, start) for field in start.fields)


def _column(field: FieldCapture, start: StartData) -> Column:
    name = f"{field.name}.{field.capture}"
    values = _values(name, field, start)
    return Column(name, field, field.raw_mode_dataset_dtype, values)


def _values(name: str, field: FieldCapture, start: StartData) -> Callable[[Rows], NDArray[Any]]:
    if field.scale is None or start.process == "Scaled":
        return lambda rows: np.ascontiguousarray(rows[name])
    scale, offset = field.scale, field.offset or 0.0
    if field.type == INT96:
        duration, total = _duration(start, name), _sum_of(field, start, name)
        return lambda rows: abs(scale) * std_dev(rows[duration], rows[total], rows[name])
    if field.capture == "Mean":
        duration = _duration(start, name)
        return lambda rows: linear(mean(rows[duration], rows[name]), scale, offset)
    return lambda rows: linear(rows[name], scale, offset)


def _duration(start: StartData, wanted_by: str) -> str:
    present = {f"{field.name}.{field.capture}" for field in start.fields}
    for name in _DURATIONS:
        if name in present:
            return name
    raise CaptureError(f"{wanted_by}: no column {' or '.join(_DURATIONS)} to divide by")


def _sum_of(field: FieldCapture, start: StartData, wanted_by: str) -> str:
    for other in start.fields:
        if other.name == field.name and other.capture in _SUMS:
            return f"{other.name}.{other.capture}"
    raise CaptureError(f"{wanted_by}: no column {field.name}.Mean with the sum")


def linear(raw: NDArray[Any], scale: float, offset: float) -> NDArray[np.float64]:
    """Return raw * scale + offset, a new array."""
    values = raw.astype(np.float64)
    if scale != 1.0:
        values *= scale
    if offset != 0.0:
        values += offset
    return values


def mean(duration: NDArray[Any], total: NDArray[Any]) -> NDArray[np.float64]:
    """Return total / duration, NaN where the duration is 0.

    Args:
        duration: clock ticks, int32 or uint32, both taken as unsigned
        total: sum over the gate, int64
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient: NDArray[np.float64] = np.divide(total, _ticks(duration), dtype=np.float64)
    quotient[duration == 0] = np.nan
    return quotient


def std_dev(
    duration: NDArray[Any], total: NDArray[Any], squares: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the standard deviation in raw units.

    Args:
        duration: clock ticks, int32 or uint32, both taken as unsigned
        total: sum over the gate, int64
        squares: sum of squares over the gate, `INT96`
    """
    ticks = _ticks(duration)
    high, low = _subtract(_times(ticks, squares), _square(total))
    signed = high.view(np.int64)
    variance = signed * 2.0**64 + low
    variance[signed < 0] = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation: NDArray[np.float64] = np.sqrt(variance) / ticks
    return deviation


def _ticks(duration: NDArray[Any]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(duration).view(np.uint32).astype(np.uint64)


# Integers of 128 bits as (high, low) of uint64, modulo 2**128: arrays wrap around by themselves.
_Wide = tuple[NDArray[np.uint64], NDArray[np.uint64]]


def _times(ticks: NDArray[np.uint64], squares: NDArray[Any]) -> _Wide:
    """Return ticks * squares; ticks have 32 bits."""
    low = np.ascontiguousarray(squares["low"])
    high = np.ascontiguousarray(squares["high"]).view(np.uint32).astype(np.uint64)
    bottom, middle, top = ticks * (low & _LOW), ticks * (low >> _32), ticks * high
    result = bottom + (middle << _32)
    return top + (middle >> _32) + (result < bottom), result


def _square(value: NDArray[Any]) -> _Wide:
    """Return value ** 2 of int64."""
    size = np.abs(value).view(np.uint64)
    low, high = size & _LOW, size >> _32
    bottom, middle, top = low * low, low * high, high * high
    result = bottom + (middle << _33)
    return top + (middle >> _31) + (result < bottom), result


def _subtract(one: _Wide, other: _Wide) -> _Wide:
    low = one[1] - other[1]
    return one[0] - other[0] - (one[1] < other[1]), low
