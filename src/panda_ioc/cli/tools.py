"""Commands that do one thing and end: save, load, capture, plot, control, info, diagram."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from panda_ioc import __version__
from panda_ioc.cli.arguments import (
    add_address,
    add_both_ports,
    add_timeout,
    address,
    control_address,
)
from panda_ioc.numbers import positive, positive_int


def save_arguments(parser: ArgumentParser) -> None:
    """Arguments of `save`."""
    _add_state(parser, "to be written")


def load_arguments(parser: ArgumentParser) -> None:
    """Arguments of `load`."""
    _add_state(parser, "that was saved")


def _add_state(parser: ArgumentParser, file: str) -> None:
    add_address(parser)
    parser.add_argument("file", type=Path, metavar="FILE", help=file)
    add_timeout(parser, 10.0)


def save(options: Namespace) -> int:
    """Write the settings of a PandA to a file."""
    from panda_ioc.commands.save_load import save

    return save(*control_address(options), options.file)


def load(options: Namespace) -> int:
    """Set a PandA from a file."""
    from panda_ioc.commands.save_load import load

    return load(*control_address(options), options.file)


def capture_arguments(parser: ArgumentParser) -> None:
    """Arguments of `capture`."""
    add_both_ports(parser)
    parser.add_argument("file", type=Path, metavar="FILE", help="to be made, must not exist")
    parser.add_argument(
        "--arm", action="store_true", help="arm the PandA, default: wait until somebody does"
    )
    parser.add_argument(
        "--num", type=positive_int, default=0, metavar="N", help="samples, default: all"
    )
    parser.add_argument(
        "--mode",
        choices=("first", "last", "forever"),
        default="first",
        help="keep the first or the last N samples, or go on over arms until interrupted,"
        " default: %(default)s",
    )
    parser.add_argument(
        "--flush-period",
        type=positive,
        default=1.0,
        metavar="S",
        help="seconds until readers see samples, default: %(default)s",
    )
    parser.add_argument(
        "--unpack-bits", action="store_true", help="make one dataset of each named bit"
    )
    add_timeout(parser, 4.0)


def capture(options: Namespace) -> int:
    """Capture data to a file."""
    from panda_ioc.capture import CaptureSettings, Mode
    from panda_ioc.commands.capture import run

    modes = {"first": Mode.FIRST_N, "last": Mode.LAST_N, "forever": Mode.FOREVER}
    path = options.file.absolute()
    settings = CaptureSettings(
        path.parent,
        path.name,
        mode=modes[options.mode],
        num=options.num,
        flush_period=options.flush_period,
        attributes={"panda_ioc_version": __version__, "panda": options.address},
    )
    return run(address(options), settings, arm=options.arm, unpack_bits=options.unpack_bits)


def plot_arguments(parser: ArgumentParser) -> None:
    """Arguments of `plot`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="of a capture")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="PNG", help="default: FILE with .png as its ending"
    )
    parser.add_argument(
        "--against",
        choices=("time", "sample"),
        help="default: time where time stamps were captured, else sample",
    )


def plot(options: Namespace) -> int:
    """Draw a capture."""
    from panda_ioc.commands.plot import run

    return run(options.file, options.output or options.file.with_suffix(".png"), options.against)


def control_arguments(parser: ArgumentParser) -> None:
    """Arguments of `control`."""
    add_address(parser)
    parser.add_argument(
        "lines", nargs="*", metavar="COMMAND", help="to be sent; default: read them from stdin"
    )
    parser.add_argument("--prompt", metavar="TEXT", help="default: HOST and an arrow")
    parser.add_argument(
        "--no-readline",
        dest="readline",
        action="store_false",
        help="no completion and no history at the prompt",
    )
    add_timeout(parser, 10.0)


def control(options: Namespace) -> int:
    """Send commands to a PandA."""
    from panda_ioc.commands.control import run

    return run(*control_address(options), options.lines, options.prompt, options.readline)


def info_arguments(parser: ArgumentParser) -> None:
    """Arguments of `info`."""
    add_address(parser)
    parser.add_argument("--json", action="store_true", help="for programs")
    what = parser.add_mutually_exclusive_group()
    for option, text in (
        ("--records", "print the PVs that `run` would serve, default prefix: $(P)"),
        ("--db", "print the records as an EPICS database, default prefix: the macro $(P)"),
    ):
        what.add_argument(option, nargs="?", const="", metavar="PREFIX", help=text)
    add_timeout(parser, 10.0)


def info(options: Namespace) -> int:
    """Print what a PandA is."""
    from panda_ioc.commands import info

    where = control_address(options)
    if options.records is not None:
        return info.show_records(*where, options.records.rstrip(":"), options.json)
    if options.db is not None:
        return info.show_database(*where, options.db.rstrip(":"))
    return info.show(*where, options.json)


def diagram_arguments(parser: ArgumentParser) -> None:
    """Arguments of `diagram`."""
    what = parser.add_mutually_exclusive_group(required=True)
    add_address(what, nargs="?")
    what.add_argument("--state", type=Path, metavar="FILE", help="draw a saved state instead")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="to be written: .svg, .pdf, .png or .gv, default: SVG to the standard output",
    )
    add_timeout(parser, 10.0)


def diagram(options: Namespace) -> int:
    """Draw the wiring of a PandA."""
    from panda_ioc.commands import diagram

    if options.address is None:
        return diagram.draw_state(options.state, options.output)
    return diagram.draw_panda(*control_address(options), options.output)
