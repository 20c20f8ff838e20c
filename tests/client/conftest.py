"""A simulator for the tests of the clients."""

from collections.abc import Iterator

import pytest

from boxes import Ports, simulator


@pytest.fixture(scope="module")
def sim() -> Iterator[Ports]:
    """Ports of a running simulator."""
    with simulator() as ports:
        yield ports
