"""Single parts, no sockets: `pytest tests/bench/test_bench_parts.py --benchmark-enable`."""

import sys
from typing import Any

import numpy as np
import pytest

from bench.common import HERE, last_json
from bench.parts import Library, acquisition, decode_all, pieces_of, put_many
from panda_ioc.client.blocking import BlockingClient
from panda_ioc.client.introspection import introspect_blocking
from panda_ioc.device.tables import TableLayout
from panda_ioc.protocol.responses import TableFieldInfo
from support.servers import Sim

ROWS = 4096


@pytest.fixture
def library() -> Library:
    return Library("panda_ioc")


def test_thousand_puts(benchmark: Any, library: Library) -> None:
    benchmark(put_many, library, 1000)


def test_thousand_frames(benchmark: Any, library: Library) -> None:
    benchmark(decode_all, library, pieces_of(acquisition(1000)), 1000)


@pytest.fixture(scope="module")
def layout(sim: Sim) -> TableLayout:
    """The widest table: 20 columns in 4 words."""
    with BlockingClient(sim.host, sim.port) as client:
        info = introspect_blocking(client).fields["SEQ1.TABLE"].info
    assert isinstance(info, TableFieldInfo)
    return TableLayout.from_info(info, "SEQ1.TABLE")


@pytest.fixture
def words(layout: TableLayout) -> Any:
    return np.arange(ROWS * layout.row_words, dtype=np.uint32)


def test_table_to_columns(benchmark: Any, layout: TableLayout, words: Any) -> None:
    columns = benchmark(layout.unpack, words)
    assert all(len(column) == ROWS for column in columns.values())


def test_columns_to_table(benchmark: Any, layout: TableLayout, words: Any) -> None:
    packed = benchmark(layout.pack, layout.unpack(words))
    assert layout.unpack(packed).keys() == layout.unpack(words).keys()
    assert len(packed) == len(words)


def test_news_shown_by_a_record(benchmark: Any) -> None:
    """EPICS does not go away once started, so it runs in a process of its own."""
    rates = benchmark.pedantic(last_json, ([sys.executable, str(HERE / "news.py")],))
    benchmark.extra_info |= rates
    assert rates.keys() == {"panda_ioc", "pandablocks"}
