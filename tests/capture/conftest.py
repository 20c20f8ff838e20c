"""A box and a stream from it."""

from collections.abc import Iterator

import pytest

from panda_ioc.capture.stream import DataStream
from panda_ioc.client.data import DataSocket
from support.databox import DataBox, data_box


@pytest.fixture
def box() -> Iterator[DataBox]:
    with data_box() as box:
        yield box


@pytest.fixture
def stream(box: DataBox) -> Iterator[DataStream]:
    stream = DataStream(DataSocket("127.0.0.1", box.port)).open()
    yield stream
    stream.close()
