"""Captured data as it comes: flushed now and then, with a limit to the silence."""

import asyncio
import sys

from panda_ioc.pandablocks.asyncio import AsyncioClient
from panda_ioc.pandablocks.blocking import BlockingClient
from panda_ioc.pandablocks.commands import Arm, Disarm, Get, Put
from panda_ioc.pandablocks.connections import EndData, FrameData, ReadyData, StartData
from panda_ioc.pandablocks.responses import Data, EndReason


def note(kinds: list[str], event: Data) -> None:
    """Keep what came, frames in a row as one."""
    name = type(event).__name__
    if kinds[-1:] != [name]:
        kinds.append(name)


def idle(client: BlockingClient) -> None:
    while client.send(Get("*PCAP.STATUS")).split()[::2] != ["Idle", "0"]:
        pass


async def flushed(host: str, scaled: bool) -> None:
    kinds: list[str] = []
    samples = 0
    async with AsyncioClient(host) as client:
        async for data in client.data(scaled=scaled, flush_period=0.05, frame_timeout=5):
            note(kinds, data)
            if isinstance(data, ReadyData):
                await client.send(Arm())
            elif isinstance(data, StartData):
                print(data.process, data.format, data.sample_bytes, data.missed)
                print([(f.name, f.capture, str(f.type), f.scale) for f in data.fields])
            elif isinstance(data, FrameData):
                assert data.column_names == data.data.dtype.names
                samples += len(data.data)
                await client.send(Disarm())
            elif isinstance(data, EndData):
                print(data.reason is EndReason.DISARMED, data.samples == samples, samples > 0)
                break
    print(kinds)


async def silent(host: str) -> None:
    async with AsyncioClient(host) as client:
        try:
            async for data in client.data(frame_timeout=0.1):
                print(data)
        except TimeoutError:
            print("silence")


with BlockingClient(sys.argv[1]) as client:
    client.send(Put("*CAPTURE"))
    client.send(Put("COUNTER1.OUT.CAPTURE", "Value"))
    client.send(Put("COUNTER2.OUT.CAPTURE", "Mean"))
    for scaled in (False, True):
        idle(client)
        asyncio.run(flushed(sys.argv[1], scaled))
    asyncio.run(silent(sys.argv[1]))
    idle(client)
    kinds: list[str] = []
    for data in client.data(scaled=False, frame_timeout=5):
        note(kinds, data)
        if isinstance(data, ReadyData):
            client.send(Arm())
        elif isinstance(data, FrameData):
            print(data == FrameData(data.data), data.data.dtype.names)
            client.send(Disarm())
            break
    print(kinds)
    idle(client)
    try:
        for data in client.data(frame_timeout=0.5):
            print(data)
    except TimeoutError:
        print("silence")
