"""The digital twin without sockets: `pytest tests/bench/test_bench_twin.py --benchmark-enable`.

CPU time of a scan of 10 s at 10 kHz through SEQ, PULSE, COUNTER and PCAP, and of a PandA at rest.
Without `--benchmark-enable` the scan is a tenth as long, and only its rows are checked.
"""

import time
from typing import Any

from panda_ioc.sim.application import PACKAGED, load
from panda_ioc.sim.machine import Machine
from panda_ioc.sim.session import Session
from panda_ioc.sim.settings import Settings
from panda_ioc.sim.twin_hardware import TwinHardware

SCAN = (
    *("*CAPTURE=", "CLOCK1.ENABLE=ZERO", "CLOCK2.ENABLE=ZERO"),
    *("SEQ1.ENABLE=PCAP.ACTIVE", "SEQ1.REPEATS=1"),
    *("PULSE1.ENABLE=PCAP.ACTIVE", "PULSE1.TRIG=SEQ1.OUTA"),
    *("PULSE1.DELAY.RAW=100", "PULSE1.WIDTH.RAW=100"),
    *("COUNTER1.ENABLE=PCAP.ACTIVE", "COUNTER1.TRIG=PULSE1.OUT", "COUNTER1.OUT.CAPTURE=Value"),
    *("PCAP.ENABLE=SEQ1.ACTIVE", "PCAP.GATE=ONE", "PCAP.TRIG=PULSE1.OUT"),
    *("PCAP.TS_TRIG.CAPTURE=Value", "*SIM.SPEED=0"),
)
LINES = 10
HALF_PERIOD = 6250  # ticks, of 10 kHz
IDLE = 3600 * 125_000_000


def machine(*commands: str) -> Machine:
    """A twin that was told these commands."""
    made = Machine(load(PACKAGED), Settings(), alive=False, hardware=TwinHardware)
    session = Session(made)
    for command in commands:
        session.feed(f"{command}\n".encode())
        assert session.step() == b"OK\n", command
    return made


def table(repeats: int) -> str:
    words = (repeats | 1 << 20, 0, HALF_PERIOD, HALF_PERIOD)
    return "\n".join(["SEQ1.TABLE<", *map(str, words * LINES), ""])


def scan(rows: int) -> int:
    """Scan as fast as possible; how many rows there were."""
    twin = machine(*SCAN, table(rows // LINES), "*PCAP.ARM=")
    twin.alive = True
    while twin.capture.completion() == "Busy":
        twin.work()
    return int(twin.capture.captured())


def test_ten_kilohertz(benchmark: Any) -> None:
    rows = 10_000 if benchmark.disabled else 100_000
    start = time.process_time()
    assert benchmark.pedantic(scan, (rows,)) == rows
    benchmark.extra_info["cpu"] = time.process_time() - start


def test_a_panda_at_rest_costs_nothing(benchmark: Any) -> None:
    """An hour of simulated time without any event is one step."""
    hardware = machine("CLOCK1.ENABLE=ZERO", "CLOCK2.ENABLE=ZERO").hardware
    assert isinstance(hardware, TwinHardware)
    hardware.network.run_until(hardware.network.now + IDLE)
    events = hardware.network.board.engine.events
    benchmark(lambda: hardware.network.run_until(hardware.network.now + IDLE))
    assert hardware.network.board.engine.events == events
