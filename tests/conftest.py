"""What all tests share: real simulators and bridges on loopback, and EPICS clients for them.

`sim` and `ioc` last for a test module; a module that wants another application than the packaged
one overrides `config_dir`. `start_sim` and `start_ioc` start further ones within one test.
"""

import os
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from panda_ioc.testing.ports import ca_repeater, epics_ports
from support.servers import SHARED, EpicsPorts, Ioc, Sim, Starter

# Each is slow for what it is: faults to wait for, processes for every test, examples by thousands.
# Files are begun in this order, the longest first, so that no worker is left with one at the end.
SLOW = (
    "faults/test_data_faults.py",
    "test_docs.py",
    "faults",
    "system/test_end_of_acquisition.py",
    "system/test_recsync.py",
    "system/test_testing_page.py",
    "soak",
    "bench",
    "system",
    "test_deployment.py",
    "fuzz",
    "dropin",
    "test_packaging.py",
)
# Property tests never fail for being slow. For longer: pytest tests/fuzz --hypothesis-profile=long
settings.register_profile("default", deadline=None, print_blob=True, max_examples=100)
settings.register_profile("long", settings.get_profile("default"), max_examples=50_000)
settings.load_profile("default")

TESTS = Path(__file__).parent
pytest_plugins = ["panda_ioc.testing.fixtures"]
# Each thing complains of a thread that does not own it, in servers as well.
os.environ["PANDA_IOC_CHECK_THREADS"] = "1"

# Before any client library of EPICS is imported.
PORTS = epics_ports()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow, and begin with them."""
    turns = {TESTS / name: turn for turn, name in enumerate(SLOW)}

    def turn(item: pytest.Item) -> int:
        return min(turns.get(path, len(SLOW)) for path in (item.path, *item.path.parents))

    items.sort(key=turn)
    for item in items:
        if turn(item) < len(SLOW):
            item.add_marker(pytest.mark.slow)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run the whole suite in two workers a core, since it waits more than it works."""
    return 2 * (os.cpu_count() or 1) if config.args == config.getini("testpaths") else 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Show the logs of servers that a failed test has started itself."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Starter):
                report.sections += [server.section() for server in value.started]
    return report


@pytest.fixture(scope="session", autouse=True)
def repeater() -> Iterator[None]:
    """Run one repeater of CA clients for all tests."""
    with ca_repeater():
        yield


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """What was recorded from real devices; not part of this repository."""
    if not SHARED.is_dir():
        pytest.skip("../shared is absent")
    return SHARED


@pytest.fixture(scope="module")
def config_dir() -> Path | None:
    """The application of `sim`; None is the packaged one."""
    return None


@pytest.fixture(scope="session")
def epics_ports() -> EpicsPorts:
    """The ports of the bridges that this process runs."""
    return PORTS


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory, config_dir: Path | None) -> Iterator[Sim]:
    """A simulated PandA for the module."""
    with Sim(tmp_path_factory.mktemp("sim") / "log", config_dir=config_dir) as server:
        yield server


@pytest.fixture(scope="module")
def ioc(tmp_path_factory: pytest.TempPathFactory, sim: Sim) -> Iterator[Ioc]:
    """A bridge to `sim` for the module."""
    with Ioc(tmp_path_factory.mktemp("ioc") / "log", PORTS, sim.address) as server:
        yield server


@pytest.fixture
def start_sim(tmp_path: Path) -> Iterator[Starter[Sim]]:
    """Starts simulated PandAs: `start_sim(*options, config_dir=..., port=...)`."""
    with Starter(Sim, tmp_path) as starter:
        yield starter


@pytest.fixture
def start_ioc(tmp_path: Path) -> Iterator[Starter[Ioc]]:
    """Starts bridges: `start_ioc(sim.address, *options, prefix=..., ready=...)`."""
    with Starter(Ioc, tmp_path, PORTS) as starter:
        yield starter


@pytest.fixture
async def ca() -> AsyncIterator[Any]:
    """The module aioca; its channels are closed before the event loop is."""
    import aioca

    yield aioca
    aioca.purge_channel_caches()


@pytest.fixture(scope="module")
def pva() -> Iterator[Any]:
    """A PVA client (`p4p.client.thread`) that returns values as they are on the wire."""
    from p4p.client.thread import Context

    with Context("pva", nt=False) as context:
        yield context
