"""What most tests of the simulator begin with: one that holds still, and a connection to it."""

from collections.abc import AsyncIterator

import pytest
from wire import Wire, control

from panda_ioc.sim import SimulatedPandA


@pytest.fixture
async def panda() -> AsyncIterator[SimulatedPandA]:
    async with SimulatedPandA(alive=False) as panda:
        yield panda


@pytest.fixture
async def client(panda: SimulatedPandA) -> AsyncIterator[Wire]:
    async with control(panda) as client:
        yield client
