"""The address of a PandA: a host and two ports, as users write them."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Self

from panda_ioc.client._sockets import COMMAND_TIMEOUT, CONTROL_PORT
from panda_ioc.errors import ConfigurationError
from panda_ioc.numbers import LAST_PORT

FORM = "HOST[:CONTROL_PORT[:DATA_PORT]]"
"""How an address is written; brackets around an IPv6 address tell it from the ports."""

_WITH_PORTS = re.compile(r"(?:\[([^\[\]]*)\]|([^:\[\]]*))(?::([0-9]{1,5})(?::([0-9]{1,5}))?)?")


def with_port(host: str, port: int) -> str:
    """Return ``HOST:PORT``, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True)
class Address:
    """The address of a PandA.

    Attributes:
        host: name or address
        control_port: port for commands
        data_port: port for captured data
        timeout: seconds that a command may take
    """

    host: str
    control_port: int
    data_port: int
    timeout: float = COMMAND_TIMEOUT

    @classmethod
    def parse(
        cls, text: str, timeout: float = COMMAND_TIMEOUT, *, needs_data_port: bool = True
    ) -> Self:
        """Parse an address: ``panda``, ``10.0.0.1:8888:8889``, ``[::1]:8888``.

        The data port is the one after the control port unless it is given. An IPv6 address needs
        brackets only before ports.

        Raises:
            ConfigurationError: this is no address; the message says what one looks like
        """
        host, *given = _split(text)
        ports = [int(port) for port in given if port]
        if not host or not all(0 < port <= LAST_PORT for port in ports):
            raise ConfigurationError(
                f"{text}: the host must not be empty, ports are 1 to {LAST_PORT}"
            )
        if needs_data_port and ports == [LAST_PORT]:
            raise ConfigurationError(
                f"{text}: no data port follows {LAST_PORT}: give HOST:{LAST_PORT}:DATA_PORT"
            )
        control_port = ports[0] if ports else CONTROL_PORT
        return cls(host, control_port, ports[1] if ports[1:] else control_port + 1, timeout)

    def __str__(self) -> str:
        return with_port(self.host, self.control_port)


def _split(text: str) -> tuple[str, str, str]:
    """Split into host, control port and data port; missing ports are empty."""
    if _is_ipv6(text):
        return text, "", ""
    found = _WITH_PORTS.fullmatch(text)
    if found is None or (found[1] is not None and not _is_ipv6(found[1])):
        raise ConfigurationError(
            f"{text}: give the address as {FORM}; with ports, an IPv6 address needs brackets: "
            "[::1]:8888:8889"
        )
    return found[1] or found[2] or "", found[3] or "", found[4] or ""


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
