"""Pipelines of `pandablocks` scripts: acquisitions to files, and what goes wrong on the way."""

import asyncio
from itertools import count
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from panda_ioc.capture.acquisitions import write_hdf_files
from panda_ioc.capture.pipeline import (
    FrameProcessor,
    HDFWriter,
    Pipeline,
    create_default_pipeline,
    create_pipeline,
    stop_pipeline,
)
from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.errors import CaptureError, HDFDataOverrunError
from panda_ioc.protocol.commands import Put
from panda_ioc.protocol.responses import EndData, EndReason, FieldCapture, FrameData, StartData
from support.databox import data_box
from support.servers import Sim, Starter

INT32, INT64 = np.dtype("<i4"), np.dtype("<i8")
FIELDS = [
    FieldCapture("PCAP.BITS0", np.dtype("<u4"), "Value"),
    FieldCapture("A.OUT", INT32, "Value", 2.0, 1.0, "mm"),
    FieldCapture("A.OUT", INT64, "Mean", 2.0, 1.0, "mm"),
    FieldCapture("B.OUT", INT32, "Value", 1.0, 0.0, ""),
    FieldCapture("PCAP.GATE_DURATION", INT32, "Value", 1.0, 0.0, "s"),
]
START = StartData(FIELDS, 0, "Raw", "Framed", 24, "2024-01-01T00:00:00Z", None, 7)
ROWS = np.array(
    [(1, 10, 40, 3, 4), (2, 20, 80, 5, 4)],
    [(f"{field.name}.{field.capture}", field.type) for field in FIELDS],
)
END = EndData(2, EndReason.OK)


def send(pipeline: list[Pipeline], *events: Any) -> None:
    for event in events:
        pipeline[0].queue.put_nowait(event)


def test_two_acquisitions_with_names(tmp_path: Path) -> None:
    names = {"A.OUT": {"Value": "position", "Mean": "mean"}}
    (tmp_path / "1.h5").write_text("an old file, which is replaced")
    files = iter([tmp_path / "1.h5", str(tmp_path / "2.h5")])
    pipeline = create_default_pipeline(files, names)
    send(pipeline, START, FrameData(ROWS), FrameData(ROWS[:1]), END)
    send(pipeline, START, FrameData(ROWS), END)
    stop_pipeline(pipeline)
    with h5py.File(tmp_path / "1.h5") as file:
        assert {name: (file[name].dtype, file[name][:].tolist()) for name in file} == {
            "PCAP.BITS0.Value": (np.uint32, [1, 2, 1]),
            "position": (np.float64, [21, 41, 21]),
            "mean": (np.float64, [21, 41, 21]),
            "B.OUT.Value": (np.float64, [3, 5, 3]),
            "PCAP.GATE_DURATION.Value": (np.float64, [4, 4, 4]),
        }
        assert file.attrs["arm_time"] == "2024-01-01T00:00:00Z"
        assert file.attrs["hw_time_offset_ns"] == 7
    with h5py.File(tmp_path / "2.h5") as file:
        assert file["position"].shape == (2,)


def test_scaled_data_are_written_as_they_come(tmp_path: Path) -> None:
    fields = [FieldCapture("A.OUT", np.dtype("<f4"), "Mean", 2.0, 1.0, "mm")]
    start = StartData(fields, 0, "Scaled", "Framed", 4, None, None, None)
    pipeline = create_default_pipeline(iter([tmp_path / "1.h5"]), {})
    send(pipeline, start, FrameData(np.array([(1.5,)], [("A.OUT.Mean", "<f4")])), END)
    stop_pipeline(pipeline)
    with h5py.File(tmp_path / "1.h5") as file:
        assert file["A.OUT.Mean"].dtype == np.float32
        assert file["A.OUT.Mean"][:].tolist() == [1.5]


def test_readers_see_samples_while_a_file_is_written(tmp_path: Path) -> None:
    writer = HDFWriter(iter([tmp_path / "1.h5"]), {})
    writer.open_file(START)
    assert [dataset.name for dataset in writer.datasets][1] == "/A.OUT.Value"
    processor = FrameProcessor()
    processor.create_processors(START)
    assert writer.write_frame(processor.scale_data(FrameData(ROWS))) == 2
    with h5py.File(tmp_path / "1.h5", swmr=True) as file:
        assert file["A.OUT.Value"].shape == (2,)
    assert writer.hdf_file is not None
    writer.close_file(END)
    assert (writer.hdf_file, writer.datasets, writer.file_path) == (None, [], "")


