"""How wide text is: advance widths of Liberation Sans, in thousandths of the font size."""

from collections.abc import Mapping
from types import MappingProxyType

FONT_SIZE = 14  # of Phoebus's default font
_OTHERS = 560
_BOLD = 1.08  # at most as much wider than regular

_WIDTHS: Mapping[str, int] = MappingProxyType(
    {
        character: width
        for width, characters in (
            (222, "ijl'|"),
            (278, " !,./:;[]\\fItr"),
            (355, '-()`"'),
            (500, "ckszxvyJ"),
            (556, "abdeghnopqu0123456789_?#$L"),
            (611, "FTZ"),
            (667, "ABEKPSVXY&"),
            (722, "CDHNRUw"),
            (778, "GOQ"),
            (833, "mM"),
            (944, "W%@"),
        )
        for character in characters
    }
)


def width(text: str, size: int = FONT_SIZE, bold: bool = False) -> int:
    """Pixels that one line of text takes, rounded up."""
    units = sum(_WIDTHS.get(character, _OTHERS) for character in text)
    return -int(-units * size * (_BOLD if bold else 1) // 1000)


def printable(text: str) -> str:
    """Text without the characters that XML has no place for."""
    return "".join(c for c in text if c.isprintable() or c in "\n\t")
