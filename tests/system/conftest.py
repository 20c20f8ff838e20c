"""A bridge whose commands can be seen."""

from collections.abc import Iterator

import pytest
from tap import Tap

from servers import EpicsPorts, Ioc, Sim


@pytest.fixture(scope="module")
def tap(sim: Sim) -> Iterator[Tap]:
    """A tap on the control port of `sim`."""
    with Tap(sim.host, sim.port) as tap:
        yield tap


@pytest.fixture(scope="module")
def tapped(
    tmp_path_factory: pytest.TempPathFactory, epics_ports: EpicsPorts, sim: Sim, tap: Tap
) -> Iterator[Ioc]:
    """A bridge to `sim` through the tap, for the module."""
    log = tmp_path_factory.mktemp("tapped") / "log"
    with Ioc(log, epics_ports, f"{sim.host}:{tap.port}:{sim.data_port}") as server:
        yield server
