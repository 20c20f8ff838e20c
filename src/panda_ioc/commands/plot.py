"""`panda-ioc plot`: a first picture of a capture. Needs matplotlib (`[plot]`).

One field has one frame, with Value, Mean, Min and Max in it; Sum, Diff and StdDev, which are of
another size, have frames of their own. Bits are drawn as logic traces. Many samples are drawn as
the band between their extremes, so no spike is lost, and files of any size need little memory.
"""

import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from panda_ioc.errors import CaptureError, ConfigurationError

BINS = 2000
"""Steps from left to right."""
_BLOCK = 1 << 20  # samples read at a time
_TIMES = ("PCAP.TS_TRIG", "PCAP.TS_START", "PCAP.TS_END")
_LEVELS = ("Value", "Mean", "Min", "Max")
_WIDTH, _HEIGHT, _HEAD, _TRACE = 10.0, 1.5, 1.2, 0.16  # inches: figure, frame, title and axis, bit
_WORD_BITS = 32


@dataclass(frozen=True)
class Series:
    """One dataset, or bit of one, as it is drawn.

    Attributes:
        label: of the line
        low, high: extremes in each step; equal where a step is one sample
    """

    label: str
    low: NDArray[Any]
    high: NDArray[Any]


@dataclass(frozen=True)
class Frame:
    """The series that share one pair of axes."""

    label: str
    series: tuple[Series, ...]
    is_logic: bool = False


@dataclass(frozen=True)
class PlotPicture:
    """The series to draw; x holds the positions of the steps."""

    title: str
    x: NDArray[Any]
    x_label: str
    frames: tuple[Frame, ...]


def run(path: Path, output: Path, against: str | None = None) -> int:
    """Draw a file, and say where; returns the exit status. The arguments are those of `draw`."""
    draw(path, output, against)
    sys.stdout.write(f"{output}\n")
    return 0


def draw(path: Path, output: Path, against: str | None = None) -> None:
    """Draw a file.

    Args:
        path: of the file
        output: of the picture; its ending tells the format
        against: "time" or "sample"; None: time if the file tells of it

    Raises:
        ConfigurationError: no matplotlib; no such file; no times in it; a format that nobody knows
        CaptureError: it is no file of a capture
    """
    pyplot = _pyplot()
    if not output.suffix:  # matplotlib would add one
        raise ConfigurationError(f"{output}: its name has to end in .png, .svg, .pdf or the like")
    with _open(path) as file:
        picture = _read(file, path, against)
    figure = _draw(pyplot, picture)
    try:
        figure.savefig(output, dpi=110)
    except ValueError as error:
        raise ConfigurationError(f"{output}: {error}") from error
    finally:
        pyplot.close(figure)


def _pyplot() -> Any:
    try:
        import matplotlib
    except ImportError:
        raise ConfigurationError("plot needs matplotlib: pip install 'panda-ioc[plot]'") from None
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


# -- reading ------------------------------------------------------------------------------------


def _open(path: Path) -> h5py.File:
    if not path.is_file():
        raise ConfigurationError(f"{path}: no such file")
    try:
        return h5py.File(path, "r", swmr=True)
    except OSError as error:
        raise CaptureError(f"{path}: cannot be read as HDF5: {error}") from error


def _read(file: h5py.File, path: Path, against: str | None) -> PlotPicture:
    datasets = _datasets(file, path)
    count = min(len(one) for one in datasets)
    x, x_label, used = _axis(datasets, count, against)
    frames = _frames([one for one in datasets if one.name != used], count)
    return PlotPicture(_title(file, path, count), x, x_label, tuple(frames))


def _datasets(file: h5py.File, path: Path) -> list[h5py.Dataset]:
    """Return the columns, cut to the shortest: while a file is written they may differ."""
    found = [one for one in file.values() if isinstance(one, h5py.Dataset) and one.ndim == 1]
    if not found:
        raise CaptureError(f"{path}: holds no columns of a capture")
    if not min(len(one) for one in found):
        raise CaptureError(f"{path}: holds no samples")
    return found


def _axis(
    datasets: list[h5py.Dataset], count: int, against: str | None
) -> tuple[NDArray[Any], str, str]:
    """Return the positions of the steps, their label, and the dataset used for them."""
    by_field = {_field(one): one for one in datasets}
    # Times alone are drawn themselves.
    name = next((name for name in _TIMES if name in by_field and len(datasets) > 1), None)
    if against == "time" and name is None:
        names = ", ".join(_TIMES)
        raise ConfigurationError(f"no {names} beside other columns: draw against sample")
    if name is not None and against != "sample":
        times = _first_of_each(by_field[name], count)
        if against == "time" or bool(np.all(np.diff(times) >= 0)):
            return times, f"{name} / {by_field[name].attrs.get('units', 's')}", by_field[name].name
    return np.arange(count)[:: _per_bin(count)], "sample", ""


