"""The command line: argument parsing only."""

import argparse
import ipaddress
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panda_ioc import __version__, logs
from panda_ioc.errors import ConfigurationError, PandAError

if TYPE_CHECKING:
    from panda_ioc.ioc.connection import Address

LEVELS = ("debug", "info", "warning", "error")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    options = _parser().parse_args(arguments)
    logs.configure(options.log_level or options.usual_log_level, options.log_format)
    try:
        status: int = options.command(options)
        sys.stdout.flush()
    except BrokenPipeError:  # of stdout: who reads it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (PandAError, OSError) as error:
        sys.stderr.write(f"panda-ioc: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--version", action="version", version=f"panda-ioc {__version__}")
    common.add_argument(
        "--log-level", choices=LEVELS, help="default: info; of commands that print: warning"
    )
    common.add_argument(
        "--log-format", choices=("text", "json"), default="text", help="default: %(default)s"
    )
    parser = argparse.ArgumentParser(
        prog="panda-ioc", description="The bridge between PandA boxes and EPICS.", parents=[common]
    )
    parser.set_defaults(usual_log_level="info")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (
        *(_add_run, _add_sim, _add_demo, _add_save, _add_load, _add_capture, _add_plot),
        *(_add_control, _add_info, _add_diagram),
    ):
        add(commands, common)
    return parser


def _add_run(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("run", parents=[common], help="serve one PandA as EPICS PVs")
    parser.add_argument("address", metavar="HOST[:CONTROL_PORT[:DATA_PORT]]", help="of the PandA")
    parser.add_argument("prefix", metavar="PREFIX", help="of all PVs, without the last colon")
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="FILE",
        help="keep what the PandA is in FILE, to serve its records even while it is off",
    )
    parser.add_argument(
        "--exit-if-different",
        action="store_true",
        help="exit with status 3 when a different PandA answers, instead of beginning anew",
    )
    _add_serving(parser)
    parser.set_defaults(command=_run)


def _add_serving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--poll-period",
        type=_positive,
        default=0.1,
        metavar="S",
        help="seconds between polls of changes, default: %(default)s",
    )
    _add_timeout(parser, 4.0)
    parser.add_argument(
        "--table-rows",
        type=_positive_int,
        default=65536,
        metavar="N",
        help="rows that are served of a table, at most, default: %(default)s",
    )
    parser.add_argument(
        "--access-security", type=Path, metavar="FILE", help="EPICS access security file"
    )
    parser.add_argument("--log-puts", action="store_true", help="log who puts what, from where")
    parser.add_argument(
        "--bind", default="", metavar="ADDR", help="serve on this address only, default: on all"
    )
    parser.add_argument(
        "--autosave-dir",
        type=Path,
        metavar="DIR",
        help="keep the settings of the bridge in DIR, so that they survive a restart",
    )
    parser.add_argument(
        "--data-root",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="write files in DIR only (may be given several times), default: anywhere",
    )
    parser.add_argument(
        "--pv-list",
        type=Path,
        metavar="FILE",
        help="write the names of small PVs to FILE, of others to FILE-large, -aliases and -pva",
    )
    parser.add_argument(
        "--design-dir",
        type=Path,
        metavar="DIR",
        help="save and load all settings of the PandA in DIR, by the PVs DESIGN:*",
    )
    parser.add_argument(
        "--screens-dir", type=Path, metavar="DIR", help="write Phoebus screens into DIR"
    )


def _add_timeout(parser: argparse.ArgumentParser, default: float) -> None:
    parser.add_argument(
        "--timeout",
        type=_positive,
        default=default,
        metavar="S",
        help="seconds that the PandA may take to answer, default: %(default)s",
    )


def _run(options: argparse.Namespace) -> int:
    from panda_ioc.ioc.server import Options, run

    return run(
        Options(
            address=_address(options.address, options.timeout),
            cache=options.cache,
            replace=not options.exit_if_different,
            **_serving(options),
        )
    )


def _serving(options: argparse.Namespace) -> dict[str, Any]:
    """What `run` and `demo` have in common."""
    return {
        "prefix": options.prefix.rstrip(":"),
        "poll_period": options.poll_period,
        "table_rows": options.table_rows,
        "screens_dir": options.screens_dir,
        "access_security": options.access_security,
        "log_puts": options.log_puts,
        "autosave_dir": options.autosave_dir,
        "bind": options.bind,
        "data_roots": tuple(options.data_root),
        "design_dir": options.design_dir,
        "pv_list": options.pv_list,
    }


