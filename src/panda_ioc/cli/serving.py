"""Commands that run until they are told to end: run, sim, demo."""

from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from pathlib import Path
from typing import Any

from panda_ioc.cli.arguments import (
    CONTROL_PORT,
    add_both_ports,
    add_timeout,
    address,
    not_negative,
    not_negative_int,
    port,
    positive,
    positive_int,
)


def run_arguments(parser: ArgumentParser) -> None:
    """Arguments of `run`."""
    add_both_ports(parser)
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
    _add_files(parser)


def run(options: Namespace) -> int:
    """Serve a PandA."""
    from panda_ioc.ioc.server import Options, run

    return run(
        Options(
            address=address(options),
            cache=options.cache,
            replace=not options.exit_if_different,
            **_serving(options),
        )
    )


def demo_arguments(parser: ArgumentParser) -> None:
    """Arguments of `demo`."""
    parser.add_argument("prefix", metavar="PREFIX", nargs="?", default="DEMO", help="of all PVs")
    _add_serving(parser)
    _add_files(parser)


def demo(options: Namespace) -> int:
    """Serve a simulated PandA."""
    from panda_ioc.commands.demo import run

    return run(**_serving(options))


def _add_serving(parser: ArgumentParser) -> None:
    """What is served, to whom."""
    parser.add_argument(
        "--poll-period",
        type=positive,
        default=0.1,
        metavar="S",
        help="seconds between polls of changes, default: %(default)s",
    )
    add_timeout(parser, 4.0)
    parser.add_argument(
        "--table-rows",
        type=positive_int,
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


def _add_files(parser: ArgumentParser) -> None:
    """What is kept and written, where."""
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


def _serving(options: Namespace) -> dict[str, Any]:
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


def sim_arguments(parser: ArgumentParser) -> None:
    """Arguments of `sim`."""
    parser.add_argument("--config-dir", type=Path, metavar="DIR", help="of a PandA application")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDR", help="default: %(default)s")
    parser.add_argument(
        "--port",
        type=port,
        default=CONTROL_PORT,
        metavar="N",
        help="control port, 0: any, default: %(default)s",
    )
    parser.add_argument(
        "--data-port", type=port, metavar="N", help="0: any, default: control port + 1"
    )
    parser.add_argument(
        "--rate", type=not_negative, default=1000.0, metavar="HZ", help="samples/s, 0: unlimited"
    )
    parser.add_argument(
        "--samples",
        type=not_negative_int,
        default=0,
        metavar="N",
        help="in an acquisition, 0: until disarmed",
    )
    parser.add_argument(
        "--alive",
        action=BooleanOptionalAction,
        help="values move, default: with the packaged application or once armed",
    )
    parser.add_argument(
        "--unknown-types", action="store_true", help="have fields of a type that nobody knows"
    )


def sim(options: Namespace) -> int:
    """Run a simulator."""
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