def test_a_file_that_is_cut_short_is_closed(tmp_path: Path) -> None:
    pipeline = create_default_pipeline(iter([tmp_path / "1.h5"]), {})
    send(pipeline, START, FrameData(ROWS))
    stop_pipeline(pipeline)
    with h5py.File(tmp_path / "1.h5") as file:
        assert file["A.OUT.Value"].shape == (2,)
        assert file.attrs["end_reason"] == b"Manually stopped"


class Broken(Pipeline):
    """Fails with each frame."""

    def __init__(self) -> None:
        self.what_to_do = {list: self.fail}
        super().__init__()

    def fail(self, columns: list[Any]) -> None:
        raise ZeroDivisionError(len(columns))


def test_what_a_stage_raises_is_raised_at_the_end(tmp_path: Path) -> None:
    writer = HDFWriter(iter([tmp_path / "1.h5"]), {})
    pipeline = create_pipeline(FrameProcessor(), Broken(), writer)
    send(pipeline, START, FrameData(ROWS), END)
    with pytest.raises(ZeroDivisionError, match="5"):
        stop_pipeline(pipeline)
    assert [stage.is_alive() for stage in pipeline] == [False] * 3


@pytest.mark.parametrize(
    ("files", "message"),
    [([], "no file name is left"), (["nowhere/1.h5"], "no directory nowhere")],
)
def test_files_that_cannot_be_made(files: list[str], message: str) -> None:
    pipeline = create_default_pipeline(iter(files), {})
    send(pipeline, START, FrameData(ROWS), END)
    with pytest.raises(CaptureError, match=message):
        stop_pipeline(pipeline)


def test_acquisitions_that_follow_one_another(start_sim: Starter[Sim], tmp_path: Path) -> None:
    sim = start_sim("--no-alive", "--samples", "50", "--rate", "5000")

    async def write() -> None:
        async with AsyncioClient(sim.host, sim.port, sim.data_port) as client:
            await client.send(Put("COUNTER1.OUT.CAPTURE", "Value"))
            files = (tmp_path / f"{number}.h5" for number in count())
            await asyncio.wait_for(write_hdf_files(client, files, num=5, arm=True), 30)

    asyncio.run(write())
    assert sorted(path.name for path in tmp_path.glob("*.h5")) == [f"{n}.h5" for n in range(5)]
    for path in tmp_path.glob("*.h5"):
        with h5py.File(path) as file:
            assert file["COUNTER1.OUT.Value"].shape == (50,)


async def test_writing_stops_when_a_file_cannot_be_made(sim: Sim, tmp_path: Path) -> None:
    async with AsyncioClient(sim.host, sim.port, sim.data_port) as client:
        await client.send(Put("COUNTER1.OUT.CAPTURE", "Value"))
        writing = write_hdf_files(client, iter([tmp_path / "no" / "1.h5"]), arm=True)
        try:
            with pytest.raises(CaptureError, match="no directory"):
                await asyncio.wait_for(writing, 10)
        finally:
            await client.send(Put("*PCAP.DISARM"))


async def test_an_overrun_is_raised(tmp_path: Path) -> None:
    header = (
        b'OK\n<header>\n<data missed="0" process="Raw" format="Framed" sample_bytes="4" />\n'
        b'<fields>\n<field name="A.OUT" type="int32" capture="Value" scale="1" offset="0" units=""'
        b" />\n</fields>\n</header>\n\n"
    )
    with data_box(header + b"BIN \x0c\0\0\0\1\0\0\0END 1 Data overrun\n") as box:
        client = AsyncioClient("127.0.0.1", 1, box.port)
        with pytest.raises(HDFDataOverrunError, match="Data overrun"):
            await write_hdf_files(client, iter([tmp_path / "1.h5"]))
    with h5py.File(tmp_path / "1.h5") as file:
        assert file["A.OUT.Value"][:].tolist() == [1]
