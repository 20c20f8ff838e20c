"""Bluesky and ophyd-async as released: connect, set a table, fly, read what was written."""

import time
from collections.abc import Callable, Collection, Iterator
from typing import Any
from urllib.parse import unquote, urlparse

import bluesky.plan_stubs as bps
import h5py
import numpy as np
import pytest
from bluesky import RunEngine
from bluesky.utils import FailedStatus
from ophyd_async.core import (
    DetectorTrigger,
    StaticPathProvider,
    TriggerInfo,
    UUIDFilenameProvider,
    init_devices,
)
from ophyd_async.fastcs.panda import (
    HDFPanda,
    SeqTable,
    SeqTableInfo,
    SeqTrigger,
    StaticSeqTableFlyableLogic,
)

from support.engine import run_engine
from support.servers import EpicsPorts, Ioc, Sim, random_prefix

Docs = list[tuple[str, dict[str, Any]]]


class Sequencer:
    """Plays SEQ1, which stands still in the simulator: triggers come while ENABLE is ONE."""

    def __init__(self, sim: Sim, pva: Any, ioc: Ioc, events: int) -> None:
        self._sim = sim
        self._events = events
        sim.put("*SIM.RATE=3000", "*SIM.HOLD=1", f"*SIM.SAMPLES={events}")
        self._subscriptions = [
            pva.monitor(ioc.pv("SEQ1:ENABLE"), self._enable),
            pva.monitor(ioc.pv("DATA:NUM_CAPTURED"), self._captured),
        ]

    def _enable(self, update: Any) -> None:
        active = int(update.value == "ONE")
        self._sim.put(f"*SIM.SET=SEQ1.ACTIVE={active}", f"*SIM.HOLD={1 - active}")

    def _captured(self, update: Any) -> None:
        if update.value == self._events:
            self._sim.put("*SIM.SET=SEQ1.ACTIVE=0")

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        for subscription in self._subscriptions:
            subscription.close()
        self._sim.put("*SIM.FREE=SEQ1.ACTIVE", "*SIM.HOLD=0")


@pytest.fixture(scope="module")
def ioc(
    tmp_path_factory: pytest.TempPathFactory, epics_ports: EpicsPorts, sim: Sim
) -> Iterator[Ioc]:
    """A bridge with a prefix as facilities have it that put names of devices in braces."""
    log = tmp_path_factory.mktemp("braces") / "log"
    prefix = f"XF:27ID1-ES{{{random_prefix()}:1}}"
    with Ioc(log, epics_ports, sim.address, prefix=prefix) as ioc:
        yield ioc


@pytest.fixture(scope="module")
def engine() -> Iterator[RunEngine]:
    with run_engine() as engine:
        yield engine


@pytest.fixture(scope="module")
def panda(tmp_path_factory: pytest.TempPathFactory, engine: RunEngine, ioc: Ioc) -> HDFPanda:
    paths = StaticPathProvider(UUIDFilenameProvider(), tmp_path_factory.mktemp("files"))
    with init_devices(timeout=30):
        panda = HDFPanda(f"{ioc.prefix}:", paths, name="panda")
    return panda  # noqa: RET504 - init_devices looks for devices among the names here


@pytest.fixture
def docs(engine: RunEngine) -> Iterator[Docs]:
    found: Docs = []
    token = engine.subscribe(lambda name, doc: found.append((name, doc)))
    yield found
    engine.unsubscribe(token)


def table() -> SeqTable:
    return SeqTable.row(
        repeats=3, trigger=SeqTrigger.POSA_GT, position=-5, time1=10, outa1=True
    ) + SeqTable.row(repeats=65535, trigger=SeqTrigger.BITA_1, time2=2**32 - 1, outf2=True)


def value(engine: RunEngine, signal: Any) -> Any:
    found = []

    def plan() -> Any:
        found.append((yield from bps.rd(signal)))

    engine(plan())
    return found[0]


