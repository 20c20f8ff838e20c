"""The command line: argument parsing only; what a command needs is imported when it is run."""

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from typing import NamedTuple

from panda_ioc import __version__, logs
from panda_ioc.cli import rehearsing, serving, tools
from panda_ioc.errors import PandAError

LEVELS = ("debug", "info", "warning", "error")


class Subcommand(NamedTuple):
    """A command: the functions that add its arguments and run it."""

    name: str
    help: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
    log_level: str = "info"


COMMANDS = (
    Subcommand("run", "serve one PandA as EPICS PVs", serving.run_arguments, serving.run),
    Subcommand("sim", "run a simulated PandA", serving.sim_arguments, serving.sim),
    Subcommand(
        "demo",
        "serve a simulated PandA, and say how to talk to it",
        serving.demo_arguments,
        serving.demo,
    ),
    Subcommand("save", "write all settings of a PandA to a file", tools.save_arguments, tools.save),
    Subcommand("load", "set a PandA from a saved file", tools.load_arguments, tools.load),
    Subcommand(
        "capture", "capture data of a PandA to an HDF5 file", tools.capture_arguments, tools.capture
    ),
    Subcommand("plot", "draw the data of a capture", tools.plot_arguments, tools.plot),
    Subcommand(
        "rehearse",
        "tell what a layout will do, tick by tick, and draw it",
        rehearsing.rehearse_arguments,
        rehearsing.rehearse,
        log_level="warning",
    ),
    Subcommand(
        "control",
        "talk to a PandA: a console, or commands from a pipe",
        tools.control_arguments,
        tools.control,
        log_level="warning",
    ),
    Subcommand(
        "info", "print what a PandA is", tools.info_arguments, tools.info, log_level="warning"
    ),
    Subcommand(
        "diagram",
        "draw the blocks of a PandA and the wires between them",
        tools.diagram_arguments,
        tools.diagram,
        log_level="warning",
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    _open_standard_files()
    options = make_parser().parse_args(arguments)
    command: Subcommand = options.command
    logs.configure(options.log_level or command.log_level, options.log_format)
    try:
        status = command.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # of stdout: who reads it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (PandAError, OSError) as error:
        sys.stderr.write(f"panda-ioc: {_words(error)}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _open_standard_files() -> None:
    """Open closed standard files; the next socket would get their number and be printed into."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, os.fdopen(number, "w" if number else "r"))


def _words(error: Exception) -> str:
    """Return the message of an error, with the name of the file first."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def make_parser() -> ArgumentParser:
    """Make the parser of all commands."""
    common = _common()
    parser = ArgumentParser(
        prog="panda-ioc", description="The bridge between PandAs and EPICS.", parents=[common]
    )
    parsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        each = parsers.add_parser(command.name, parents=[common], help=command.help)
        command.add_arguments(each)
        each.set_defaults(command=command)
    return parser


def _common() -> ArgumentParser:
    common = ArgumentParser(add_help=False)
    common.add_argument("--version", action="version", version=f"panda-ioc {__version__}")
    common.add_argument(
        "--log-level", choices=LEVELS, help="default: info; of commands that print: warning"
    )
    common.add_argument(
        "--log-format", choices=("text", "json"), default="text", help="default: %(default)s"
    )
    return common
