"""Which widget shows a record: decided by its type, and by what a client may do with it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from panda_ioc.device.model import Field
from panda_ioc.records.build import RecordSet
from panda_ioc.records.choices import ENUM
from panda_ioc.records.screens.layout import GAP, Row, row_width
from panda_ioc.records.screens.pvs import PvNames
from panda_ioc.records.screens.text import printable, width
from panda_ioc.records.screens.widgets import (
    HEAD,
    Combo,
    Entry,
    Label,
    Led,
    TextWidget,
    Toggle,
    Update,
    Widget,
    WriteButton,
)
from panda_ioc.records.specs import RecordSpec, pv_name

NAME, CONTROL = 130, 180  # widths

Columns = Mapping[str, tuple[str, int]]
"""Part of the names of records -> heading and width of their column; "" for the field itself."""

POSITION_COLUMNS: Columns = MappingProxyType(
    {
        "SCALED": ("value", 120),
        "UNITS": ("units", 70),
        "": ("counts", 100),
        "SCALE": ("scale", 90),
        "OFFSET": ("offset", 90),
        "CAPTURE": ("capture", 140),
        "DATASET": ("dataset", 150),
    }
)
EXT_COLUMNS: Columns = MappingProxyType({"CAPTURE": ("capture", 140), "DATASET": ("dataset", 150)})

BLOCK = "$(B)"
"""Stands for the block, on a screen that is made for a type of blocks."""


class ScreenRecords:
    """The records that screens may show, and how they are called there.

    Args:
        records: all of them
        block: the block that is to be called `name` on the screen
    """

    def __init__(self, records: RecordSet, block: str = "", name: str = "") -> None:
        self.specs: Mapping[str, RecordSpec] = {spec.name: spec for spec in records.specs}
        self._aliases = {alias: spec for spec in records.specs for alias in spec.aliases}
        self._block, self._name = block, name
        self.names = PvNames(records.prefix)

    def find(self, name: str) -> RecordSpec | None:
        """Return the record of this name or alias."""
        return self.specs.get(name) or self._aliases.get(name)

    def pv(self, name: str, protocol: str = "") -> str:
        """Return the PV of a record on a screen; `protocol` is "pva" for a structure."""
        block, colon, rest = name.partition(":")
        if self._name and block == self._block:
            name = f"{self._name}{colon}{rest}"
        return printable(self.names.structure(name) if protocol else self.names.channel(name))

    def wave(self, name: str) -> str:
        """Return the PV of a waveform in a plot."""
        return printable(self.names.waveform(name))

    def control(self, name: str, size: int = CONTROL, tip: str = "") -> Widget | int:
        """Return the widget for a record, or an empty place if there is no such record."""
        spec = self.find(name)
        if spec is None:
            return size
        tip = tip or spec.desc
        if spec.choices and spec.writable and self.names.has_structures:
            pv = self.pv(f"{name}:{ENUM}", "pva")
            return Combo(pv=pv, width=size, typed=True, tip=tip)
        if spec.rtype == "waveform":
            kind = Entry if spec.writable else Update
            return kind(pv=self.pv(name), width=size, text=spec.ftvl == "CHAR", tip=tip)
        make = (_OUTPUTS if spec.writable else _INPUTS).get(spec.rtype, _update)
        return make(self.pv(name), size, spec, tip)

    def number(self, name: str, size: int) -> Widget | int:
        """Return the widget for a record without units, which stand beside it."""
        control = self.control(name, size)
        return replace(control, units=False) if isinstance(control, TextWidget) else control

    def line(self, name: str, label: str, name_width: int, size: int = CONTROL) -> Row:
        """Return a label and the widget for a record."""
        spec = self.find(name)
        return [
            Label(text=label, width=name_width, tip=spec.desc if spec else ""),
            self.control(name, size),
        ]

    def grid(self, fields: Mapping[str, Field], columns: Columns, size: int) -> Iterator[Row]:
        """Return headings and, for each field, a label and its records."""
        if fields:
            yield [size, *(heading(text, room) for text, room in columns.values())]
        for label, field in fields.items():
            name = pv_name(field.wire)
            yield [
                Label(text=label, width=size, tip=field.info.description or ""),
                *(
                    self.number(f"{name}:{part}" if part else name, room)
                    for part, (_, room) in columns.items()
                ),
            ]

    def pairs(self, names: Sequence[str], start: str) -> Iterator[Row]:
        """Return lines of two records each, labelled by what follows `start` in their names."""
        labels = [name.removeprefix(start).lstrip(":") for name in names]
        size = name_width(labels)
        lines = [self.line(name, label, size) for name, label in zip(names, labels, strict=True)]
        half = (len(lines) + 1) // 2
        for number, left in enumerate(lines[:half]):
            right = lines[half + number : half + number + 1]
            fill = size + CONTROL + 2 * GAP - row_width(left)
            yield [*left, fill, *right[0]] if right else left


def heading(text: str, size: int) -> Label:
    """Return the heading of a column."""
    return Label(text=text, width=size, colour=HEAD)


def name_width(names: list[str]) -> int:
    """Return the width for labels that stand under each other."""
    return max([NAME, *(width(name) + 4 for name in names)])


Make = Callable[[str, int, RecordSpec, str], Widget]


def _update(pv: str, size: int, spec: RecordSpec, tip: str) -> Widget:
    return Update(pv=pv, width=size, tip=tip)


def _led(pv: str, size: int, spec: RecordSpec, tip: str) -> Widget:
    return Led(pv=pv, tip=tip)


def _entry(pv: str, size: int, spec: RecordSpec, tip: str) -> Widget:
    return Entry(pv=pv, width=size, tip=tip)


def _combo(pv: str, size: int, spec: RecordSpec, tip: str) -> Widget:
    return Combo(pv=pv, width=size, tip=tip)


def _bit(pv: str, size: int, spec: RecordSpec, tip: str) -> Widget:
    """Return a toggle for a bit with states, or a button for one without: an action, which any put
    triggers."""
    if spec.labels:
        return Toggle(pv=pv, width=min(size, 80), tip=tip)
    return WriteButton(pv=pv, width=min(size, 80), text="Execute", value="1", tip=tip)


_INPUTS: Mapping[str, Make] = MappingProxyType({"bi": _led})
_OUTPUTS: Mapping[str, Make] = MappingProxyType(
    {
        "ao": _entry,
        "longout": _entry,
        "stringout": _entry,
        "mbbo": _combo,
        "bo": _bit,
    }
)
