"""The options of `panda-ioc rehearse`, on the command line or in the layout itself.

A line `# rehearse: OPTIONS` in a layout gives options that belong to it; those of the command line
come after them. Files that they name are looked for beside the layout. Lines `*SIM.TRAJECTORY=...`,
which a layout for the simulator may have, are motions, too.
"""

import shlex
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from panda_ioc.errors import BadValue, ConfigurationError
from panda_ioc.numbers import not_negative_int
from panda_ioc.timing.times import parse_time

if TYPE_CHECKING:
    from argparse import _ActionsContainer as ActionsContainer

EXAMPLES = Path(__file__).parent / "examples"
_COMMENT = "# rehearse:"
SIMULATOR = "*SIM."
_MOTION = f"{SIMULATOR}TRAJECTORY="
_SUFFIX = ".panda"

Pair = tuple[str, str]


def examples() -> list[str]:
    """Return the names of the layouts that are part of the package."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in EXAMPLES.glob(f"*{_SUFFIX}"))


def add_layout(parser: ArgumentParser) -> None:
    """Add what to rehearse."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("layout", nargs="?", type=Path, metavar="LAYOUT", help="of `panda-ioc save`")
    what.add_argument("--example", choices=examples(), help="a layout of the package")
    parser.add_argument("--config-dir", type=Path, metavar="DIR", help="of the PandA's application")
    parser.add_argument(
        "--copy-to",
        type=Path,
        metavar="DIR",
        help="with --example: copy it there, with its tables, and rehearse that",
    )


def add_scan(parser: "ActionsContainer") -> None:
    """Add what is known of the scan; a layout may give these, too."""
    add = parser.add_argument
    several = {"action": "append", "type": _pair}
    add("--table", **several, metavar="SEQ1=FILE.csv", help="write a table; may be repeated")  # type: ignore[arg-type]
    add("--stream", **several, metavar="SEQ1=FILE.csv", help="stream a table; may be repeated")  # type: ignore[arg-type]
    add(
        "--trajectory",
        **several,  # type: ignore[arg-type]
        metavar="INENC1=MOTION",
        help="move an encoder from the arm on, INENC1@BIT: from when a bit rises;"
        " ramp:FROM,TO,TIME, FILE.csv ...; may be repeated",
    )
    add("--set", **several, metavar="FIELD=VALUE", help="change a setting; may be repeated")  # type: ignore[arg-type]
    add(
        "--after-arm",
        **several,  # type: ignore[arg-type]
        metavar="FIELD=VALUE",
        help="change a setting once PCAP is armed; may be repeated",
    )
    add(
        "--for",
        dest="duration",
        type=_time,
        metavar="TIME",
        help="longest time to rehearse, as 2s or 10ms, default: until the motion ends, or 60s",
    )
    add("--expect-rows", type=not_negative_int, metavar="N", help="fail if there are not so many")
    add(
        "--dead-time",
        **several,  # type: ignore[arg-type]
        metavar="TTLOUT1=TIME",
        help="least time that a bit has to be low between two pulses; may be repeated",
    )


def add_output(parser: "ActionsContainer") -> None:
    """Add what to make of it."""
    add = parser.add_argument
    add("-o", "--output", type=Path, metavar="FILE.h5", help="write the rows, as a capture does")
    add("--plot", type=Path, metavar="PNG", help="draw the rows, as `panda-ioc plot` does")
    add("--json", action="store_true", help="for programs")
    add("--svg", type=Path, metavar="FILE", help="draw a timing diagram")
    add("--png", type=Path, metavar="FILE", help="the same, needs the extra `plot`")
    add("--vcd", type=Path, metavar="FILE", help="write waveforms for GTKWave or Surfer")
    add(
        "--signals",
        type=_names,
        metavar="NAMES",
        help="of the diagram, separated by commas, default: what is wired and changes",
    )
    add("--from", dest="start", type=_time, metavar="TIME", help="where the diagram begins")
    add("--to", dest="end", type=_time, metavar="TIME", help="where it ends")
    add(
        "--around",
        metavar="EVENT",
        help='what to show, as "SEQ1.OUTA rise 3" or, with how much of it, "... rise 3 20us"',
    )
    add("--against", type=Path, metavar="FILE.h5", help="compare with what a real PandA captured")
    add(
        "--tolerance-time",
        type=_time,
        default=_time("100ns"),
        metavar="TIME",
        help="by which times and gates may differ, default: 100ns",
    )
    add(
        "--tolerance-rows",
        type=not_negative_int,
        default=0,
        metavar="N",
        help="by which the number of rows may differ, default: 0",
    )


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


def scan_of(options: Namespace) -> Scan:
    """Put together what the layout says and what the command line says.

    Raises:
        ConfigurationError: a line of options in the layout is wrong
    """
    layout = _layout(options)
    inside = _inside(layout)

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
        dead_times=tuple((_signal(name), _time(text)) for name, text in dead_times),
    )


def _layout(options: Namespace) -> Path:
    """Find the layout; copy it if that is asked for."""
    if not options.example:
        return Path(options.layout)
    if options.copy_to is None:
        return EXAMPLES / f"{options.example}{_SUFFIX}"
    for path in sorted(EXAMPLES.glob(f"{options.example}*")):
        (options.copy_to / path.name).write_bytes(path.read_bytes())
    return Path(options.copy_to / f"{options.example}{_SUFFIX}")


class _LayoutParser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigurationError(message)


def _inside(layout: Path) -> Namespace:
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


def _pair(text: str) -> Pair:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ArgumentTypeError(f"{text!r} is not written NAME=VALUE")
    return name.strip(), value.strip()


def _signal(name: str) -> str:
    return name if "." in name else f"{name}.VAL"


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _time(text: str) -> int:
    try:
        return parse_time(text)
    except BadValue as error:
        raise ArgumentTypeError(str(error)) from None