def test_the_blocks_of_the_panda_are_its_children(panda: HDFPanda, sim: Sim) -> None:
    counts = dict(line[1:].split() for line in sim.ask("*BLOCKS?")[:-1])
    for name in ("pulse", "seq", "pcomp", "counter", "inenc"):
        assert len(getattr(panda, name)) == int(counts[name.upper()])


def test_a_table_that_is_set_reads_back(panda: HDFPanda, engine: RunEngine, sim: Sim) -> None:
    engine(bps.mv(panda.seq[1].table, table()))
    found = value(engine, panda.seq[1].table)
    for name, column in table():
        assert list(getattr(found, name)) == list(column), name
    assert len(sim.ask("SEQ1.TABLE?")) == 2 * 4 + 1


def test_a_table_is_fed_piece_by_piece(panda: HDFPanda, engine: RunEngine, sim: Sim) -> None:
    seq = panda.seq[2]
    engine(bps.trigger(seq.table_clear, wait=True))
    for mode in ("Append", "Append", "Append Last"):
        engine(bps.mv(seq.table_next_write, mode))
        engine(bps.mv(seq.table, table()))
    assert sim.ask("SEQ2.TABLE.MODE?") == ["OK =STREAMING_LAST"]
    assert isinstance(value(engine, seq.table_queued_lines), (int, float))
    engine(bps.trigger(seq.table_clear, wait=True))
    engine(bps.mv(seq.table_next_write, "Replace"))


def test_a_refused_set_fails_the_plan(panda: HDFPanda, engine: RunEngine) -> None:
    before = value(engine, panda.pulse[1].delay)
    with pytest.raises(FailedStatus):
        engine(bps.mv(panda.pulse[1].delay, -1))
    assert value(engine, panda.pulse[1].delay) == before


def fly(panda: HDFPanda, events: int) -> Any:
    """A fly scan as beamlines write them: a sequencer gives triggers, the PandA captures."""
    flyer = StaticSeqTableFlyableLogic(panda.seq[1]).with_device(name="sequencer")
    yield from bps.stage_all(panda, flyer)
    yield from bps.open_run()
    yield from bps.prepare(flyer, SeqTableInfo(sequence_table=table(), repeats=1), wait=True)
    trigger = TriggerInfo(trigger=DetectorTrigger.EXTERNAL_LEVEL, number_of_events=events)
    yield from bps.prepare(panda, trigger, wait=True)
    yield from bps.declare_stream(panda, name="main", collect=True)
    yield from bps.kickoff_all(panda, flyer, wait=True)
    yield from bps.collect_while_completing([panda, flyer], [panda], flush_period=0.2)
    yield from bps.close_run()
    yield from bps.unstage_all(flyer, panda)


@pytest.mark.parametrize("events", [1, 3000])
def test_a_fly_scan_collects_a_file_that_its_documents_describe(
    panda: HDFPanda, engine: RunEngine, docs: Docs, sim: Sim, ioc: Ioc, pva: Any, events: int
) -> None:
    sim.put("*CAPTURE=", "COUNTER1.TRIG=ZERO", "COUNTER1.START=100", "COUNTER1.STEP=3")
    sim.put("COUNTER1.OUT.SCALE=0.5", "COUNTER1.OUT.OFFSET=7")
    counter, encoder = panda.counter[1], panda.inenc[1]
    engine(
        bps.mv(
            *(counter.out_capture, "Value", counter.out_dataset, "energy"),
            *(encoder.val_capture, "Min Max", encoder.val_dataset, "theta"),
        )
    )
    with Sequencer(sim, pva, ioc, events):
        engine(fly(panda, events))
    found = collected(docs, events)
    assert found.keys() == {"energy", "theta-min", "theta-max"}
    assert found["energy"].tolist() == [(100 + 3 * n) * 0.5 + 7 for n in range(events)]
    assert (found["theta-min"] <= found["theta-max"]).all()


