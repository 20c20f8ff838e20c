"""The command `rehearse` and its options."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from panda_ioc.errors import BadValue
from panda_ioc.examples import examples
from panda_ioc.numbers import not_negative_int
from panda_ioc.timing.times import parse_time

if TYPE_CHECKING:
    from argparse import _ActionsContainer as ActionsContainer


def rehearse_arguments(parser: ArgumentParser) -> None:
    """Arguments of `rehearse`."""
    _add_layout(parser)
    _add_scan(parser.add_argument_group("the scan"))
    _add_output(parser.add_argument_group("what is made of it"))


def rehearse(options: Namespace) -> int:
    """Rehearse a layout."""
    from panda_ioc.commands.plot import draw
    from panda_ioc.commands.rehearse.command import run

    return run(options, _add_scan, draw)


def _add_layout(parser: ArgumentParser) -> None:
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


def _add_scan(parser: "ActionsContainer") -> None:
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
    add(
        "--set",
        **several,  # type: ignore[arg-type]
        metavar="FIELD=VALUE",
        help="change a setting, or the level at TTLIN1.VAL; may be repeated",
    )
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


def _add_output(parser: "ActionsContainer") -> None:
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


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ArgumentTypeError(f"{text!r} is not written NAME=VALUE")
    return name.strip(), value.strip()


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _time(text: str) -> int:
    try:
        return parse_time(text)
    except BadValue as error:
        raise ArgumentTypeError(str(error)) from None
