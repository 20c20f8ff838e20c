"""Channel Access by hand: clients that do what no client library would.

Message: command, payload size, type, count (16 bits each), two parameters (32 bits each), payload
padded to 8 bytes; big endian (the Channel Access protocol specification).
"""

import asyncio
import struct
from typing import Self

VERSION, EVENT_ADD, CREATE, CLIENT_NAME, HOST_NAME = 0, 1, 18, 20, 21
MINOR = 13
DBE_VALUE = 1
_HEAD = struct.Struct(">HHHHII")


def message(command: int, kind: int, count: int, one: int, two: int, payload: bytes = b"") -> bytes:
    """One message."""
    payload += bytes(-len(payload) % 8)
    return _HEAD.pack(command, len(payload), kind, count, one, two) + payload


class RawClient:
    """One connection to a CA server that subscribes to PVs and reads as it likes."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.send(
            message(VERSION, 0, MINOR, 0, 0)
            + message(CLIENT_NAME, 0, 0, 0, 0, b"odd\0")
            + message(HOST_NAME, 0, 0, 0, 0, b"client\0")
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._writer.transport.abort()

    def send(self, data: bytes) -> None:
        """Send any bytes."""
        self._writer.write(data)

    async def receive(self, command: int) -> tuple[int, int, int, int]:
        """Wait for such a message: its type, count and two parameters."""
        async with asyncio.timeout(20):
            while True:
                head = _HEAD.unpack(await self._reader.readexactly(_HEAD.size))
                size, count = head[1], head[3]
                if size == 0xFFFF:  # both follow as 32 bits
                    size, count = struct.unpack(">II", await self._reader.readexactly(8))
                await self._reader.readexactly(size)
                if head[0] == command:
                    return head[2], count, head[4], head[5]

    async def subscribe(self, name: str, number: int = 1) -> None:
        """Have the server send updates of a PV; the first is not waited for."""
        self.send(message(CREATE, 0, 0, number, MINOR, name.encode() + b"\0"))
        kind, count, _, channel = await self.receive(CREATE)
        mask = struct.pack(">fffHH", 0, 0, 0, DBE_VALUE, 0)
        self.send(message(EVENT_ADD, kind, min(count, 20_000), channel, number, mask))
