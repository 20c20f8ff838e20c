"""The elements of a picture, for all that draw it. Units are pixels; y goes down."""

from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True)
class LineShape:
    """Straight lines from point to point."""

    points: tuple[Point, ...]
    color: str
    width: float = 1.4
    is_dashed: bool = False


@dataclass(frozen=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    fill: str


@dataclass(frozen=True)
class Word:
    """A text; y is its base line, `anchor` what is at x: start, middle or end."""

    x: float
    y: float
    text: str
    color: str = "#222222"
    size: float = 12.0
    anchor: str = "start"
    is_bold: bool = False


Shape = LineShape | Box | Word


@dataclass(frozen=True)
class Picture:
    """Shapes, the first ones behind, and how large it all is."""

    width: float
    height: float
    shapes: tuple[Shape, ...]


LETTER = 0.64


def width_of(text: str, size: float) -> float:
    """Estimate how wide a text is."""
    return LETTER * size * len(text)
