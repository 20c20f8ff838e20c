"""What the tests of the clients share."""

from collections.abc import Iterator
from typing import Any

import pytest

from support.eitherclient import Asyncio, Blocking, Client, Make


@pytest.fixture(params=[Blocking, Asyncio])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes clients, which are closed at the end."""
    made: list[Any] = []

    def new(control: int, data: int = 1, timeout: float | None = 10.0) -> Client:
        made.append(request.param(control, data, timeout))
        return made[-1]  # type: ignore[no-any-return]

    yield new
    for client in made:
        client.end()
