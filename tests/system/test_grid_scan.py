"""A grid scan as beamlines for crystallography fly it, with Bluesky, on the digital twin.

The motion controller says when a row begins. SEQ then waits for the position at which the row
starts, upwards and downwards in turn, and times its points. PULSE makes an exposure of each, which
gates PCAP and whose end triggers it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import bluesky.plan_stubs as bps
import h5py
import numpy as np
import pytest
from bluesky import RunEngine
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

from panda_ioc.testing import BridgeProcess, PandaProcess
from support.engine import run_engine

COLUMNS, ROWS = 20, 6
FRAMES = COLUMNS * ROWS
START, STEP = 2000, 100
LAST = START + STEP * (COLUMNS - 1)
ROW_STEP = 50
# Microseconds; the stage moves 20 counts a millisecond, 60 in an exposure.
POINT, EXPOSURE, TRIGGER = 5000, 3000, 50
EXPOSED = 60
UP = "move:0,10000,600ms,100ms;hold:10000,100ms"
DOWN = "move:10000,0,600ms,100ms;hold:0,100ms"
ROW_SECONDS = 0.7
COLUMN_NAMES = ("x", "x-min", "x-max", "y", "frame", "time")


@pytest.fixture
def engine() -> Iterator[RunEngine]:
    with run_engine() as engine:
        yield engine


@pytest.fixture
def panda(engine: RunEngine, served_panda: BridgeProcess, tmp_path: Path) -> HDFPanda:
    paths = StaticPathProvider(UUIDFilenameProvider(), tmp_path)
    with init_devices(timeout=30):
        panda = HDFPanda(f"{served_panda.prefix}:", paths, name="panda")
    return panda  # noqa: RET504 - init_devices looks for devices among the names here


def move_stage(panda: PandaProcess) -> None:
    """Let both axes move once SEQ1 is enabled, and PULSE3 say when a row begins."""
    panda.move("INENC1", f"{UP};{DOWN};repeat:{ROWS // 2}", start="SEQ1.ACTIVE")
    places = [ROW_STEP * row for row in range(ROWS)]
    steps = [f"hold:{y},600ms;ramp:{y},{y + ROW_STEP},100ms" for y in places]
    panda.move("INENC2", ";".join(steps), start="SEQ1.ACTIVE")
    panda.put("PULSE3.TRIG=SEQ1.ACTIVE", f"PULSE3.PULSES={ROWS}", f"PULSE3.STEP={ROW_SECONDS}")
    panda.put("PULSE3.WIDTH=0.001", "PULSE3.ENABLE=ONE")


def row(trigger: SeqTrigger, position: int) -> SeqTable:
    """Wait for the motion controller and the position; then time the points of a row."""
    return SeqTable.row(trigger=SeqTrigger.BITA_1, time2=1) + SeqTable.row(
        repeats=COLUMNS,
        trigger=trigger,
        position=position,
        time1=TRIGGER,
        outa1=True,
        time2=POINT - TRIGGER,
    )


def set_up(panda: HDFPanda) -> Any:
    yield from bps.mv(panda.pulse[1].width_units, "us")
    yield from bps.mv(
        *(panda.seq[1].posa, "INENC1.VAL", panda.seq[1].bita, "PULSE3.OUT"),
        *(panda.pulse[1].trig, "SEQ1.OUTA", panda.pulse[1].width, EXPOSURE),
        *(panda.counter[1].trig, "PULSE1.OUT", panda.counter[1].enable, "ONE"),
        *(panda.pcap.enable, "ONE", panda.pcap.gate, "PULSE1.OUT"),
        *(panda.pcap.trig, "PULSE1.OUT", panda.pcap.trig_edge, "Falling"),
    )
    yield from bps.mv(
        *(panda.inenc[1].val_capture, "Min Max Mean", panda.inenc[1].val_dataset, "x"),
        *(panda.inenc[2].val_capture, "Value", panda.inenc[2].val_dataset, "y"),
        *(panda.counter[1].out_capture, "Value", panda.counter[1].out_dataset, "frame"),
        *(panda.pcap.ts_trig_capture, "Value", panda.pcap.ts_trig_dataset, "time"),
    )


def fly(panda: HDFPanda) -> Any:
    sequencer = StaticSeqTableFlyableLogic(panda.seq[1]).with_device(name="sequencer")
    yield from set_up(panda)
    yield from bps.stage_all(panda, sequencer)
    yield from bps.open_run()
    # Backwards from the end of the last exposure, so that all rows expose the same places.
    table = row(SeqTrigger.POSA_GT, START) + row(SeqTrigger.POSA_LT, LAST + EXPOSED)
    snake = SeqTableInfo(sequence_table=table, repeats=ROWS // 2)
    yield from bps.prepare(sequencer, snake, wait=True)
    trigger = TriggerInfo(trigger=DetectorTrigger.EXTERNAL_LEVEL, number_of_events=FRAMES)
    yield from bps.prepare(panda, trigger, wait=True)
    yield from bps.declare_stream(panda, name="main", collect=True)
    yield from bps.kickoff(sequencer, wait=True)
    yield from bps.kickoff(panda, wait=True)
    yield from bps.collect_while_completing([panda, sequencer], [panda], flush_period=0.2)
    yield from bps.close_run()
    yield from bps.unstage_all(sequencer, panda)


def test_a_grid_scan_writes_what_the_trajectory_says(
    engine: RunEngine, panda: HDFPanda, simulated_panda: PandaProcess
) -> None:
    simulated_panda.put("*CAPTURE=", "INENC1.VAL.SCALE=1", "CLOCK1.ENABLE=ZERO")
    move_stage(simulated_panda)
    docs: list[tuple[str, dict[str, Any]]] = []
    engine(fly(panda), lambda name, doc: docs.append((name, doc)))
    assert max(d["indices"]["stop"] for name, d in docs if name == "stream_datum") == FRAMES
    resource = next(doc for name, doc in docs if name == "stream_resource")
    with h5py.File(unquote(urlparse(resource["uri"]).path)) as file:
        columns = {name: file[name][:] for name in COLUMN_NAMES}
    assert {len(column) for column in columns.values()} == {FRAMES}
    grid = {name: column.reshape(ROWS, COLUMNS) for name, column in columns.items()}
    begins = START + STEP * np.arange(COLUMNS)
    up, down = slice(0, None, 2), slice(1, None, 2)
    for rows, places in ((up, begins), (down, begins[::-1])):
        expected = np.repeat([places], ROWS // 2, 0)
        np.testing.assert_array_equal(grid["x-min"][rows], expected)
        np.testing.assert_array_equal(grid["x-max"][rows], expected + EXPOSED)
        np.testing.assert_allclose(grid["x"][rows], expected + EXPOSED / 2, atol=0.6)
    np.testing.assert_array_equal(grid["y"], np.repeat([ROW_STEP * np.arange(ROWS)], COLUMNS, 0).T)
    np.testing.assert_array_equal(np.diff(columns["frame"]), 1)
    np.testing.assert_allclose(np.diff(grid["time"], axis=1), POINT * 1e-6, atol=1e-9)
    np.testing.assert_allclose(np.diff(grid["time"][up, 0]), 2 * ROW_SECONDS, atol=1e-7)
    assert simulated_panda.get("PULSE1.DROPPED") == "0"
    assert simulated_panda.get("SEQ1.HEALTH") == "OK"
