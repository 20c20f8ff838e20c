"""Find out what a PandA is: a handful of pipelined round trips."""

import asyncio
from typing import TypeVar

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.device.model import Device, make_device
from panda_ioc.errors import BadValue, CommandError
from panda_ioc.protocol.commands import (
    Command,
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
    """
    blocks, idn, identification, metadata, options = await asyncio.gather(
        client.send(GetBlockInfo()),
        _or_none(client, GetLine("*IDN")),
        _or_none(client, Identify()),
        _or_none(client, GetMultiline("*METADATA.*")),
        _or_none(client, GetMultiline("*CAPTURE.OPTIONS")),
    )
    infos = await asyncio.gather(*(client.send(GetFieldInfo(block)) for block in blocks))
    fields = dict(zip(blocks, infos, strict=True))
    return make_device(identification, blocks, fields, metadata or (), options or (), idn or "")


async def _or_none(client: AsyncioClient, command: Command[T]) -> T | None:
    try:
        return await client.send(command)
    except (CommandError, BadValue):
        return None
