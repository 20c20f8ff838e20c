"""Pictures as PNG, drawn by matplotlib (`[plot]`)."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from panda_ioc.errors import ConfigurationError
from panda_ioc.timing.shapes import Box, LineShape, Picture, Shape, Word

# Pixels in a unit of the picture, and units in an inch.
_SHARPNESS = 1.5
_UNITS = 72.0
_ANCHORS = {"start": "left", "middle": "center", "end": "right"}


def write_png(picture: Picture, path: Path) -> None:
    """Draw a picture to a file.

    Raises:
        ConfigurationError: there is no matplotlib
    """
    figure_type = _figure_type()
    size = (picture.width / _UNITS, picture.height / _UNITS)
    figure = figure_type(figsize=size, dpi=_UNITS * _SHARPNESS)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, picture.width)
    axes.set_ylim(picture.height, 0)
    for order, shape in enumerate(picture.shapes):
        _DRAWERS[type(shape)](axes, shape, order)
    figure.savefig(path, format="png", dpi=_UNITS * _SHARPNESS, facecolor="white")


def _figure_type() -> Any:
    try:
        import matplotlib
    except ImportError:
        raise ConfigurationError(
            "a PNG needs matplotlib: pip install 'panda-ioc[plot]'; --svg needs nothing"
        ) from None
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    return Figure


def _line(axes: Any, line: LineShape, order: int) -> None:
    x, y = zip(*line.points, strict=True)
    style = (0, (3, 3)) if line.is_dashed else "-"
    axes.plot(x, y, color=line.color, linewidth=line.width, linestyle=style, zorder=order)


def _box(axes: Any, box: Box, order: int) -> None:
    from matplotlib.patches import Rectangle

    corner = (box.x, box.y)
    axes.add_patch(
        Rectangle(corner, box.width, box.height, facecolor=box.fill, linewidth=0, zorder=order)
    )


def _word(axes: Any, word: Word, order: int) -> None:
    axes.text(
        word.x,
        word.y,
        word.text.replace("$", r"\$"),
        color=word.color,
        fontsize=word.size,
        fontweight="bold" if word.is_bold else "normal",
        horizontalalignment=_ANCHORS[word.anchor],
        verticalalignment="baseline",
        zorder=order,
    )


_DRAWERS: dict[type[Shape], Callable[..., None]] = {LineShape: _line, Box: _box, Word: _word}