NAMED: dict[str, tuple[str, ...]] = {
    "Mean": ("theta",),
    "Min Max Mean": ("theta", "theta-max", "theta-min"),
    "Sum": ("theta",),
    "Value Mean Min": ("theta", "theta-min", "theta-value"),
    "StdDev": ("theta", "theta-stddev"),
}
"""The datasets of a field with the name theta, by what is captured of it."""


@pytest.mark.parametrize("kinds", NAMED)
def test_documents_have_the_named_datasets_and_no_others(
    panda: HDFPanda, engine: RunEngine, docs: Docs, sim: Sim, ioc: Ioc, pva: Any, kinds: str
) -> None:
    """Beside them are fields without a name, words of bits, and what the server adds for a mean."""
    sim.put("*CAPTURE=", f"INENC1.VAL.CAPTURE={kinds}", "INENC2.VAL.CAPTURE=Min Max Mean")
    sim.put("PCAP.BITS0.CAPTURE=Value", "PCAP.BITS1.CAPTURE=Value")
    named = panda.pcap.bits1_dataset, "word", panda.inenc[1].val_dataset, "theta"
    engine(bps.mv(*named, panda.counter[1].out_dataset, ""))
    expected = {"word", *NAMED[kinds]}
    try:
        shown(pva, ioc, "DATASETS", lambda rows: rows.keys() == expected)
        foretold = shown(pva, ioc, "ALL_DATASETS", lambda rows: rows.keys() >= expected)
        with Sequencer(sim, pva, ioc, 5):
            engine(fly(panda, 5))
        assert collected(docs, 5, {"word"}).keys() == expected
        resource = next(doc for name, doc in docs if name == "stream_resource")
        with h5py.File(unquote(urlparse(resource["uri"]).path)) as file:
            held = {name: column.dtype for name, column in file.items() if name != "entry"}
        assert {"PCAP.BITS0.Value", "INENC2.VAL.Min", "PCAP.GATE_DURATION.Value"} < held.keys()
        assert shown(pva, ioc, "ALL_DATASETS", bool) == held == foretold
        assert shown(pva, ioc, "DATASETS", bool) == {name: held[name] for name in expected}
    finally:
        engine(bps.mv(panda.pcap.bits1_dataset, ""))


def shown(pva: Any, ioc: Ioc, table: str, good: Callable[[dict[str, str]], bool]) -> dict[str, str]:
    """Types by names in one of the tables of datasets, once they are good."""
    for _ in range(500):
        rows = pva.get(ioc.pv(f"DATA:{table}")).value
        found = dict(zip(rows.name, rows.dtype, strict=True))
        if good(found):
            return found
        time.sleep(0.02)
    raise AssertionError(f"{table}: {found}")


def collected(
    docs: Docs, events: int, words: Collection[str] = ()
) -> dict[str, np.ndarray[Any, Any]]:
    """What a reader of the documents finds in the files that they name.

    ophyd-async says float64 of words of bits, too.
    """
    keys = next(doc for name, doc in docs if name == "descriptor")["data_keys"]
    resources = {doc["uid"]: doc for name, doc in docs if name == "stream_resource"}
    stops = dict.fromkeys(resources, 0)
    for name, doc in docs:
        if name == "stream_datum":
            assert doc["indices"]["start"] == stops[doc["stream_resource"]]
            stops[doc["stream_resource"]] = doc["indices"]["stop"]
    assert set(stops.values()) == {events}
    assert {doc["data_key"] for doc in resources.values()} == set(keys)
    found = {}
    for doc in resources.values():
        with h5py.File(unquote(urlparse(doc["uri"]).path)) as file:
            column = file[doc["parameters"]["dataset"]][()]
        is_word = doc["data_key"] in words
        assert is_word or column.dtype == keys[doc["data_key"]]["dtype_numpy"]
        assert column.shape == (events,)
        found[doc["data_key"]] = column
    return found
