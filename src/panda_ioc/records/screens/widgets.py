"""The widgets that screens are made of: what each shows and how wide it is.

Where they go is decided in `layout`; `draw` then makes the widget of the library, which knows the
file format. This is the only module that knows the library.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import phoebusgen.widget as phoebus

from panda_ioc.records.screens.text import FONT_SIZE, printable

Colour = tuple[int, int, int]

LINE = 24  # pixels: height of what stands in a line
DOT = 18
GREEN: Colour = (60, 190, 60)
DARK_GREEN: Colour = (60, 100, 60)
RED: Colour = (230, 50, 50)
GREY: Colour = (190, 190, 190)
HEAD: Colour = (90, 90, 90)
_INVALID = "pvSev0 > 2 || pvSev0 < 0"
"""In a rule: the alarm is INVALID, which is 3 in Phoebus, -1 in viewers for the web."""
TRACES: tuple[Colour, ...] = ((30, 30, 200), (200, 40, 40), (20, 130, 40), (190, 110, 0))


@dataclass(frozen=True, kw_only=True)
class Widget:
    """One widget.

    Attributes:
        width, height: pixels
        pv: what it shows, "" for nothing
        tip: shown when the mouse rests on it, above the name of the PV
    """

    width: int
    height: int = LINE
    pv: str = ""
    tip: str = ""
    kind: ClassVar[str] = ""

    def draw(self, x: int, y: int) -> Any:
        """Return the library's widget at this place."""
        raise NotImplementedError

    def _name(self, text: str = "") -> str:
        return f"{self.kind} {printable(text or self.pv)}".strip()

    def _finish(self, widget: Any) -> Any:
        tips = [printable(self.tip), "$(pv_name)" if self.pv else ""]
        if any(tips):
            widget.tool_tip("\n".join(filter(None, tips)))
        return widget


@dataclass(frozen=True, kw_only=True)
class Label(Widget):
    """Fixed text."""

    text: str
    size: int = FONT_SIZE
    bold: bool = False
    colour: Colour | None = None
    kind: ClassVar[str] = "Label"

    def draw(self, x: int, y: int) -> Any:
        text = printable(self.text)
        widget = phoebus.Label(self._name(text), text, x, y, self.width, self.height)
        if self.bold:
            widget.font_style_bold()
        if self.size != FONT_SIZE:
            widget.font_size(self.size)
        if self.colour:
            widget.foreground_color(*self.colour)
        widget.vertical_alignment_middle()
        return self._finish(widget)


@dataclass(frozen=True, kw_only=True)
class Rule(Widget):
    """A horizontal line."""

    height: int = 2
    kind: ClassVar[str] = "Line"

    def draw(self, x: int, y: int) -> Any:
        widget = phoebus.Rectangle("Line", x, y, self.width, self.height)
        widget.background_color(*GREY)
        widget.line_width(0)
        return widget


@dataclass(frozen=True, kw_only=True)
class TextWidget(Widget):
    """A value as text.

    Attributes:
        text: the PV is an array of characters
        units: show them behind the value
    """

    text: bool = False
    units: bool = True

    def _finish(self, widget: Any) -> Any:
        if self.text:
            widget.format("string")
        if not self.units:
            widget.show_units(False)
        return super()._finish(widget)


@dataclass(frozen=True, kw_only=True)
class Update(TextWidget):
    """A value that cannot be set."""

    kind: ClassVar[str] = "Update"

    def draw(self, x: int, y: int) -> Any:
        widget = phoebus.TextUpdate(self._name(), self.pv, x, y, self.width, self.height)
        widget.vertical_alignment_middle()
        return self._finish(widget)


@dataclass(frozen=True, kw_only=True)
class Entry(TextWidget):
    """A value that can be typed."""

    kind: ClassVar[str] = "Entry"

    def draw(self, x: int, y: int) -> Any:
        return self._finish(phoebus.TextEntry(self._name(), self.pv, x, y, self.width, self.height))


@dataclass(frozen=True, kw_only=True)
class Combo(Widget):
    """A choice.

    Attributes:
        items: to choose from; none: those of the PV
        typed: what is chosen can be typed too, as is quicker among many
    """

    items: tuple[str, ...] = ()
    typed: bool = False
    kind: ClassVar[str] = "Combo"

    def draw(self, x: int, y: int) -> Any:
        widget = phoebus.ComboBox(self._name(), self.pv, x, y, self.width, self.height)
        widget.items_from_pv(not self.items)
        for item in self.items:
            widget.item(item)
        if self.typed:
            widget.editable(True)
        return self._finish(widget)


@dataclass(frozen=True, kw_only=True)
class Toggle(Widget):
    """A bit that a click turns over; its states are those of the PV."""

    kind: ClassVar[str] = "Toggle"

    def draw(self, x: int, y: int) -> Any:
        widget = phoebus.BooleanButton(self._name(), self.pv, x, y, self.width, self.height)
        widget.labels_from_pv(True)
        widget.on_color(*GREEN)
        widget.off_color(*DARK_GREEN)
        return self._finish(widget)


@dataclass(frozen=True, kw_only=True)
class Led(Widget):
    """A bit that cannot be set."""

    width: int = DOT
    height: int = DOT
    kind: ClassVar[str] = "LED"

    def draw(self, x: int, y: int) -> Any:
        widget = phoebus.LED(self._name(), self.pv, x, y, self.width, self.height)
        widget.on_color(*GREEN)
        widget.off_color(*DARK_GREEN)
        return self._finish(widget)


