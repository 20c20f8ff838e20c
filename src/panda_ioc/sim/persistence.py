"""State files: what an application begins with, layouts, and settings that outlive a restart.

The server's own persistence file is the answer to `*CHANGES?` with its tables written out: first
attributes, then settings, tables in base64, and metadata. Attributes that cannot be written are
among them.
"""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from panda_ioc.errors import CommandError, ConfigurationError
from panda_ioc.sim.commands import Commands
from panda_ioc.sim.machine import Machine
from panda_ioc.sim.reports import Group, Item
from panda_ioc.sim.state import PandAState
from panda_ioc.sim.table import TableState

_log = logging.getLogger(__name__)
_GROUPS = (Group.ATTR, Group.CONFIG, Group.TABLE, Group.METADATA)


def put_settings(machine: Machine, lines: Iterable[str]) -> None:
    """Put the settings of an application's `state` file, one `NAME=value` a line."""
    commands = Commands(machine, None)
    for line in lines:
        name, _, value = line.partition("=")
        try:
            commands.put(name, value)
        except CommandError as error:
            raise ConfigurationError(f"state file, {line!r}: {error}") from error


def put_layout(machine: Machine, path: Path) -> None:
    """Put the settings of a layout, and its lines `*SIM.TRAJECTORY=...`, say.

    A layout is a file of `panda-ioc save`. Lines that begin with `#` are comments.

    Raises:
        ConfigurationError: the file cannot be read, or a line is refused
    """
    commands = Commands(machine, None)
    lines = iter(_read(path))
    for line in lines:
        if not line or line.startswith("#"):
            continue
        try:
            _put(commands, line, lines)
        except CommandError as error:
            raise ConfigurationError(f"{path}: {line!r}: {error}") from error


def _read(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not text, this is no layout") from error


class Persistence:
    """The file in which the settings of a machine outlive it."""

    def __init__(self, machine: Machine, path: Path) -> None:
        self._machine = machine
        self._path = path

    def load(self) -> None:
        """Put what the file holds, if there is one; lines that are refused are only counted."""
        if not self._path.exists():
            return
        lines = iter(self._path.read_bytes().decode(errors="surrogateescape").split("\n")[:-1])
        commands, refused = Commands(self._machine, None), 0
        for line in lines:
            try:
                _put(commands, line, lines)
            except CommandError as error:
                refused += 1
                _log.debug("%s: %s: %s", self._path, line, error)
        if refused:
            _log.warning("%s: %d lines are not taken back", self._path, refused)

    def save(self) -> None:
        """Write the file anew, or leave the one there is."""
        backup = self._path.with_name(f"{self._path.name}.backup")
        text = "".join(f"{line}\n" for line in _lines(self._machine.state))
        try:
            backup.write_bytes(text.encode(errors="surrogateescape"))
            backup.replace(self._path)
        except OSError as error:
            _log.error("cannot write %s: %s", self._path, error)


def _put(commands: Commands, line: str, more: Iterator[str]) -> None:
    """Carry out one line of the file, and the lines of its table."""
    table = line.find("<") if "<" in line else len(line)
    assignment = line.find("=") if "=" in line else len(line)
    if assignment < table:
        commands.put(line[:assignment], line[assignment + 1 :])
        return
    if table == len(line):
        raise CommandError("Malformed line")
    lines = list(iter(lambda: next(more, ""), ""))
    writer, complete = commands.writer(line[:table], line[table + 1 :]), False
    try:
        for part in lines:
            writer.write(part)
        complete = True
    finally:
        writer.close(complete)


def _lines(state: PandAState) -> Iterator[str]:
    for group in _GROUPS:
        for item in state.items[group]:
            yield from _item_lines(state, item)


def _item_lines(state: PandAState, item: Item) -> Iterator[str]:
    if item.text:
        yield item.line()
        return
    field = state.fields.get(item.name)
    if isinstance(field, TableState):
        yield f"{item.name}<B"
        yield from field.base64_lines()
    else:
        yield f"{item.name}<"
        yield from state.metadata[item.name.rpartition(".")[2]].lines
    yield ""
