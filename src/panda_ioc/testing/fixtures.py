"""Fixtures of pytest; in the conftest.py at the top of the tests:

    pytest_plugins = ["panda_ioc.testing.fixtures"]

pytest loads this before it imports tests, so it can choose the ports of EPICS before any client
library is loaded. Both fixtures last for a module; a module, or a conftest.py, can override
`panda_layout`.
"""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from panda_ioc.testing import panda, ports
from panda_ioc.testing.process import Server

ports.epics_ports()


@pytest.fixture(scope="module")
def panda_layout() -> Path | None:
    """The settings with which `simulated_panda` begins; none to begin with those of the package."""
    return None


@pytest.fixture(scope="module")
def simulated_panda(panda_layout: Path | None) -> Iterator[panda.PandaProcess]:
    """A digital twin at free ports, for the module."""
    with panda.simulated_panda(layout=panda_layout) as running:
        yield running


@pytest.fixture(scope="module")
def served_panda(simulated_panda: panda.PandaProcess) -> Iterator[panda.BridgeProcess]:
    """A bridge that serves `simulated_panda` to the clients of this process, for the module."""
    with panda.served_panda(simulated_panda) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Show the logs of a failed test's servers."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Server):
                report.sections.append(value.section())
    return report
