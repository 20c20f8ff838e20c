"""Arguments that several commands have: address and timeout."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from panda_ioc.client._sockets import CONTROL_PORT
from panda_ioc.client.address import FORM, Address
from panda_ioc.numbers import positive

if TYPE_CHECKING:
    from argparse import _ActionsContainer


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
        metavar=FORM,
        help=f"of the PandA, default: port {CONTROL_PORT}, data port: control port + 1",
    )


def add_timeout(parser: ArgumentParser, default: float) -> None:
    """Add the timeout for replies of the PandA."""
    parser.add_argument(
        "--timeout",
        type=positive,
        default=default,
        metavar="S",
        help="seconds that the PandA may take to answer, default: %(default)s",
    )


def control_address(options: Namespace) -> tuple[str, int, float]:
    """Return host, control port and timeout.

    Raises:
        ConfigurationError: what was given is no address
    """
    found = Address.parse(options.address, options.timeout, needs_data_port=False)
    return found.host, found.control_port, found.timeout


def address(options: Namespace) -> Address:
    """Return the address with the data port, by default the one after the control port.

    Raises:
        ConfigurationError: what was given is no address, or there is no such port
    """
    return Address.parse(options.address, options.timeout)
