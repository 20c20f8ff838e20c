"""The packaged application and another, as introspection finds them."""

import asyncio
from pathlib import Path

import pytest

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.introspection import introspect
from panda_ioc.device.model import Device
from panda_ioc.records.build import RecordSet, build_records
from panda_ioc.sim import SimulatedPandA

OTHER_BOX = Path(__file__).parents[1] / "otherbox"


@pytest.fixture(scope="session")
def device() -> Device:
    """A simulated PandA with the packaged application."""
    return asyncio.run(_introspect())


@pytest.fixture(scope="session")
def other_device() -> Device:
    """One that has little in common with it."""
    return asyncio.run(_introspect(OTHER_BOX))


async def _introspect(config_dir: Path | None = None) -> Device:
    async with (
        SimulatedPandA(config_dir) as panda,
        AsyncioClient(panda.host, panda.control_port, panda.data_port) as client,
    ):
        return await introspect(client)


@pytest.fixture(scope="session")
def records(device: Device) -> RecordSet:
    """What is served for it."""
    return build_records(device, "PREFIX")
