"""State files: all settings of a PandA as text, saved and loaded.

A file holds the lines that set the PandA (see `GetState`): attributes before fields, because a time
is a number in its UNITS; then tables, as base64, each ended by an empty line; then metadata. Lines
that begin with ``#`` are comments. A file is written whole or not at all. Only fields, attributes,
tables and metadata can be set from a file: it cannot arm a PandA, say.

Files of other tools are read, too: the file in which the server of a PandA keeps its settings,
lists of `GetState`, and what was written down of ``*CHANGES?``. They may begin with a byte order
mark, have the line ends of Windows, end with a table, and set what nobody can write.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.device.model import Device
from panda_ioc.errors import BadValue, CommandError, ConfigurationError
from panda_ioc.files import write_atomically
from panda_ioc.protocol.commands import GetLine, GetState, Put, SetState
from panda_ioc.protocol.responses import Refused
from panda_ioc.statefile.lines import Setting, lines_of, parse, table_name

TIMEOUT = 30.0
"""Seconds that saving and loading may each take: large tables are slow."""

LARGEST = 256 << 20
"""Characters of a file that are read at most."""

SHOWN = 3
"""Settings that are named of those that were left out."""


@dataclass(frozen=True)
class Loaded:
    """What became of the settings of a state file.

    Attributes:
        sent: lines that were sent
        left_out: first lines of settings that no PandA takes: of fields and attributes that nobody
            can write, or without a value
        refused: what the PandA refused
    """

    sent: int
    left_out: tuple[str, ...]
    refused: tuple[Refused, ...]

    def told(self) -> str:
        """What was left out, in words; "" if nothing was."""
        if not self.left_out:
            return ""
        shown = ", ".join(self.left_out[:SHOWN] + ("...",) * (len(self.left_out) > SHOWN))
        return f"{len(self.left_out)} settings left out, as no PandA takes them: {shown}"


async def get_state(client: AsyncioClient, device: Device) -> list[str]:
    """The settings of a PandA as lines of a state file."""
    state = await client.send(GetState(), TIMEOUT)
    idn = await client.send(GetLine("*IDN"))
    kept = (each for each in parse(state) if not device.is_read_only(each.name))
    return [f"# Settings of {idn}", *lines_of(kept)]


async def set_state(client: AsyncioClient, device: Device, settings: Iterable[Setting]) -> Loaded:
    """Send the settings that a PandA may take.

    A table that streams cannot be replaced: it is emptied, and its lines are sent again.
    """
    to_send, left_out = sort_out(device, settings)
    refused = await _send(client, to_send)
    return loaded(to_send, left_out, refused)


def sort_out(device: Device, settings: Iterable[Setting]) -> tuple[list[Setting], list[Setting]]:
    """Tell the settings that a PandA may take from those that no PandA takes."""
    to_send: list[Setting] = []
    left_out: list[Setting] = []
    for each in settings:
        is_taken = each.has_value and not device.is_read_only(each.name)
        (to_send if is_taken else left_out).append(each)
    return to_send, left_out


def loaded(
    sent: Sequence[Setting], left_out: Sequence[Setting], refused: tuple[Refused, ...]
) -> Loaded:
    """What became of settings that were sorted out and sent."""
    return Loaded(len(lines_of(sent)), tuple(each.lines[0] for each in left_out), refused)


async def _send(client: AsyncioClient, settings: Sequence[Setting]) -> tuple[Refused, ...]:
    refused = await client.send(SetState(lines_of(settings)), TIMEOUT) or ()
    tables = {name for each in refused if (name := table_name(each.line))}
    streaming = {name for name in tables if await _streams(client, name)}
    if not streaming:
        return refused
    for name in streaming:
        await client.send(Put(name, []))
    again = lines_of(each for each in settings if table_name(each.lines[0]) in streaming)
    others = tuple(each for each in refused if table_name(each.line) not in streaming)
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
        ConfigurationError: it cannot be written
    """
    try:
        write_atomically(path, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from error


def read(path: Path, skipped: str = "") -> list[Setting]:
    """The settings of a state file.

    Args:
        path: of the file
        skipped: how lines begin that are left out, if any are

    Raises:
        ConfigurationError: it cannot be read, or is no state file; the line at fault is named
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not text, this is no state file") from error
    if len(text) > LARGEST:
        raise ConfigurationError(f"{path}: over {LARGEST >> 20} MiB, this is no state file")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    try:
        return parse([line for line in lines if not skipped or not line.startswith(skipped)])
    except BadValue as error:
        raise ConfigurationError(f"{path}: {error}") from error
