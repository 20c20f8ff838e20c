"""Arm a PandA that other tests may have kept busy until a moment ago."""

import asyncio
import time

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.blocking import BlockingClient
from panda_ioc.protocol.commands import Arm, GetLine

PATIENCE, PERIOD = 10.0, 0.005  # seconds


def arm(client: BlockingClient) -> None:
    """Arm once the PandA is done with earlier acquisitions and with those who took them."""
    deadline = time.monotonic() + PATIENCE
    while not is_idle(client.send(GetLine("*PCAP.STATUS"))) and time.monotonic() < deadline:
        time.sleep(PERIOD)
    client.send(Arm())


async def arm_async(client: AsyncioClient) -> None:
    """The same, with asyncio."""
    deadline = time.monotonic() + PATIENCE
    while not await _is_idle_async(client) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(PERIOD)
    await client.send(Arm())


async def _is_idle_async(client: AsyncioClient) -> bool:
    return is_idle(await client.send(GetLine("*PCAP.STATUS")))


def is_idle(status: str) -> bool:
    """Whether `*PCAP.STATUS` says that it can be armed: COMPLETION says Ok before."""
    return status.startswith("Idle ") and status.endswith(" 0")
