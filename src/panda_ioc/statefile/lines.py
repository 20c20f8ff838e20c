"""What the lines of a state file say: settings of one line, tables and texts of several."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from panda_ioc.errors import BadValue

_KEY = re.compile(r"\*METADATA\.\w+", re.ASCII)
_NAME = re.compile(r"\w+(\.\w+)+", re.ASCII)
_OPERATORS = ("=", "<", "<B")
_UNREADABLE = re.compile(r"\*?[\w.]+ \(error\)", re.ASCII)


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        lines: as they are sent; those of a table or text end with an empty one
        has_value: False for what ``*CHANGES?`` only names: a table, or what could not be read
    """

    lines: tuple[str, ...]
    has_value: bool = True

    @property
    def name(self) -> str:
        """What it sets."""
        return _split(self.lines[0])[0]


def parse(lines: Sequence[str]) -> list[Setting]:
    """The settings of a state file; a whole reply to ``*CHANGES?`` may be one, too.

    In such a list attributes come last. They are put first, as a time is a number in its UNITS.

    Raises:
        BadValue: one that sets no field, attribute, table or metadata; the line is named
    """
    is_reply = all(line.startswith(("!", "#")) for line in lines if line not in ("", "."))
    if is_reply:
        lines = ["" if line == "." else line.removeprefix("!") for line in lines]
    is_list = is_reply or any(map(_is_bare, lines, lines[1:]))
    settings = list(_settings(lines, is_list))
    return sorted(settings, key=_is_no_attribute) if is_list else settings


def _is_no_attribute(setting: Setting) -> bool:
    return setting.name.count(".") < 2


def _settings(lines: Sequence[str], is_list: bool) -> Iterator[Setting]:
    last = max((number for number, line in enumerate(lines) if line), default=0)
    at = 0
    while at < len(lines):
        if not lines[at] or lines[at].startswith("#"):
            at += 1
            continue
        # The name of a table at the end: as empty as the other tables of a list of changes.
        following = lines[at] if at == last and is_list else "".join(lines[at + 1 : at + 2])
        setting = _setting(lines, at, following)
        at += len(setting.lines)
        yield setting


def lines_of(settings: Iterable[Setting]) -> list[str]:
    """The lines to send for the settings that have a value."""
    return [line for each in settings if each.has_value for line in each.lines]


def table_name(line: str) -> str:
    """The table that a line begins (metadata are none), or ""."""
    name, operator = _split(line.partition(" ")[0])
    return name if operator.startswith("<") and not name.startswith("*") else ""


def _setting(lines: Sequence[str], at: int, following: str) -> Setting:
    line = lines[at]
    if _UNREADABLE.fullmatch(line):
        return Setting((line,), has_value=False)
    if not _is_setting(line):
        raise _fault(at, line, "sets no field, attribute, table or metadata")
    if not _is_multiline(line):
        return Setting((line,))
    if _is_bare(line, following):
        return Setting((line,), has_value=False)
    return Setting((line, *_body(lines, at), ""))


def _body(lines: Sequence[str], at: int) -> Sequence[str]:
    """The lines of the table or text that begins there, up to an empty one or the end."""
    try:
        end = lines.index("", at)
    except ValueError:
        end = len(lines)
    for number in range(at + 1, end) if table_name(lines[at]) else ():
        if _is_setting(lines[number]):
            raise _fault(number, lines[number], f"is no line of {lines[at][:80]}")
    return lines[at + 1 : end]


def _fault(at: int, line: str, what: str) -> BadValue:
    return BadValue(f"line {at + 1}: {line[:80]!r} {what}")


def _is_setting(line: str) -> bool:
    name, operator = _split(line)
    if any(ord(c) < 32 for c in line):
        return False
    if _KEY.fullmatch(name):
        return operator in ("=", "<")
    return bool(_NAME.fullmatch(name)) and operator in _OPERATORS


def _split(line: str) -> tuple[str, str]:
    """Name and operator: "=", or what follows the name of a table."""
    at = min((line.find(c) for c in "?=<" if c in line), default=len(line))
    return line[:at], "=" if line[at : at + 1] == "=" else line[at:]


def _is_multiline(line: str) -> bool:
    return _split(line)[1].startswith("<")


def _is_bare(line: str, following: str) -> bool:
    """True if a table or text should follow, but another setting does."""
    if not (_is_setting(line) and _is_multiline(line)):
        return False
    if _UNREADABLE.fullmatch(following):
        return True
    return _is_setting(following) and bool(table_name(line) or _KEY.match(following))
