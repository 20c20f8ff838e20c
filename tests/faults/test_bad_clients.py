"""Clients that put nonsense, come and go, or stop reading: no effect on the others."""

import asyncio
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from ca_wire import RawClient
from scene import CANARY, Scene

NAN, INFINITY = float("nan"), float("inf")

REFUSED: list[tuple[str, Any]] = [
    ("PULSE1:WIDTH", NAN),
    ("PULSE1:WIDTH", INFINITY),
    ("PULSE1:WIDTH", -INFINITY),
    ("PULSE1:WIDTH", -1),
    ("PULSE1:WIDTH", 1e300),
    ("PULSE1:PULSES", NAN),
    ("PULSE1:PULSES", 1.5),
    ("PULSE1:PULSES", -1),
    ("PULSE1:PULSES", 2.0**32),
    ("INENC1:BITS", 64),
    ("INENC1:VAL:SCALE", NAN),
    ("INENC1:VAL:OFFSET", INFINITY),
    ("TTLOUT1:VAL", "NO.SUCH"),
    ("TTLOUT1:VAL", ""),
    ("TTLOUT1:VAL", "x" * 39),
    ("TTLOUT1:VAL", "ONE\nTTLOUT2.VAL=ONE"),
    ("LUT1:FUNC", "((((A"),
    ("TTLIN1:TERM", 2),
    ("TTLIN1:TERM", 15),
    ("TTLIN1:TERM", 65535),
    ("TTLIN1:TERM", "no such label"),
    ("PULSE1:DELAY:UNITS", 9),
    ("TTLOUT1:VAL:DELAY", 32),
    ("TTLOUT1:VAL:DELAY", -1),
    ("PCAP:ARM", 2),
    ("DATA:LIVE:LENGTH", 0),
    ("DATA:LIVE:LENGTH", 2**31 - 1),
    ("DATA:LIVE:PERIOD", NAN),
    ("DATA:LIVE:PERIOD", -1),
    ("SEQ1:TABLE:REPEATS", [1, 2, 3]),
    ("SEQ1:TABLE:MODE", 7),
]

READ_ONLY = [
    "COUNTER1:OUT",
    "TTLIN1:VAL",
    "INENC1:HEALTH",
    "STATUS",
    "ERROR",
    "SYSTEM:IDN",
    "DATA:LIVE:STATE",
    "DATA:LIVE:RECEIVED",
    "COUNTER1:OUT:DATA:VALUE",
    "IOC:RECONNECTS",
]


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=lambda each: repr(each)[:25])
async def test_a_value_that_can_not_be_is_refused_and_not_kept(
    scene: Scene, name: str, value: Any
) -> None:
    before = await scene.get(name)
    refused = await scene.ca.caput(scene.ioc.pv(name), value, wait=True, timeout=10, throw=False)
    assert not refused.ok
    after = await scene.get(name)
    assert list(before) == list(after) if hasattr(before, "__len__") else before == after
    assert await scene.put(CANARY, 1)
    assert scene.sim.ask("TTLOUT2.VAL?") == ["OK =ZERO"]


@pytest.mark.parametrize(
    ("name", "value"), [("TTLOUT1:VAL", "A" * 100_000), ("LUT1:FUNC", "A" * 5000)]
)
def test_an_endless_string_by_pva_is_refused(scene_less: Any, name: str, value: str) -> None:
    ioc, pva = scene_less
    before = pva.get(ioc.pv(name)).value
    with pytest.raises(Exception, match=r"."):
        pva.put(ioc.pv(name), {"value": value}, wait=True, timeout=10)
    assert pva.get(ioc.pv(name)).value == before


@pytest.fixture
def scene_less(ioc: Any, pva: Any) -> tuple[Any, Any]:
    """A bridge and a PVA client."""
    return ioc, pva


@pytest.mark.parametrize("name", READ_ONLY)
async def test_what_is_read_only_can_not_be_put(scene: Scene, name: str) -> None:
    refused = await scene.ca.caput(scene.ioc.pv(name), 1, wait=True, timeout=10, throw=False)
    assert not refused.ok
    assert await scene.put(CANARY, 2)


async def test_a_column_with_more_elements_than_fit_is_refused(scene: Scene) -> None:
    name = scene.ioc.pv("SEQ1:TABLE:REPEATS")
    refused = await scene.ca.caput(name, [1.0] * 200_000, wait=True, timeout=10, throw=False)
    assert not refused.ok
    assert len(await scene.ca.caget(name)) == 0


