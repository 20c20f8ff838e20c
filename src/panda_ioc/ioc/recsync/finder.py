"""Hears RecCeivers announce themselves, by UDP."""

import asyncio
import ipaddress
import socket
from argparse import ArgumentTypeError
from dataclasses import dataclass
from typing import Self

from panda_ioc.ioc.recsync.messages import ANNOUNCEMENT_PORT, RecCeiver, read_announcement
from panda_ioc.numbers import LAST_PORT


@dataclass(frozen=True)
class Place:
    """Where to listen for announcements."""

    address: str = "0.0.0.0"  # noqa: S104 - broadcasts reach no other
    port: int = ANNOUNCEMENT_PORT

    @classmethod
    def parse(cls, text: str) -> Self:
        """The place that somebody wrote: ``ADDR`` or ``ADDR:PORT``."""
        address, _, port = text.partition(":")
        try:
            number = int(port or ANNOUNCEMENT_PORT)
            ipaddress.IPv4Address(address)
        except ValueError:
            number = 0
        if not 0 < number <= LAST_PORT:
            raise ArgumentTypeError(f"{text} is not an IPv4 address, or one with :PORT")
        return cls(address, number)

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


async def find(place: Place) -> RecCeiver:
    """The next RecCeiver that announces itself there.

    Raises:
        OSError: nobody can listen there
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[RecCeiver] = loop.create_future()
    listening, _ = await loop.create_datagram_endpoint(
        lambda: _Listener(found), sock=_socket(place)
    )
    try:
        return await found
    finally:
        listening.close()


class _Listener(asyncio.DatagramProtocol):
    """Takes the first announcement; everything else that comes is ignored."""

    def __init__(self, found: "asyncio.Future[RecCeiver]") -> None:
        self._found = found

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        """Take it, if it is one."""
        recceiver = read_announcement(data, address[0])
        if recceiver is not None and not self._found.done():
            self._found.set_result(recceiver)

    def error_received(self, error: Exception) -> None:
        """Give up on this socket."""
        if not self._found.done():
            self._found.set_exception(error)


def _socket(place: Place) -> socket.socket:
    """A socket that shares its port: a broadcast reaches every IOC of the host."""
    listening = socket.socket(type=socket.SOCK_DGRAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setblocking(False)
        listening.bind((place.address, place.port))
    except OSError as error:
        listening.close()
        raise OSError(error.errno, f"cannot listen at {place} by UDP: {error.strerror}") from None
    return listening
