"""How quick puts are while others reconnect, and how soon PVs are true after the box restarts.

    python -m tests.faults.measure [--puts N] [--restarts N]

Times depend on the machine: compare those of one run.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from ca_wire import RawClient  # noqa: E402
from proxy import Do, Proxy  # noqa: E402

from support.servers import EpicsPorts, Ioc, Sim, free_ports  # noqa: E402
from support.truth import Truth  # noqa: E402

PV = "PULSE1:WIDTH"


async def puts(ca: Any, ioc: Ioc, count: int) -> list[float]:
    """Durations of waited puts, one after the other, in ms."""
    durations = []
    for number in range(count):
        started = time.perf_counter()
        await ca.caput(ioc.pv(PV), 1 + number % 7, wait=True)
        durations.append(1e3 * (time.perf_counter() - started))
    return sorted(durations)


@contextlib.asynccontextmanager
async def again_and_again(work: Callable[[], Awaitable[None]]) -> AsyncIterator[list[int]]:
    """Does the work as long as the context lasts; yields how often."""
    times = [0]

    async def run() -> None:
        while True:
            await work()
            times[0] += 1

    task = asyncio.create_task(run())
    try:
        yield times
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def storms(ca: Any, sim: Sim, proxy: Proxy, ioc: Ioc, count: int) -> None:
    """Puts in quiet, and in each kind of storm."""

    async def nothing() -> None:
        await asyncio.sleep(1)

    async def box_client() -> None:
        reader, writer = await asyncio.open_connection(sim.host, sim.port)
        writer.write(b"*IDN?\n*CHANGES?\n")
        await reader.readline()
        writer.transport.abort()
        await asyncio.sleep(0.01)

    async def data_port() -> None:
        proxy.data.end(Do.RESET)
        await asyncio.sleep(0.1)

    async def ca_client() -> None:
        async with RawClient(int(ioc.environment["EPICS_CAS_SERVER_PORT"])) as client:
            await client.subscribe(ioc.pv("STATUS"))
            await client.receive(1)
        await asyncio.sleep(0.01)

    for name, work in (
        ("quiet", nothing),
        ("clients reconnecting to the box", box_client),
        ("data port flapping", data_port),
        ("CA clients coming and going", ca_client),
    ):
        async with again_and_again(work) as times:
            started = time.monotonic()
            found = await puts(ca, ioc, count)
            rate = times[0] / (time.monotonic() - started)
        p99 = found[int(0.99 * len(found))]
        print(
            f"{name:34} {rate:6.0f} /s   put p50 {statistics.median(found):6.2f} ms"
            f"   p99 {p99:6.2f} ms   worst {found[-1]:6.2f} ms"
        )


async def restarts(ca: Any, scratch: Path, ports: EpicsPorts, count: int) -> None:
    """From a box that listens again to PVs that are true."""
    control, data = free_ports(2)
    sim = Sim(scratch / "box", port=control, data_port=data)
    with Ioc(scratch / "bridge", ports, sim.address) as ioc:
        truth = await Truth.of(sim, ioc)
        connected: asyncio.Queue[float] = asyncio.Queue()

        def seen(value: Any) -> None:
            if value == "CONNECTED":
                connected.put_nowait(time.monotonic())

        monitor = ca.camonitor(ioc.pv("STATUS"), seen, datatype=str, all_updates=True)
        await connected.get()
        durations = []
        for number in range(count):
            sim.kill()
            await asyncio.sleep(1 + 3 * number / count)
            sim = await asyncio.to_thread(
                Sim, scratch / f"box{number}", port=control, data_port=data
            )
            listening = sim.log.stat().st_mtime - time.time() + time.monotonic()
            durations.append(await connected.get() - listening)
            await asyncio.to_thread(sim.put, "*SIM.ALIVE=0")
            await asyncio.sleep(0.3)
            assert await truth.differences(ca) == []
        monitor.close()
    sim.stop()
    durations.sort()
    print(
        f"from the box listening to {len(truth.specs)} true PVs, {count} restarts:"
        f" median {statistics.median(durations):.2f} s, worst {durations[-1]:.2f} s"
    )


async def main(options: argparse.Namespace, scratch: Path, ports: EpicsPorts) -> None:
    """All of it."""
    import aioca

    with (
        Sim(scratch / "sim") as sim,
        Proxy((sim.host, sim.port), (sim.host, sim.data_port)) as proxy,
        Ioc(scratch / "ioc", ports, proxy.address) as ioc,
    ):
        await storms(aioca, sim, proxy, ioc, options.puts)
    await restarts(aioca, scratch, ports, options.restarts)
    aioca.purge_channel_caches()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.faults.measure", description=__doc__)
    parser.add_argument("--puts", type=int, default=3000)
    parser.add_argument("--restarts", type=int, default=12)
    epics = EpicsPorts()
    epics.export()
    with tempfile.TemporaryDirectory(prefix="panda-measure-") as directory:
        asyncio.run(main(parser.parse_args(), Path(directory), epics))
