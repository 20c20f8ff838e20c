"""Hears RecCeivers announce themselves, by UDP."""

import asyncio
import socket

from panda_ioc.ioc.recsync.messages import RecCeiver, read_announcement
from panda_ioc.ioc.recsync.place import Place


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