def _frames(datasets: list[h5py.Dataset], count: int) -> Iterator[Frame]:
    levels: dict[str, list[h5py.Dataset]] = {}
    bits: list[Series] = []
    for one in datasets:
        if one.dtype == bool:
            bits.append(Series(one.name[1:], *_extremes(one, count)))
        elif one.dtype == np.uint32 and "scale" not in one.attrs:
            changing = tuple(_word(one, count))
            still = "" if changing else "\nno bit changes"
            yield Frame(f"{_field(one)}{still}", changing, is_logic=True)
        else:
            levels.setdefault(_frame_of(one), []).append(one)
    if bits:
        yield Frame("bits", tuple(bits), is_logic=True)
    for label, found in levels.items():
        units = str(found[0].attrs.get("units", ""))
        series = tuple(Series(_kind(one), *_extremes(one, count)) for one in found)
        yield Frame(f"{label} / {units}" if units else label, series)


def _field(dataset: h5py.Dataset) -> str:
    return str(dataset.attrs.get("panda_field", dataset.name[1:]))


def _kind(dataset: h5py.Dataset) -> str:
    return str(dataset.attrs.get("capture", "Value"))


def _frame_of(dataset: h5py.Dataset) -> str:
    kind = _kind(dataset)
    return _field(dataset) if kind in _LEVELS else f"{_field(dataset)} {kind}"


def _per_bin(count: int) -> int:
    return -(-count // BINS) if count > 2 * BINS else 1


def _blocks(dataset: h5py.Dataset, count: int) -> Iterator[NDArray[Any]]:
    """Yield some steps at a time, shape (steps, samples); pad the last step by repetition."""
    width = _per_bin(count)
    size = max(1, _BLOCK // width) * width
    for first in range(0, count, size):
        values = dataset[first : min(first + size, count)]
        yield np.pad(values, (0, -len(values) % width), mode="edge").reshape(-1, width)


def _first_of_each(dataset: h5py.Dataset, count: int) -> NDArray[Any]:
    return np.concatenate([block[:, 0] for block in _blocks(dataset, count)])


def _extremes(dataset: h5py.Dataset, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    if _per_bin(count) == 1:
        values = dataset[:count]
        return values, values
    low, high = zip(
        *((np.fmin.reduce(b, 1), np.fmax.reduce(b, 1)) for b in _blocks(dataset, count)),
        strict=True,
    )
    return np.concatenate(low), np.concatenate(high)


def _word(dataset: h5py.Dataset, count: int) -> Iterator[Series]:
    """Return the bits that change: in each step, whether a bit was ever 0 and ever 1."""
    ands, ors = zip(
        *(
            (np.bitwise_and.reduce(b, 1), np.bitwise_or.reduce(b, 1))
            for b in _blocks(dataset, count)
        ),
        strict=True,
    )
    low, high = np.concatenate(ands), np.concatenate(ors)
    for bit in range(_WORD_BITS):
        series = Series(f"bit {bit}", (low >> bit) & 1, (high >> bit) & 1)
        if series.low.min() != series.high.max():
            yield series


def _title(file: h5py.File, path: Path, count: int) -> str:
    about = file.attrs
    reason = _text(about.get("end_reason", "")) or "not closed"
    missed = int(about.get("missed", 0))
    words = [f"{count} samples", f"{missed} missed" if missed else "", reason]
    armed = _text(about.get("arm_time", ""))
    return f"{path.name}   {armed}\n" + ", ".join(filter(None, words))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


# -- drawing ------------------------------------------------------------------------------------


def _draw(pyplot: Any, picture: PlotPicture) -> Any:
    """Draw the figure."""
    frames = picture.frames
    heights = [max(_HEIGHT, _TRACE * len(f.series) if f.is_logic else 0) for f in frames]
    figure, axes = pyplot.subplots(
        len(frames),
        sharex=True,
        squeeze=False,
        figsize=(_WIDTH, sum(heights) + _HEAD),
        gridspec_kw={"height_ratios": heights},
        layout="constrained",
    )
    for frame, ax in zip(frames, axes[:, 0], strict=True):
        (_draw_logic if frame.is_logic else _draw_lines)(ax, picture.x, frame)
    axes[-1, 0].set_xlabel(picture.x_label)
    figure.suptitle(picture.title, fontsize="medium")
    return figure


def _draw_lines(ax: Any, x: NDArray[Any], frame: Frame) -> None:
    for one in frame.series:
        middle = one.low if one.low is one.high else (one.low / 2 + one.high / 2)
        (line,) = ax.plot(x, middle, linewidth=0.9, label=one.label)
        ax.fill_between(x, one.low, one.high, color=line.get_color(), alpha=0.35, linewidth=0)
    _finish(ax, frame)
    if len(frame.series) > 1:
        ax.legend(loc="upper right", ncols=len(frame.series), fontsize="x-small")


def _draw_logic(ax: Any, x: NDArray[Any], frame: Frame) -> None:
    for place, one in enumerate(frame.series):
        base = len(frame.series) - 1 - place
        ax.fill_between(
            x, base + 0.8 * one.low, base + 0.8 * one.high, step="post", color="C0", linewidth=0
        )
        ax.step(x, base + 0.8 * one.high, where="post", color="C0", linewidth=0.7)
    labels = [one.label for one in reversed(frame.series)]
    ax.set_yticks(np.arange(len(labels)) + 0.4, labels, fontsize="x-small")
    _finish(ax, frame)


def _finish(ax: Any, frame: Frame) -> None:
    ax.set_ylabel(frame.label, rotation=0, ha="right", va="center", fontsize="small")
    ax.grid(visible=True, alpha=0.3)
    ax.margins(x=0.01)
