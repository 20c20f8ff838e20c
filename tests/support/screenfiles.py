"""Phoebus screens as tests read them: widgets with their places, PVs and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from panda_ioc.device.model import Device

LEAD = 2  # pixels more than its letters that a line of text takes
LINE_HEIGHT = 1.25  # of a line of text, in font sizes


@dataclass(frozen=True)
class Shown:
    """One widget of a screen."""

    element: ElementTree.Element
    type: str
    x: int
    y: int
    width: int
    height: int

    @property
    def name(self) -> str:
        return self.element.findtext("name") or ""

    @property
    def text(self) -> str:
        return self.element.findtext("text") or ""

    @property
    def font(self) -> tuple[int, bool]:
        """Size, and whether it is bold."""
        font = self.element.find("font/font")
        if font is None:
            return 14, False
        return int(font.attrib["size"]), "BOLD" in font.attrib["style"]

    def overlaps(self, other: "Shown") -> bool:
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


@dataclass(frozen=True)
class Display:
    """One screen."""

    width: int
    height: int
    widgets: tuple[Shown, ...]
    macros: dict[str, str]
    root: ElementTree.Element

    @property
    def pvs(self) -> set[str]:
        """All PVs that it connects to, with macros, those of the screen itself left out."""
        found = {e.text or "" for e in self.root.iter() if e.tag in ("pv_name", "x_pv", "y_pv")}
        return {pv for pv in found if pv and not pv.startswith(("loc://", "$(pv_name)"))}

    @property
    def initial(self) -> set[str]:
        """What the PVs of the screen itself begin with."""
        return {
            found[1]
            for e in self.root.iter("pv_name")
            if (found := re.fullmatch(r'loc://.*\("(.*)"\)', e.text or ""))
        }

    @property
    def links(self) -> list[tuple[str, dict[str, str]]]:
        """File and macros of each button that opens another screen."""
        return [
            (
                action.findtext("file") or "",
                {macro.tag: macro.text or "" for macro in action.find("macros") or ()},
            )
            for action in self.root.iter("action")
            if action.attrib["type"] == "open_display"
        ]


def read_display(text: str) -> Display:
    """The screen in a file."""
    root = ElementTree.fromstring(text)  # noqa: S314 - our own
    widgets = tuple(
        Shown(
            element,
            element.attrib["type"],
            *(int(element.findtext(tag) or 0) for tag in ("x", "y", "width", "height")),
        )
        for element in root.iter("widget")
    )
    return Display(
        int(root.findtext("width") or 0),
        int(root.findtext("height") or 0),
        widgets,
        {macro.tag: macro.text or "" for macro in root.find("macros") or ()},
        root,
    )


def all_pvs(screens: dict[str, str], device: Device, prefix: str) -> Iterator[str]:
    """Every PV of every screen, for each block that it can show."""
    for file, text in screens.items():
        blocks = [b.wire for b in device.blocks if f"{b.type}.bob" == file] or [""]
        for pv in read_display(text).pvs:
            for block in blocks:
                yield pv.replace("$(P)", prefix).replace("$(B)", block)