def _add_sim(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("sim", parents=[common], help="run a simulated PandA")
    parser.add_argument("--config-dir", type=Path, metavar="DIR", help="of a PandA application")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDR", help="default: %(default)s")
    parser.add_argument(
        "--port", type=_port, default=8888, metavar="N", help="control port, 0: any, default: 8888"
    )
    parser.add_argument(
        "--data-port", type=_port, metavar="N", help="0: any, default: control port + 1"
    )
    parser.add_argument(
        "--rate", type=float, default=1000.0, metavar="HZ", help="samples/s, 0: unlimited"
    )
    parser.add_argument(
        "--samples", type=int, default=0, metavar="N", help="in an acquisition, 0: until disarmed"
    )
    parser.add_argument(
        "--alive",
        action=argparse.BooleanOptionalAction,
        help="values move, default: with the packaged application or once armed",
    )
    parser.add_argument(
        "--unknown-types", action="store_true", help="have fields of a type that nobody knows"
    )
    parser.set_defaults(command=_sim)


def _sim(options: argparse.Namespace) -> int:
    from panda_ioc.sim import Settings, run

    return run(
        options.config_dir,
        options.host,
        options.port,
        options.data_port,
        settings=Settings(rate=options.rate, samples=options.samples),
        alive=options.alive,
        unknown_types=options.unknown_types,
    )


def _add_demo(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "demo", parents=[common], help="serve a simulated PandA, and say how to talk to it"
    )
    parser.add_argument("prefix", metavar="PREFIX", nargs="?", default="DEMO", help="of all PVs")
    _add_serving(parser)
    parser.set_defaults(command=_demo)


def _demo(options: argparse.Namespace) -> int:
    from panda_ioc.commands.demo import run

    return run(**_serving(options))


def _add_control(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "control", parents=[common], help="talk to a PandA: a console, or commands from a pipe"
    )
    parser.add_argument("address", metavar="HOST[:CONTROL_PORT]", help="of the PandA")
    parser.add_argument(
        "lines", nargs="*", metavar="COMMAND", help="to be sent; default: read them from stdin"
    )
    _add_timeout(parser, 10.0)
    parser.set_defaults(command=_control, usual_log_level="warning")


def _control(options: argparse.Namespace) -> int:
    from panda_ioc.commands.control import run

    address = _address(options.address, options.timeout)
    return run(address.host, address.control_port, address.timeout, options.lines)


def _add_info(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("info", parents=[common], help="print what a PandA is")
    parser.add_argument("address", metavar="HOST[:CONTROL_PORT]", help="of the PandA")
    parser.add_argument("--json", action="store_true", help="for programs")
    what = parser.add_mutually_exclusive_group()
    for option, text in (
        ("--records", "print the PVs that `run` would serve, default prefix: $(P)"),
        ("--db", "print the records as an EPICS database, default prefix: the macro $(P)"),
    ):
        what.add_argument(option, nargs="?", const="$(P)", metavar="PREFIX", help=text)
    _add_timeout(parser, 10.0)
    parser.set_defaults(command=_info, usual_log_level="warning")


def _info(options: argparse.Namespace) -> int:
    from panda_ioc.commands import info

    address = _address(options.address, options.timeout)
    where = (address.host, address.control_port, address.timeout)
    if options.records is not None:
        return info.show_records(*where, options.records.rstrip(":"), options.json)
    if options.db is not None:
        return info.show_database(*where, options.db.rstrip(":"))
    return info.show(*where, options.json)


def _add_diagram(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "diagram", parents=[common], help="draw the blocks of a PandA and the wires between them"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("address", metavar="HOST[:CONTROL_PORT]", nargs="?", help="of the PandA")
    what.add_argument("--state", type=Path, metavar="FILE", help="draw a saved state instead")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="to be written: .svg, .pdf, .png or .gv, default: SVG to the standard output",
    )
    _add_timeout(parser, 10.0)
    parser.set_defaults(command=_diagram, usual_log_level="warning")


def _diagram(options: argparse.Namespace) -> int:
    from panda_ioc.commands import diagram

    where = None
    if options.address is not None:
        address = _address(options.address, options.timeout)
        where = (address.host, address.control_port)
    return diagram.run(where, options.state, options.output, options.timeout)


def _add_save(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "save", parents=[common], help="write all settings of a PandA to a file"
    )
    _add_state_arguments(parser, "to be written")
    parser.set_defaults(command=_save)


def _add_load(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("load", parents=[common], help="set a PandA from a saved file")
    _add_state_arguments(parser, "that was saved")
    parser.set_defaults(command=_load)


def _add_state_arguments(parser: argparse.ArgumentParser, file: str) -> None:
    parser.add_argument("address", metavar="HOST[:CONTROL_PORT]", help="of the PandA")
    parser.add_argument("file", type=Path, metavar="FILE", help=file)
    _add_timeout(parser, 10.0)


def _save(options: argparse.Namespace) -> int:
    from panda_ioc.commands.save_load import save

    address = _address(options.address, options.timeout)
    return save(address.host, address.control_port, address.timeout, options.file)


def _load(options: argparse.Namespace) -> int:
    from panda_ioc.commands.save_load import load

    address = _address(options.address, options.timeout)
    return load(address.host, address.control_port, address.timeout, options.file)


def _add_capture(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "capture", parents=[common], help="capture data of a PandA to an HDF5 file"
    )
    parser.add_argument("address", metavar="HOST[:CONTROL_PORT[:DATA_PORT]]", help="of the PandA")
    parser.add_argument("file", type=Path, metavar="FILE", help="to be made, must not exist")
    parser.add_argument(
        "--arm", action="store_true", help="arm the PandA, default: wait until somebody does"
    )
    parser.add_argument(
        "--num", type=_positive_int, default=0, metavar="N", help="samples, default: all"
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
        type=_positive,
        default=1.0,
        metavar="S",
        help="seconds until readers see samples, default: %(default)s",
    )
    parser.add_argument(
        "--unpack-bits", action="store_true", help="make one dataset of each named bit"
    )
    _add_timeout(parser, 4.0)
    parser.set_defaults(command=_capture)


def _capture(options: argparse.Namespace) -> int:
    from panda_ioc.capture import Mode, Settings
    from panda_ioc.commands.capture import run

    modes = {"first": Mode.FIRST_N, "last": Mode.LAST_N, "forever": Mode.FOREVER}
    path = options.file.absolute()
    settings = Settings(
        path.parent,
        path.name,
        mode=modes[options.mode],
        num=options.num,
        flush_period=options.flush_period,
        attributes={"panda_ioc_version": __version__, "panda": options.address},
    )
    address = _address(options.address, options.timeout)
    return run(address, settings, arm=options.arm, unpack_bits=options.unpack_bits)


def _add_plot(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("plot", parents=[common], help="draw the data of a capture")
    parser.add_argument("file", type=Path, metavar="FILE", help="of a capture")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="PNG", help="default: FILE with .png as its ending"
    )
    parser.add_argument(
        "--against",
        choices=("time", "sample"),
        help="default: time where time stamps were captured, else sample",
    )
    parser.set_defaults(command=_plot)


def _plot(options: argparse.Namespace) -> int:
    from panda_ioc.commands.plot import run

    return run(options.file, options.output or options.file.with_suffix(".png"), options.against)


def _address(text: str, timeout: float) -> "Address":
    from panda_ioc.ioc.connection import Address

    host, *ports = text.rsplit(":", 2) if text.count(":") <= 2 else [text]
    try:
        if ":" in host:
            ipaddress.IPv6Address(host)
        control, data = ([int(port) for port in ports] + [8888, 8889][len(ports) :])[:2]
    except ValueError:
        raise ConfigurationError(
            f"{text}: give the address as HOST, HOST:CONTROL_PORT or HOST:CONTROL_PORT:DATA_PORT"
        ) from None
    if not host or not all(0 < port < 65536 for port in (control, data)):
        raise ConfigurationError(f"{text}: the host must not be empty, ports are 1 to 65535")
    return Address(host, control, data, timeout)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port: 0 to 65535")
    return int(text)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _positive_int(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is not a positive whole number")
    return int(text)
