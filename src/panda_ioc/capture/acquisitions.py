"""Acquisitions to files for scripts of `pandablocks`: arm, receive, and one file for each."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing
from os import PathLike

from panda_ioc.capture.pipeline import create_default_pipeline, raise_errors, stop_pipeline
from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.errors import CommandError, HDFDataOverrunError
from panda_ioc.protocol.commands import Arm, Disarm, GetLine
from panda_ioc.protocol.responses import EndData, EndReason, ReadyData

ARM_TIMEOUT, ARM_PERIOD = 5.0, 0.005
"""Seconds until a PandA that stays busy is given up, and between attempts to arm it."""


async def write_hdf_files(
    client: AsyncioClient,
    file_names: Iterator[str | PathLike[str]],
    num: int = 1,
    arm: bool = False,
    flush_period: float = 1,
) -> None:
    """Write acquisitions to files, one each.

    Args:
        client: connected, if it is to arm
        file_names: paths, one for each file
        num: acquisitions; 0: go on for ever
        arm: arm the PandA at the start, and after each acquisition but the last
        flush_period: seconds until readers of a file see samples

    Raises:
        HDFDataOverrunError: the last acquisition ended in an overrun
        CaptureError: a file could not be written
    """
    pipeline = create_default_pipeline(file_names, {})
    reason: EndReason | None = None
    try:
        if arm:
            await client.send(Disarm())
        async with aclosing(client.data(scaled=False, flush_period=flush_period)) as events:
            async for event in events:
                raise_errors(pipeline)
                pipeline[0].queue.put_nowait(event)
                if isinstance(event, EndData):
                    reason, num = event.reason, num - 1
                    if num == 0:
                        break
                if arm and isinstance(event, ReadyData | EndData):
                    await _arm(client)
    finally:
        await asyncio.to_thread(stop_pipeline, pipeline)
    if reason is EndReason.DATA_OVERRUN:
        raise HDFDataOverrunError("Data overrun: the last frame may be corrupt")


async def _arm(client: AsyncioClient) -> None:
    """Arm as soon as the PandA can be armed: it may still be ending an acquisition."""
    deadline = time.monotonic() + ARM_TIMEOUT
    while True:
        try:
            return await client.send(Arm())
        except CommandError:
            state, *_, taking = (await client.send(GetLine("*PCAP.STATUS"))).split()
            if (state, taking) == ("Idle", "0") or time.monotonic() > deadline:
                raise
        await asyncio.sleep(ARM_PERIOD)
