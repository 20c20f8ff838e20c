"""Where widgets go: in lines from left to right, lines from top to bottom, columns side by side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import phoebusgen.screen

from panda_ioc.records.screens.text import printable, width
from panda_ioc.records.screens.widgets import (
    HEAD,
    LINE,
    Dot,
    Label,
    Led,
    Open,
    Rule,
    Update,
    Widget,
)

GAP = 6  # pixels between widgets
MARGIN = 10
MAX_WIDTH = 1280
TITLE_SIZE = 18
STRIP_HEIGHT = 36
TOP = STRIP_HEIGHT + 8
"""Where what is under the strip begins."""

Row = Sequence[Widget | int]
"""Widgets of one line; a number is an empty place of that width."""

Cell = tuple[int, int, Widget]
"""A widget and where it is: x, y."""


@dataclass(frozen=True)
class Section:
    """Lines under a heading."""

    title: str
    rows: tuple[Row, ...]

    @property
    def width(self) -> int:
        """The width of the longest line or the heading."""
        return max([heading_width(self.title), *(row_width(row) for row in self.rows)])


@dataclass(frozen=True)
class Strip:
    """What stands on top of every screen: whether all is well, and the way to the index.

    Attributes:
        health: PVs that read OK while all is well
        armed: PV that is 1 while armed, "" if there is none
        index: file of the index, "" on the index itself
    """

    status: str
    health: str
    armed: str
    index: str

    @property
    def row(self) -> Row:
        """Return the widgets of the strip, to be placed at the right."""
        row: list[Widget | int] = [
            Dot(pv=self.status, good="CONNECTED", tip="Connection to the PandA"),
            Update(pv=self.status, width=120),
        ]
        if self.health:
            row += [
                Label(text="Health", width=46),
                Update(pv=self.health, width=170, tip="Health of position capture"),
            ]
        if self.armed:
            row += [Label(text="Armed", width=46), Led(pv=self.armed)]
        return [*row, Open(text="Index", file=self.index, width=70)] if self.index else row


def heading_width(title: str) -> int:
    """Return the width of a section's heading in pixels."""
    return width(title, bold=True) + GAP


def row_width(row: Row) -> int:
    """Return the width of a line in pixels."""
    widths = [item if isinstance(item, int) else item.width for item in row]
    return sum(widths) + GAP * (len(widths) - 1)


def place_row(row: Row, x: int, y: int) -> list[Cell]:
    """Place a line; a widget lower than the line is centred."""
    cells: list[Cell] = []
    height = row_height(row)
    for item in row:
        if isinstance(item, int):
            x += item + GAP
        else:
            cells.append((x, y + (min(height, LINE) - min(item.height, LINE)) // 2, item))
            x += item.width + GAP
    return cells


def row_height(row: Row) -> int:
    """Return the height of a line in pixels."""
    return max((item.height for item in row if not isinstance(item, int)), default=LINE)


def place_rows(rows: Iterable[Row], x: int, y: int) -> tuple[list[Cell], int]:
    """Place lines from top to bottom; return where the next one would be, too."""
    cells: list[Cell] = []
    for row in rows:
        cells += place_row(row, x, y)
        y += row_height(row) + GAP // 2
    return cells, y


def place_column(sections: Iterable[Section], x: int, y: int) -> tuple[list[Cell], int]:
    """Place sections that have lines from top to bottom; return where the next would be, too."""
    cells: list[Cell] = []
    for section in sections:
        if section.rows:
            heading = Label(
                text=section.title, bold=True, colour=HEAD, width=heading_width(section.title)
            )
            placed, y = place_rows([[heading], *section.rows], x, y)
            cells += placed
            y += GAP
    return cells, y


def place_columns(columns: Iterable[Sequence[Section]], y: int) -> tuple[list[Cell], int]:
    """Place columns of sections side by side; return where something below could begin, too."""
    cells: list[Cell] = []
    x, bottom = MARGIN, y
    for column in columns:
        used = [section for section in column if section.rows]
        if used:
            placed, end = place_column(used, x, y)
            cells += placed
            bottom = max(bottom, end)
            x += max(section.width for section in used) + 4 * GAP
    return cells, bottom


def screen(
    title: str, widest: str, strip: Strip, cells: Sequence[Cell], macros: Mapping[str, str]
) -> str:
    """Write the file of a screen: the title, the strip, and below them the widgets.

    Args:
        title: perhaps with macros
        widest: the longest that it can be once they are replaced
        macros: P, and whatever else is used, as they are if the screen is opened by itself
    """
    heading = width(f"{widest}  {macros['P']}", TITLE_SIZE, bold=True) + GAP
    size = max(
        heading + row_width(strip.row) + 2 * MARGIN + 4 * GAP,
        *(x + widget.width + MARGIN for x, _, widget in cells),
    )
    top: list[Cell] = [
        (MARGIN, 6, Label(text=f"{title}  $(P)", size=TITLE_SIZE, bold=True, width=heading)),
        *place_row(strip.row, size - MARGIN - row_width(strip.row), 6),
        (MARGIN, STRIP_HEIGHT, Rule(width=size - 2 * MARGIN)),
    ]
    drawing = phoebusgen.screen.Screen(printable(f"{title} $(P)"))
    for name, value in macros.items():
        drawing.macro(name, value)
    drawing.width(size)
    drawing.height(max(y + widget.height for _, y, widget in (*top, *cells)) + MARGIN)
    drawing.add_widget([widget.draw(x, y) for x, y, widget in (*top, *cells)])
    ElementTree.indent(drawing.root)
    body = ElementTree.tostring(drawing.root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'