@dataclass(frozen=True, kw_only=True)
class Dot(Widget):
    """A text shown as a colour: green if it equals `good`, else red; grey while unknown."""

    good: str
    width: int = DOT
    height: int = DOT
    kind: ClassVar[str] = "Dot"

    def draw(self, x: int, y: int) -> Any:
        widget = phoebus.Ellipse(self._name(), x, y, self.width, self.height)
        widget.background_color(*GREY)
        widget.line_width(1)
        widget.line_color(*HEAD)
        colours = {
            _INVALID: GREY,
            f"pvStr0 == {json.dumps(printable(self.good), ensure_ascii=False)}": GREEN,
            'pvStr0 != ""': RED,
        }
        widget.rule("colour", "background_color", {self.pv: True}, colours)
        widget.tool_tip("\n".join(filter(None, (printable(self.tip), self.pv))))
        return widget


@dataclass(frozen=True, kw_only=True)
class Open(Widget):
    """A button that opens another screen, in a tab.

    Attributes:
        file: of the other screen, in the same directory
        block: to be shown by a screen that is made for a type of blocks
    """

    text: str
    file: str
    block: str = ""
    kind: ClassVar[str] = "Open"

    def draw(self, x: int, y: int) -> Any:
        text = printable(self.text)
        widget = phoebus.ActionButton(self._name(text), text, "", x, y, self.width, self.height)
        macros = {"P": "$(P)"} | ({"B": self.block} if self.block else {})
        widget.action_open_display(self.file, "tab", text, macros)
        return self._finish(widget)


@dataclass(frozen=True, kw_only=True)
class WriteButton(Widget):
    """A button that puts a value.

    Attributes:
        ask: what to ask before; "" for nothing
    """

    text: str
    value: str
    ask: str = ""
    kind: ClassVar[str] = "Write"

    def draw(self, x: int, y: int) -> Any:
        text = printable(self.text)
        widget = phoebus.ActionButton(
            self._name(text), text, self.pv, x, y, self.width, self.height
        )
        widget.action_write_pv("$(pv_name)", self.value, text)
        if self.ask:
            widget.confirmation_dialog(self.ask)
        return self._finish(widget)


@dataclass(frozen=True, kw_only=True)
class Run(Widget):
    """A button that runs a script of Phoebus."""

    text: str
    script: str
    kind: ClassVar[str] = "Run"

    def draw(self, x: int, y: int) -> Any:
        widget = phoebus.ActionButton(
            self._name(self.text), self.text, self.pv, x, y, self.width, self.height
        )
        widget.action_execute_python_script(self.script, self.text)
        return self._finish(widget)


@dataclass(frozen=True, kw_only=True)
class WidgetColumn:
    """A column: what heads it, and the labels to choose from in it."""

    name: str
    width: int
    options: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TableWidget(Widget):
    """An NTTable whose cells can be edited; a script has to send them.

    Attributes:
        name: by which the script finds it
    """

    name: str
    columns: tuple[WidgetColumn, ...]
    kind: ClassVar[str] = "Table"

    def draw(self, x: int, y: int) -> Any:
        widget = phoebus.Table(self.name, self.pv, x, y, self.width, self.height)
        for column in self.columns:
            options: Sequence[str] = [printable(option) for option in column.options]
            widget.column(printable(column.name), column.width, True, list(options))
        widget.editable(True)
        return self._finish(widget)


@dataclass(frozen=True, kw_only=True)
class ProgressBar(Widget):
    """How much of a number is done.

    Attributes:
        whole: the PV with that number
    """

    whole: str
    kind: ClassVar[str] = "Progress"

    def draw(self, x: int, y: int) -> Any:
        widget = phoebus.ProgressBar(self._name(), self.pv, x, y, self.width, self.height)
        widget.limits_from_pv(False)
        widget.rule("whole", "maximum", {self.whole: True}, {"pv0 > 0": "pv0"}, True)
        return self._finish(widget)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A curve: PVs that hold the names, without prefix, of what is to be drawn.

    Attributes:
        y: PV with the name of the waveform to draw
        x: PV with that of the waveform to draw it against, or with `SAMPLES`
        initial: the PV to draw first
    """

    x: str
    y: str
    initial: str
    colour: Colour


SAMPLES = "sample number"


@dataclass(frozen=True, kw_only=True)
class Plot(Widget):
    """Curves that are chosen on the screen.

    Attributes:
        chosen: an expression for the PV whose name is in `pvStr0`
    """

    traces: tuple[Curve, ...]
    chosen: str
    kind: ClassVar[str] = "Plot"

    def draw(self, x: int, y: int) -> Any:
        widget = phoebus.XYPlot("Plot", x, y, self.width, self.height)
        horizontal, vertical = phoebus.XYPlotXAxis(), phoebus.XYPlotYAxis()
        for axis in (horizontal, vertical):
            axis.title("")
            axis.auto_scale(True)
            axis.show_grid(True)
        widget.add_x_axis(horizontal)
        widget.add_y_axis(vertical)
        for number, trace in enumerate(self.traces):
            self._add(widget, number, trace)
        return self._finish(widget)

    def _add(self, widget: Any, number: int, trace: Curve) -> None:
        drawn = phoebus.XYPlotTrace()
        drawn.name(f"{number + 1}")
        drawn.x_pv("")
        drawn.y_pv(trace.initial)
        drawn.color(*trace.colour)
        drawn.trace_type_line()
        drawn.line_width(2)
        widget.add_trace(drawn)
        chosen = {'pvStr0 != ""': self.chosen}
        numbers = {f'pvStr0 == "{SAMPLES}"': '""'}
        for pv, which, rule in ((trace.y, "y_pv", chosen), (trace.x, "x_pv", numbers | chosen)):
            part = f"traces[{number}].{which}"
            widget.rule(part, part, {pv: True}, rule, True)
