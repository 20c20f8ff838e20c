"""The limits of EPICS, met in this one place.

Texts that do not fit are cut between characters, never inside one, and the log says so once.
"""

import logging
from collections.abc import Sequence

NAME = 60
DESC = 40
STRING = 39
EGU = 15
STATES = 16
STATE = 25

log = logging.getLogger(__name__)


def cut(text: str, size: int) -> str:
    """As much of text as fits into size bytes of UTF-8."""
    return text[:size] if text.isascii() else text.encode()[:size].decode(errors="ignore")


def fits(text: str, size: int) -> bool:
    """True if text needs no cutting."""
    return len(text) <= size if text.isascii() else len(text.encode()) <= size


def fit_states(labels: Sequence[str]) -> bool:
    """True if a record of type mbbi or mbbo can hold these labels as its states."""
    return len(labels) <= STATES and all(fits(label, STATE) for label in labels)


def desc(text: str | None) -> str:
    """A description for the DESC field; the whole text is served elsewhere."""
    return cut(" ".join((text or "").split()), DESC)


def check_name(name: str) -> None:
    """Warn of a name that Channel Access clients can not use."""
    if not fits(name, NAME):
        log.warning("%s: %d characters, Channel Access allows %d", name, len(name), NAME)
