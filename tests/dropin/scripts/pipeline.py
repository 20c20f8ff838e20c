"""Capture to files with a pipeline that has a stage of its own."""

import asyncio
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

from panda_ioc.pandablocks.asyncio import AsyncioClient
from panda_ioc.pandablocks.commands import Arm, GetLine, Put
from panda_ioc.pandablocks.connections import GATE_DURATION_FIELD, SAMPLES_FIELD
from panda_ioc.pandablocks.hdf import (
    FrameProcessor,
    HDFWriter,
    Pipeline,
    create_default_pipeline,
    create_pipeline,
    stop_pipeline,
    write_hdf_files,
)
from panda_ioc.pandablocks.responses import EndData, ReadyData

NAMES = {"COUNTER1.OUT": {"Value": "position"}, "COUNTER2.OUT": {"Mean": "level"}}


class Counter(Pipeline):
    """Keeps the number of samples written, and the ends."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.ends: list[int] = []
        self.what_to_do = {int: self.numbers.append, EndData: self.end}
        super().__init__()

    def end(self, data: EndData) -> None:
        self.ends.append(data.samples)


class Doubler(Pipeline):
    """Changes the values on their way."""

    def __init__(self) -> None:
        self.what_to_do = {list: lambda columns: [2 * column for column in columns]}
        super().__init__()


def show(path: Path) -> None:
    with h5py.File(path) as file:
        print(path.name, sorted(file))
        for name in sorted(file):
            data = file[name]
            print(name, data.dtype, data.shape, data.maxshape, np.isfinite(data[:]).all())


async def acquire(host: str, pipeline: list[Pipeline]) -> None:
    async with AsyncioClient(host) as client:
        try:
            async for data in client.data(scaled=False, flush_period=0.05):
                pipeline[0].queue.put_nowait(data)
                if isinstance(data, ReadyData):
                    await idle(client)
                    await client.send(Arm())
                elif isinstance(data, EndData):
                    break
        finally:
            stop_pipeline(pipeline)
        await idle(client)


async def idle(client: AsyncioClient) -> None:
    while (await client.send(GetLine("*PCAP.STATUS"))).split()[::2] != ["Idle", "0"]:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def main(host: str, directory: Path) -> None:
    print(GATE_DURATION_FIELD, SAMPLES_FIELD)
    async with AsyncioClient(host) as client:
        await client.send(Put("*CAPTURE"))
        await client.send(Put("COUNTER1.OUT.CAPTURE", "Value"))
        await client.send(Put("COUNTER1.OUT.SCALE", "0.5"))
        await client.send(Put("COUNTER2.OUT.CAPTURE", "Min Max Mean"))
        await client.send(Put("PCAP.BITS0.CAPTURE", "Value"))
        await client.send(Put("*SIM.SAMPLES", "100"))
    counter = Counter()
    await acquire(host, create_default_pipeline(iter([str(directory / "a.h5")]), NAMES, counter))
    show(directory / "a.h5")
    print(counter.numbers[-1], counter.ends)
    writer = HDFWriter(iter([directory / "b.h5"]), {})
    await acquire(host, create_pipeline(FrameProcessor(), Doubler(), writer))
    show(directory / "b.h5")
    async with AsyncioClient(host) as client:
        await write_hdf_files(client, (str(directory / f"{n}.h5") for n in range(9)), arm=True)
        await idle(client)
        await client.send(Put("*SIM.SAMPLES", "0"))
        await client.send(Put("COUNTER1.OUT.SCALE", "1"))
    show(directory / "0.h5")
    print(sorted(path.name for path in directory.iterdir()))  # noqa: ASYNC240


with tempfile.TemporaryDirectory() as made:
    asyncio.run(main(sys.argv[1], Path(made)))