async def test_columns_of_different_lengths_are_not_submitted(scene: Scene) -> None:
    assert await scene.put("SEQ1:TABLE:MODE", "EDIT")
    assert await scene.put("SEQ1:TABLE:REPEATS", [1, 2, 3])
    assert await scene.put("SEQ1:TABLE:TIME1", [1])
    assert not await scene.put("SEQ1:TABLE:MODE", "SUBMIT")
    assert await scene.put("SEQ1:TABLE:MODE", "DISCARD")
    assert scene.sim.ask("SEQ1.TABLE.LENGTH?") == ["OK =0"]


async def test_many_clients_that_come_and_go_leave_nothing_behind(scene: Scene) -> None:
    port = ca_port(scene)
    process = psutil.Process(scene.ioc.process.pid)
    await visit(scene, port, 10)
    before = process.num_fds(), process.num_threads()
    for _ in range(4):
        await asyncio.gather(*(visit(scene, port, 1) for _ in range(50)))
        assert await scene.put(CANARY, 3)
    await scene.until(
        lambda: process.num_fds() <= before[0] + 2 and process.num_threads() <= before[1] + 2,
        f"no more than {before} descriptors and threads",
    )
    assert scene.problems() == []


async def visit(scene: Scene, port: int, times: int) -> None:
    """Come, subscribe, get an update, vanish."""
    for _ in range(times):
        async with RawClient(port) as client:
            await client.subscribe(scene.ioc.pv(CANARY))
            await client.receive(1)


def ca_port(scene: Scene) -> int:
    """The TCP port that the bridge serves CA on."""
    return int(scene.ioc.environment["EPICS_CAS_SERVER_PORT"])


@pytest.mark.parametrize("seed_of_junk", range(3))
async def test_junk_to_the_server_ports_is_survived(scene: Scene, seed_of_junk: int) -> None:
    chance = random.Random(seed_of_junk)
    process = psutil.Process(scene.ioc.process.pid)
    listening = {
        c.laddr.port for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN
    }
    assert ca_port(scene) in listening
    for port in listening:
        for size in (1, 16, 1000, 100_000):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(chance.randbytes(size))
            await asyncio.sleep(0.02)
            writer.transport.abort()
    assert await scene.put(CANARY, 4)
    assert scene.is_alive()


async def test_a_ca_client_that_stops_reading_holds_up_nobody(scene: Scene) -> None:
    scene.sim.put("*SIM.RATE=50000", "*SIM.PERIOD=0.01", "*SIM.SAMPLES=0")
    assert await scene.put("DATA:LIVE:LENGTH", 20000)
    async with RawClient(ca_port(scene)) as client:
        for number in range(1, 40):
            await client.subscribe(scene.ioc.pv("COUNTER1:OUT:DATA:VALUE"), number)
        client._reader._transport.pause_reading()
        await others_are_served(scene)
    assert await scene.put("DATA:LIVE:LENGTH", 1000)


MONITOR = """
import sys, time
from p4p.client.thread import Context
context = Context("pva", nt=False)
subscriptions = [context.monitor(name, print) for name in sys.argv[1:] for _ in range(20)]
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def stopped_client(scene: Scene) -> Iterator[None]:
    """A PVA client that is stopped while it monitors."""
    scene.sim.put("*SIM.RATE=50000", "*SIM.PERIOD=0.01", "*SIM.SAMPLES=0")
    command = [sys.executable, "-c", MONITOR, scene.ioc.pv("COUNTER1:OUT:DATA:VALUE")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        client.stdout.readline()
        client.send_signal(signal.SIGSTOP)
        yield
        client.kill()


@pytest.mark.usefixtures("stopped_client")
async def test_a_pva_client_that_stops_reading_holds_up_nobody(scene: Scene) -> None:
    await others_are_served(scene)


async def others_are_served(scene: Scene) -> None:
    """For some seconds of live data everybody else is served, and memory does not grow."""
    await scene.until(lambda: has_reader(scene), "the data port is open")
    assert await scene.put("PCAP:ARM", 1)
    await asyncio.sleep(1)
    before = psutil.Process(scene.ioc.process.pid).memory_info().rss
    with scene.see("DATA:LIVE:UPDATES") as updates, scene.see(CANARY) as canary:
        for value in range(1, 31):
            assert await scene.put(CANARY, value)
            await asyncio.sleep(0.05)
        await canary.until(lambda value: value == 30)
        assert len(updates.updates) > 5
    after = psutil.Process(scene.ioc.process.pid).memory_info().rss
    assert after - before < 60 << 20
    assert await scene.put("PCAP:ARM", 0)
    assert scene.problems() == []


def has_reader(scene: Scene) -> bool:
    return scene.sim.ask("*PCAP.STATUS?")[0].split()[-2] == "1"
