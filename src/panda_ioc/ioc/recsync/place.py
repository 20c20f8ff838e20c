"""Where RecCeivers announce themselves, as the command line has it."""

import ipaddress
from argparse import ArgumentTypeError
from dataclasses import dataclass
from typing import Self

from panda_ioc.numbers import LAST_PORT

PORT = 5049
"""UDP port of RecSync."""


@dataclass(frozen=True)
class Place:
    """Where to listen for announcements."""

    address: str = "0.0.0.0"  # noqa: S104 - broadcasts reach no other
    port: int = PORT

    @classmethod
    def parse(cls, text: str) -> Self:
        """The place that somebody wrote: ``ADDR`` or ``ADDR:PORT``."""
        address, _, port = text.partition(":")
        try:
            number = int(port or PORT)
            ipaddress.IPv4Address(address)
        except ValueError:
            number = 0
        if not 0 < number <= LAST_PORT:
            raise ArgumentTypeError(f"{text} is not an IPv4 address, or one with :PORT")
        return cls(address, number)

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"
