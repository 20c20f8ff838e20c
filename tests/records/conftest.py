"""The packaged application, as introspection finds it."""

import asyncio

import pytest

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.introspection import introspect
from panda_ioc.device.model import Device
from panda_ioc.records.build import RecordSet, build_records
from panda_ioc.sim import SimulatedPandA


@pytest.fixture(scope="session")
def device() -> Device:
    """A simulated PandA with the packaged application."""
    return asyncio.run(_introspect())


async def _introspect() -> Device:
    async with (
        SimulatedPandA() as panda,
        AsyncioClient(panda.host, panda.control_port, panda.data_port) as client,
    ):
        return await introspect(client)


@pytest.fixture(scope="session")
def records(device: Device) -> RecordSet:
    """What is served for it."""
    return build_records(device, "PREFIX")
