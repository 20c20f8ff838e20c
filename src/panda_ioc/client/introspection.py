"""Find out what a PandA is: a handful of pipelined round trips, with either client."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.device.model import Device, make_device
from panda_ioc.errors import BadValue, CommandError, ProtocolError
from panda_ioc.protocol.commands import (
    Command,
    ExchangeGenerator,
    GetBlockInfo,
    GetFieldInfo,
    GetLine,
    GetMultiline,
    Identify,
)

T = TypeVar("T")


async def introspect(client: AsyncioClient) -> Device:
    """The device behind a connected client.

    Questions that only some servers answer (versions, metadata, capture options) may fail; what
    they would have told is left out. Errors of the connection are raised.

    Raises:
        ProtocolError: replies are out of step with questions
    """
    steps = _steps()
    commands = next(steps)
    while True:
        answers = await client.send(commands)
        try:
            commands = steps.send(answers)
        except StopIteration as finished:
            return _device(finished)


class Sender(Protocol):
    """A client that waits: `BlockingClient`, or one like it."""

    def send(self, commands: list[Command[Any]], /) -> list[Any]:
        """Send commands together and return their results."""


def introspect_blocking(client: Sender) -> Device:
    """The same as `introspect`, with a client that waits."""
    steps = _steps()
    commands = next(steps)
    while True:
        try:
            commands = steps.send(client.send(commands))
        except StopIteration as finished:
            return _device(finished)


def _device(finished: StopIteration) -> Device:
    device: Device = finished.value
    return device


def _steps() -> Generator[list[Command[Any]], list[Any], Device]:
    """Commands to be sent together; resumed with their results."""
    blocks, *versions = yield [
        GetBlockInfo(),
        OrNone(GetLine("*IDN")),
        OrNone(Identify()),
        OrNone(GetMultiline("*METADATA.*")),
        OrNone(GetMultiline("*CAPTURE.OPTIONS")),
    ]
    idn, identification, metadata, options = versions
    infos = yield [GetFieldInfo(block) for block in blocks]
    (again,) = yield [OrNone(GetLine("*IDN"))]
    if again != idn:
        # A reply came twice, or was lost: each question has the answer to another one.
        raise ProtocolError(f"*IDN? was answered {idn!r}, then {again!r}: replies are out of step")
    fields = dict(zip(blocks, infos, strict=True))
    return make_device(identification, blocks, fields, metadata or (), options or (), idn or "")


@dataclass
class OrNone(Command[T | None], Generic[T]):
    """Another command; None if the PandA refuses it, or answers what does not fit."""

    command: Command[T]

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[T | None]:
        try:
            return (yield from self.command.execute(version))
        except (CommandError, BadValue):
            return None
