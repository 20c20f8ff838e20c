"""A bridge that reaches its PandA through a proxy with faults; both last for a module.

The faults of a test come from a seed that is printed when it fails; FAULT_SEED repeats them.
"""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from proxy import Proxy
from scene import Scene

from support.servers import EpicsPorts, Ioc, Sim

OPTIONS = ("--timeout", "1.5")


@pytest.fixture(scope="module")
def proxy(sim: Sim) -> Iterator[Proxy]:
    """Stands between the module's simulator and its bridge."""
    with Proxy((sim.host, sim.port), (sim.host, sim.data_port)) as server:
        yield server


@pytest.fixture(scope="module")
def ioc(
    tmp_path_factory: pytest.TempPathFactory, epics_ports: EpicsPorts, proxy: Proxy
) -> Iterator[Ioc]:
    """A bridge to `sim` by way of `proxy`; one process for all tests of the module."""
    log = tmp_path_factory.mktemp("ioc") / "log"
    with Ioc(log, epics_ports, proxy.address, *OPTIONS) as server:
        yield server


@pytest.fixture
def seed() -> int:
    """Where the faults of this test come from."""
    number = int(os.environ.get("FAULT_SEED") or secrets.randbits(32))
    print(f"FAULT_SEED={number}")
    return number


@pytest.fixture
async def scene(sim: Sim, proxy: Proxy, ioc: Ioc, ca: Any, seed: int) -> AsyncIterator[Scene]:
    """All of it, found healthy again at the end."""
    scene = Scene(sim, proxy, ioc, ca)
    proxy.heal(seed)
    yield scene
    await scene.recover()
