"""State files: all settings of a PandA as text, saved and loaded.

A file holds the lines that set the PandA (see `GetState`): attributes before fields, because a time
is a number in its UNITS; then tables, as base64, each ended by an empty line; then metadata. Lines
that begin with ``#`` are comments. A file is written whole or not at all. Only fields, attributes,
tables and metadata can be set from a file: it can not arm a PandA, say.
"""

from collections.abc import Iterator
from pathlib import Path

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.errors import CommandError, ConfigurationError
from panda_ioc.files import write_atomically
from panda_ioc.protocol.commands import GetLine, GetState, Put, SetState
from panda_ioc.protocol.responses import Refused

TIMEOUT = 30.0
"""Seconds that saving and loading may each take: large tables are slow."""

LARGEST = 256 << 20
"""Characters of a file that are read at most."""

_METADATA = "*METADATA."
_OPERATORS = ("=", "<", "<B")


async def get_state(client: AsyncioClient) -> list[str]:
    """The settings of a PandA as lines of a state file."""
    state = await client.send(GetState(), TIMEOUT)
    idn = await client.send(GetLine("*IDN"))
    return [f"# Settings of {idn}", *state]


async def set_state(client: AsyncioClient, lines: list[str]) -> tuple[Refused, ...]:
    """Send lines of a state file; the result is what the PandA refused.

    A table that streams can not be replaced: it is emptied, and its lines are sent again.
    """
    to_send = settings(lines)
    refused = await client.send(SetState(to_send), TIMEOUT) or ()
    tables = {name for each in refused if (name := _table_name(each.line))}
    streaming = {name for name in tables if await _streams(client, name)}
    if not streaming:
        return refused
    for name in streaming:
        await client.send(Put(name, []))
    again = [line for part in _parts(to_send) if _table_name(part[0]) in streaming for line in part]
    others = tuple(each for each in refused if _table_name(each.line) not in streaming)
    still = await client.send(SetState(again), TIMEOUT)
    return others + (still or ())


async def _streams(client: AsyncioClient, table: str) -> bool:
    try:
        return (await client.send(GetLine(f"{table}.MODE"))).startswith("STREAMING")
    except CommandError:
        return False  # servers before 4.0 do not know this


def write(path: Path, lines: list[str]) -> None:
    """Write a state file.

    Raises:
        ConfigurationError: it can not be written
    """
    try:
        write_atomically(path, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise ConfigurationError(f"{path}: can not be written: {error.strerror}") from error


def read(path: Path) -> list[str]:
    """The lines of a state file.

    Raises:
        ConfigurationError: it can not be read, or is no state file; the line at fault is named
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigurationError(f"{path}: can not be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not text, this is no state file") from error
    if len(text) > LARGEST:
        raise ConfigurationError(f"{path}: over {LARGEST >> 20} MiB, this is no state file")
    lines = text.split("\n")[:-1] if text.endswith("\n") else text.split("\n")
    _check(path, lines)
    return lines


def _check(path: Path, lines: list[str]) -> None:
    in_table = 0
    for number, line in enumerate(lines, 1):
        if in_table:
            in_table = in_table if line else 0
        elif line and not line.startswith("#"):
            if not _is_setting(line):
                raise ConfigurationError(
                    f"{path}: line {number}: {line[:80]!r} sets no field, attribute, table or"
                    " metadata"
                )
            in_table = number if _is_multiline(line) else 0
    if in_table:
        raise ConfigurationError(
            f"{path}: line {in_table}: no empty line after the table {lines[in_table - 1][:80]!r}"
        )


def _is_setting(line: str) -> bool:
    name, operator = _split(line)
    if any(ord(c) < 32 for c in line) or not name or " " in name:
        return False
    if name.startswith("*"):
        return name.startswith(_METADATA) and operator in ("=", "<")
    return "." in name and operator in _OPERATORS


def _split(line: str) -> tuple[str, str]:
    """Name and operator: "=", or what follows the name of a table."""
    at = min((line.find(c) for c in "?=<" if c in line), default=len(line))
    return line[:at], "=" if line[at : at + 1] == "=" else line[at:]


def _is_multiline(line: str) -> bool:
    return _split(line)[1].startswith("<")


def _table_name(line: str) -> str:
    """The table that a line begins (metadata are none), or ""."""
    name, operator = _split(line.partition(" ")[0])
    return name if operator.startswith("<") and not name.startswith("*") else ""


def _parts(lines: list[str]) -> Iterator[list[str]]:
    """The lines of each setting."""
    rest = iter(lines)
    for line in rest:
        part = [line]
        if _is_multiline(line) and not line.startswith("#"):
            part += iter(lambda: next(rest), "")
            part.append("")
        yield part


def settings(lines: list[str]) -> list[str]:
    """The lines of a state file without comments and empty ones."""
    return [
        line for part in _parts(lines) if part[0] and not part[0].startswith("#") for line in part
    ]
