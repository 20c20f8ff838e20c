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
E = TypeVar("E")


async def introspect(client: AsyncioClient) -> Device:
    """The device behind a connected client.

    Questions that only some servers answer (versions, metadata, capture options) may fail; what
    they would have told is left out. Errors of the connection are raised.
    """
    idn, identification, blocks, metadata, options = await asyncio.gather(
        _or(client, GetLine("*IDN"), ""),
        _or(client, Identify(), None),
        client.send(GetBlockInfo()),
        _or(client, GetMultiline("*METADATA.*"), []),
        _or(client, GetMultiline("*CAPTURE.OPTIONS"), []),
    )
    infos = await asyncio.gather(*(client.send(GetFieldInfo(block)) for block in blocks))
    fields = dict(zip(blocks, infos, strict=True))
    return make_device(identification, blocks, fields, metadata, options, idn)


async def _or(client: AsyncioClient, command: Command[T], otherwise: T | E) -> T | E:
    try:
        return await client.send(command)
    except (CommandError, BadValue):
        return otherwise
