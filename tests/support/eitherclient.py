"""Both clients with one face, for tests of what they have in common."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Protocol

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.blocking import BlockingClient
from panda_ioc.protocol.responses import Data

HOST = "127.0.0.1"


class Client(Protocol):
    """What both can do, without waiting being visible."""

    def connect(self) -> None: ...
    def close(self) -> None: ...
    def is_connected(self) -> bool: ...
    def send(self, command: Any, timeout: float | None = None) -> Any: ...
    def data(self, until: Callable[[Data], bool], **options: Any) -> list[Data]: ...


class Blocking:
    """The blocking client."""

    def __init__(self, control: int, data: int, timeout: float | None) -> None:
        self.client = BlockingClient(HOST, control, data, timeout)
        self.connect, self.close = self.client.connect, self.client.close
        self.is_connected, self.send = self.client.is_connected, self.client.send

    def data(self, until: Callable[[Data], bool], **options: Any) -> list[Data]:
        events: list[Data] = []
        for event in self.client.data(**options):
            events.append(event)
            if until(event):
                break
        return events

    def end(self) -> None:
        self.client.close()


class Asyncio:
    """The asyncio client, in an event loop that runs while it is waited for."""

    def __init__(self, control: int, data: int, timeout: float | None) -> None:
        self.client = AsyncioClient(HOST, control, data, timeout)
        self.runner = asyncio.Runner()
        self.is_connected = self.client.is_connected

    def connect(self) -> None:
        self.runner.run(self.client.connect())

    def close(self) -> None:
        self.runner.run(self.client.close())

    def send(self, command: Any, timeout: float | None = None) -> Any:
        return self.runner.run(self.client.send(command, timeout))

    def data(self, until: Callable[[Data], bool], **options: Any) -> list[Data]:
        async def collect() -> list[Data]:
            events: list[Data] = []
            async with aclosing(self.client.data(**options)) as stream:
                async for event in stream:
                    events.append(event)
                    if await asyncio.to_thread(until, event):
                        break
            return events

        return self.runner.run(collect())

    def end(self) -> None:
        self.close()
        self.runner.close()


Make = Callable[..., Client]
