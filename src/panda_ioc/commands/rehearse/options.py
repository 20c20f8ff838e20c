"""The options of `panda-ioc rehearse`, on the command line or in the layout itself.

A line `# rehearse: OPTIONS` in a layout gives options that belong to it; those of the command line
come after them. Files that they name are looked for beside the layout. Lines `*SIM.TRAJECTORY=...`,
which a layout for the simulator may have, are motions, too.
"""

import shlex
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from panda_ioc.errors import ConfigurationError
from panda_ioc.examples import EXAMPLES, SUFFIX
from panda_ioc.timing.times import parse_time

_COMMENT = "# rehearse:"
SIMULATOR = "*SIM."
_MOTION = f"{SIMULATOR}TRAJECTORY="

Pair = tuple[str, str]
AddScan = Callable[[ArgumentParser], None]


@dataclass(frozen=True)
class Scan:
    """What is rehearsed.

    Attributes:
        layout: the file of settings
        tables, streams: files by block
        trajectories: motions by encoder
        settings, after_arm: fields and values, before and after PCAP is armed
        duration: ticks to rehearse at most, None for what the motion takes
        expected: rows, None if nothing was said
        dead_times: ticks by signal
    """

    layout: Path
    tables: tuple[Pair, ...]
    streams: tuple[Pair, ...]
    trajectories: tuple[Pair, ...]
    settings: tuple[Pair, ...]
    after_arm: tuple[Pair, ...]
    duration: int | None
    expected: int | None
    dead_times: tuple[tuple[str, int], ...]


def scan_of(options: Namespace, add_scan: AddScan) -> Scan:
    """Put together what the layout says and what the command line says.

    Args:
        options: of the command line
        add_scan: adds the options that a layout may give, too

    Raises:
        ConfigurationError: a line of options in the layout is wrong
    """
    layout = _layout(options)
    inside = _inside(layout, add_scan)

    def pairs(name: str) -> tuple[Pair, ...]:
        return *_beside(layout, getattr(inside, name), name), *(getattr(options, name) or ())

    dead_times = (*(inside.dead_time or ()), *(options.dead_time or ()))
    return Scan(
        layout,
        tables=pairs("table"),
        streams=pairs("stream"),
        trajectories=pairs("trajectory"),
        settings=pairs("set"),
        after_arm=pairs("after_arm"),
        duration=inside.duration if options.duration is None else options.duration,
        expected=inside.expect_rows if options.expect_rows is None else options.expect_rows,
        dead_times=tuple((_signal(name), parse_time(text)) for name, text in dead_times),
    )


def _layout(options: Namespace) -> Path:
    """Find the layout; copy it if that is asked for."""
    if not options.example:
        return Path(options.layout)
    if options.copy_to is None:
        return EXAMPLES / f"{options.example}{SUFFIX}"
    for path in sorted(EXAMPLES.glob(f"{options.example}*")):
        (options.copy_to / path.name).write_bytes(path.read_bytes())
    return Path(options.copy_to / f"{options.example}{SUFFIX}")


class _LayoutParser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigurationError(message)


def _inside(layout: Path, add_scan: AddScan) -> Namespace:
    """Read the options that a layout gives."""
    parser = _LayoutParser(add_help=False, allow_abbrev=False)
    add_scan(parser)
    try:
        text = layout.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise ConfigurationError(f"{layout}: cannot be read: {error.strerror}") from error
    lines = [line for line in text.splitlines() if line.startswith(_COMMENT)]
    motions = [line for line in text.splitlines() if line.startswith(_MOTION)]
    words = [f"--trajectory={line.removeprefix(_MOTION)}" for line in motions]
    try:
        words += [word for line in lines for word in shlex.split(line.removeprefix(_COMMENT))]
        return parser.parse_args(words)
    except (ConfigurationError, ValueError) as error:
        raise ConfigurationError(f"{layout}: {_COMMENT} ...: {error}") from error


def _beside(layout: Path, pairs: list[Pair] | None, name: str) -> list[Pair]:
    """Take the names of files as seen from the layout."""
    if name in ("set", "after_arm"):
        return pairs or []
    return [(block, _file_beside(layout, text)) for block, text in pairs or ()]


def _file_beside(layout: Path, text: str) -> str:
    path = layout.parent / text
    return str(path) if text.lower().endswith(".csv") and path.exists() else text


def _signal(name: str) -> str:
    return name if "." in name else f"{name}.VAL"
