"""Commands that run until they are stopped: run, sim, demo."""

from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from pathlib import Path
from typing import Any

from panda_ioc.cli.arguments import (
    add_both_ports,
    add_timeout,
    address,
)
from panda_ioc.client._sockets import CONTROL_PORT
from panda_ioc.ioc.options import Options, Row, rows
from panda_ioc.numbers import not_negative, not_negative_int, port


def run_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `run`."""
    add_both_ports(parser)
    parser.add_argument("prefix", metavar="PREFIX", help="of all PVs, without the last colon")
    add_timeout(parser, 4.0)
    for name, (row, default) in rows().items():
        _add(parser, name, row, default)


def run(options: Namespace) -> int:
    """Serve a PandA."""
    from panda_ioc.ioc.server import run

    return run(Options(address=address(options), prefix=_prefix(options), **_chosen(options)))


def demo_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `demo`."""
    parser.add_argument("prefix", metavar="PREFIX", nargs="?", default="DEMO", help="of all PVs")
    add_timeout(parser, 4.0)
    for name, (row, default) in rows().items():
        if not row.run_only:
            _add(parser, name, row, default)


def demo(options: Namespace) -> int:
    """Serve a simulated PandA."""
    from panda_ioc.commands.demo import run

    return run(
        lambda address: Options(address=address, prefix=_prefix(options), **_chosen(options)),
        options.timeout,
    )


def _add(parser: ArgumentParser, name: str, row: Row, default: Any) -> None:
    """Add the argument of one option."""
    if not row.metavar:
        action = "store_false" if default else "store_true"
        parser.add_argument(row.flag, dest=name, action=action, help=row.help)
        return
    is_shown = default not in (None, "", ())
    parser.add_argument(
        row.flag,
        dest=name,
        type=row.kind,
        action="append" if row.several else "store",
        default=None if row.several else default,
        metavar=row.metavar,
        help=f"{row.help}, default: %(default)s" if is_shown else row.help,
    )


def _chosen(options: Namespace) -> dict[str, Any]:
    """Return the fields of `Options` that the command has."""
    given = {name: getattr(options, name) for name in rows() if hasattr(options, name)}
    return {
        name: tuple(value or ()) if rows()[name][0].several else value
        for name, value in given.items()
    }


def _prefix(options: Namespace) -> str:
    return str(options.prefix).rstrip(":")


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
        "--twin",
        action="store_true",
        help="blocks do what the FPGA does, tick by tick; samples are those of PCAP",
    )
    parser.add_argument(
        "--layout", type=Path, metavar="FILE", help="settings to begin with, as `save` writes them"
    )
    parser.add_argument(
        "--state", type=Path, metavar="FILE", help="settings that outlive the simulator"
    )
    parser.add_argument(
        "--unknown-types", action="store_true", help="have fields of a type that nobody knows"
    )


def sim(options: Namespace) -> int:
    """Run a simulator."""
    from panda_ioc.sim import SimSettings, SimulatedPandA, run

    panda = SimulatedPandA(
        options.config_dir,
        options.host,
        options.port,
        options.data_port,
        settings=SimSettings(rate=options.rate, samples=options.samples),
        alive=options.alive,
        twin=options.twin,
        unknown_types=options.unknown_types,
        layout=options.layout,
        state=options.state,
    )
    return run(panda)
