"""Pictures as SVG."""

from collections.abc import Callable
from xml.sax.saxutils import escape, quoteattr

from panda_ioc.timing.shapes import Box, LineShape, Picture, Shape, Word

_FONT = "DejaVu Sans, Helvetica, Arial, sans-serif"


def svg(picture: Picture) -> str:
    """Return a picture as the text of an SVG file."""
    width, height = _number(picture.width), _number(picture.height)
    shapes = "\n".join(_WRITERS[type(shape)](shape) for shape in picture.shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" font-family={quoteattr(_FONT)}>\n'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n{shapes}\n</svg>\n'
    )


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _line(line: LineShape) -> str:
    points = " ".join(f"{_number(x)},{_number(y)}" for x, y in line.points)
    dash = ' stroke-dasharray="3 3"' if line.is_dashed else ""
    return (
        f'<polyline points="{points}" fill="none" stroke="{line.color}"'
        f' stroke-width="{_number(line.width)}"{dash}/>'
    )


def _box(box: Box) -> str:
    return (
        f'<rect x="{_number(box.x)}" y="{_number(box.y)}" width="{_number(box.width)}"'
        f' height="{_number(box.height)}" fill="{box.fill}"/>'
    )


def _word(word: Word) -> str:
    weight = ' font-weight="bold"' if word.is_bold else ""
    return (
        f'<text x="{_number(word.x)}" y="{_number(word.y)}" font-size="{_number(word.size)}"'
        f' text-anchor="{word.anchor}" fill="{word.color}"{weight}>{escape(word.text)}</text>'
    )


_WRITERS: dict[type[Shape], Callable[..., str]] = {LineShape: _line, Box: _box, Word: _word}
