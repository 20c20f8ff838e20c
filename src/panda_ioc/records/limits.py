"""The limits of EPICS, met in this one place.

Texts that do not fit are cut between characters, never inside one.
"""

import re
from collections.abc import Sequence

NAME = 60
DESC = 40
STRING = 39
EGU = 15
STATES = 16
STATE = 25
LONG = (-(1 << 31), (1 << 31) - 1)
TABLE_ROWS = 65536
"""Rows that are served of a table with room for more: EPICS copies whole arrays again and again."""

_NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f]|\$(?=[({])")


def cut(text: str, size: int) -> str:
    """Return as much of a text as fits into `size` bytes of UTF-8."""
    return text[:size] if text.isascii() else text.encode()[:size].decode(errors="ignore")


def fits(text: str, size: int) -> bool:
    """Whether a text fits without cutting."""
    return len(text) <= size if text.isascii() else len(text.encode()) <= size


def fit_states(labels: Sequence[str]) -> bool:
    """Whether a record of type mbbi or mbbo can hold these labels as its states."""
    return len(labels) <= STATES and all(fits(label, STATE) for label in labels)


def desc(text: str | None) -> str:
    """Return a description for the DESC field; the whole text is served elsewhere."""
    return cut(" ".join((text or "").split()), DESC)


def held(value: str | float, rtype: str) -> str | float:
    """Return a value as a field like HOPR of this record type can hold it."""
    if isinstance(value, str):
        return plain(value)
    if rtype in ("longin", "longout"):
        return max(LONG[0], min(LONG[1], value))
    return value


def plain(text: str) -> str:
    """Return text that a database definition takes literally: no control characters, no macros."""
    return _NOT_PLAIN.sub("?", text)
