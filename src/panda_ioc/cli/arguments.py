"""Arguments that several commands have: address and timeout."""

import ipaddress
import re
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from panda_ioc.errors import ConfigurationError
from panda_ioc.numbers import LAST_PORT, positive

if TYPE_CHECKING:
    from argparse import _ActionsContainer

    from panda_ioc.ioc.panda.connection import Address

CONTROL_PORT = 8888

_ADDRESS = re.compile(r"([^:]*)(?::(\d{1,5}))?(?::(\d{1,5}))?", re.ASCII)


def add_address(parser: "_ActionsContainer", nargs: str | None = None) -> None:
    """Add the address of commands that use the control port only."""
    parser.add_argument(
        "address",
        nargs=nargs,
        metavar="HOST[:CONTROL_PORT]",
        help=f"of the PandA, default: port {CONTROL_PORT}",
    )


def add_both_ports(parser: ArgumentParser) -> None:
    """Add the address of commands that use the data port, too."""
    parser.add_argument(
        "address",
        metavar="HOST[:CONTROL_PORT[:DATA_PORT]]",
        help=f"of the PandA, default: port {CONTROL_PORT}, data port: control port + 1",
    )


def add_timeout(parser: ArgumentParser, default: float) -> None:
    """Add how long the PandA may take."""
    parser.add_argument(
        "--timeout",
        type=positive,
        default=default,
        metavar="S",
        help="seconds that the PandA may take to answer, default: %(default)s",
    )


def control_address(options: Namespace) -> tuple[str, int, float]:
    """Host, control port and timeout.

    Raises:
        ConfigurationError: what was given is no address
    """
    host, control_port, _ = _split(options.address)
    return host, control_port, options.timeout


def address(options: Namespace) -> "Address":
    """The same, with the data port: that after the control port, unless it is given.

    Raises:
        ConfigurationError: what was given is no address, or there is no such port
    """
    from panda_ioc.ioc.panda.connection import Address

    host, control_port, data_port = _split(options.address)
    if data_port is None and control_port == LAST_PORT:
        raise ConfigurationError(
            f"{options.address}: no data port follows {LAST_PORT}: give HOST:{LAST_PORT}:DATA_PORT"
        )
    return Address(host, control_port, data_port or control_port + 1, options.timeout)


def _split(text: str) -> tuple[str, int, int | None]:
    """Host, control port, and the data port if it is given."""
    if _is_ipv6(text):
        return text, CONTROL_PORT, None
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise ConfigurationError(
            f"{text}: give the address as HOST, HOST:CONTROL_PORT or HOST:CONTROL_PORT:DATA_PORT"
        )
    host, *given = found.groups()
    ports = [int(port) for port in given if port]
    if not host or not all(0 < port <= LAST_PORT for port in ports):
        raise ConfigurationError(f"{text}: the host must not be empty, ports are 1 to {LAST_PORT}")
    return host, ports[0] if ports else CONTROL_PORT, ports[1] if ports[1:] else None


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
