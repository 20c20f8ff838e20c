"""Arguments that several commands have: address and timeout; and kinds of numbers."""

import ipaddress
import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from panda_ioc.errors import ConfigurationError

if TYPE_CHECKING:
    from panda_ioc.ioc.connection import Address

CONTROL_PORT, DATA_PORT = 8888, 8889
LAST_PORT = 65535

_ADDRESS = re.compile(r"([^:]*)(?::(\d{1,5}))?(?::(\d{1,5}))?", re.ASCII)


def add_address(parser: ArgumentParser) -> None:
    """Add the address of commands that use the control port only."""
    parser.add_argument("address", metavar="HOST[:CONTROL_PORT]", help="of the PandA")


def add_both_ports(parser: ArgumentParser) -> None:
    """Add the address of commands that use the data port, too."""
    parser.add_argument("address", metavar="HOST[:CONTROL_PORT[:DATA_PORT]]", help="of the PandA")


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
    """The same, with the data port."""
    from panda_ioc.ioc.connection import Address

    return Address(*_split(options.address), options.timeout)


def _split(text: str) -> tuple[str, int, int]:
    """Host, control port and data port."""
    host, control, data = (text, None, None) if _is_ipv6(text) else _parts(text)
    ports = int(control or CONTROL_PORT), int(data or DATA_PORT)
    if not host or not all(0 < each <= LAST_PORT for each in ports):
        raise ConfigurationError(f"{text}: the host must not be empty, ports are 1 to {LAST_PORT}")
    return host, *ports


def _parts(text: str) -> tuple[str, str | None, str | None]:
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise ConfigurationError(
            f"{text}: give the address as HOST, HOST:CONTROL_PORT or HOST:CONTROL_PORT:DATA_PORT"
        )
    return found[1], found[2], found[3]


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def port(text: str) -> int:
    """A port, or 0 for any."""
    if not text.isdecimal() or int(text) > LAST_PORT:
        raise ArgumentTypeError(f"{text} is not a port: 0 to {LAST_PORT}")
    return int(text)


def positive(text: str) -> float:
    """A number above 0, and not infinite."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise ArgumentTypeError(f"{text} is not a positive number")
    return value


def positive_int(text: str) -> int:
    """A whole number above 0."""
    if not text.isdecimal() or int(text) == 0:
        raise ArgumentTypeError(f"{text} is not a positive whole number")
    return int(text)
