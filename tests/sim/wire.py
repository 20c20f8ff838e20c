"""Plain sockets to a simulated PandA: nothing of our own client, so that each checks the other."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Self

from panda_ioc.sim import SimulatedPandA

SHARED = Path(__file__).parents[3] / "shared"
APPLICATION = SHARED / "apps" / "pandabox-no-fmc"
RECORDINGS = SHARED / "recordings" / "pandabox-no-fmc"
TIMEOUT = 10.0


class Wire:
    """One connection, to either port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, host: str, port: int) -> Self:
        return cls(*await asyncio.open_connection(host, port, limit=1 << 24))

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

    async def line(self) -> str:
        line = await asyncio.wait_for(self.reader.readline(), TIMEOUT)
        if not line.endswith(b"\n"):
            raise ConnectionError(f"closed after {line!r}")
        return line[:-1].decode()

    async def ask(self, *lines: str) -> list[str]:
        """Send the lines, return the lines of one reply without the end of a multi-line one."""
        self.writer.write(("\n".join(lines) + "\n").encode())
        reply = [await self.line()]
        while reply[0].startswith("!") and reply[-1] != ".":
            reply.append(await self.line())
        return [line[1:] for line in reply[:-1]] if reply[-1] == "." else reply

    async def put(self, *commands: str) -> None:
        for command in commands:
            assert await self.ask(command) == ["OK"], command

    async def get(self, name: str) -> str:
        (reply,) = await self.ask(f"{name}?")
        assert reply.startswith("OK ="), reply
        return reply[len("OK =") :]

    async def get_until(self, name: str, good: Callable[[str], bool]) -> str:
        """Ask again and again until the answer is good."""
        while True:
            answer = await self.get(name)
            if good(answer):
                return answer
            await asyncio.sleep(0.001)

    async def read(self, size: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(size), TIMEOUT)

    async def read_until(self, end: bytes) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(end), TIMEOUT)

    async def rest(self) -> bytes:
        return await asyncio.wait_for(self.reader.read(), TIMEOUT)


@asynccontextmanager
async def control(panda: SimulatedPandA) -> AsyncIterator[Wire]:
    wire = await Wire.connect(panda.host, panda.control_port)
    try:
        yield wire
    finally:
        await wire.close()


@asynccontextmanager
async def data(panda: SimulatedPandA, options: str) -> AsyncIterator[Wire]:
    """A data connection; its `OK` is still to be read."""
    wire = await Wire.connect(panda.host, panda.data_port)
    try:
        wire.writer.write(options.encode() + b"\n")
        yield wire
    finally:
        await wire.close()


async def raw_rows(stream: Wire) -> tuple[list[tuple[str, str, str]], list[list[int]], str]:
    """Columns, rows and END of a RAW ASCII connection."""
    columns = []
    while line := await stream.line():
        if line.startswith(" "):
            name, type_, kind, *_ = line.split()
            columns.append((name, type_, kind))
    rows = []
    while (line := await stream.line()).startswith(" "):
        rows.append([int(word, 16) for word in line.split()])
    return columns, rows, line
