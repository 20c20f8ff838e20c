"""How wide text is: advance widths of Liberation Sans, in thousandths of the font size."""

from collections.abc import Mapping
from types import MappingProxyType

FONT_SIZE = 14  # of Phoebus's default font
_OTHERS = 1000  # no character is wider than it is high


def _table(*rows: tuple[int, str]) -> Mapping[str, int]:
    return MappingProxyType({character: units for units, text in rows for character in text})


_REGULAR = _table(
    (222, "'ijl|"),
    (278, " !,./:;I[\\]ft"),
    (333, "()-`r{}"),
    (389, '"*'),
    (500, "Jcksvxyz^"),
    (556, "#$0123456789?L_abdeghnopqu"),
    (611, "FTZ+<=>~"),
    (667, "&ABEKPSVXY"),
    (722, "CDHNRUw"),
    (778, "GOQ"),
    (833, "Mm"),
    (944, "W%"),
)
_BOLD = _table(
    (278, " ',./I\\ijl|"),
    (333, "!()-:;[]`ft"),
    (389, "*r{}"),
    (474, '"'),
    (556, "#$0123456789J_aceksvxyz"),
    (611, "?FLTZbdghnopqu+<=>^~"),
    (667, "EPSVXY"),
    (722, "&ABCDHKNRU"),
    (778, "GOQw"),
    (889, "%mM"),
    (944, "W"),
)


def width(text: str, size: int = FONT_SIZE, bold: bool = False) -> int:
    """Return the width of one line of text in pixels, rounded up."""
    table = _BOLD if bold else _REGULAR
    return -(-sum(table.get(character, _OTHERS) for character in text) * size // 1000)


def printable(text: str) -> str:
    """Return text without the characters that XML does not allow."""
    return "".join(c for c in text if c.isprintable() or c in "\n\t")
