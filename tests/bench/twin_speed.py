"""How much work the digital twin is: `python tests/bench/twin_speed.py`, CPU seconds for 10 s."""

import time
from collections.abc import Callable, Sequence
from fractions import Fraction

from panda_ioc.sim.twin.blocks import block_type, block_types
from panda_ioc.sim.twin.blocks.pcap import Pcap
from panda_ioc.sim.twin.network import Network
from panda_ioc.sim.twin.trajectory import FOREVER, Trajectory

SECOND = 125_000_000
COUNTS = 1_000_000
VALUE, SUM_LOW, SUM_HIGH, MIN, MAX = 0, 2, 3, 4, 5
TS_TRIG = 36
# The lines of SEQ's table, for ever: by itself, or at BITA=1. OUTA is up in phase 1.
BY_ITSELF = [1 << 20, 0, 6250, 6250]
AT_BITA = [2 << 16 | 1 << 20, 0, 5000, 2000]
SLICE = SECOND // 100


def make(wires: dict[str, str], registers: dict[str, int]) -> Network:
    """Wire blocks, which are those that the wires name, and write registers."""
    names = {name.partition(".")[0] for name in [*wires, *wires.values()]} - {"ONE", "ZERO"}
    network = Network({name: name.rstrip("0123456789") for name in sorted(names)})
    for name, source in wires.items():
        network.wire(name, source)
    for tick, (name, value) in enumerate(registers.items()):
        network.write(name, value, tick)
    return network


def capture(network: Network, positions: dict[str, int], entries: list[tuple[int, int]]) -> None:
    """Tell PCAP what to capture, and arm it."""
    network.connect_buses({}, positions)
    for number, (index, mode) in enumerate(entries):
        network.write("PCAP.WRITE", index << 4 | mode, 1000 + number)
    network.write("PCAP.ARM", 0, 2000)


def encoder(step: int = 1000) -> Network:
    """An encoder of 1 MHz into PCOMP and PCAP, which captures value, mean and extremes."""
    wires = {
        **dict.fromkeys(("PCOMP1.INP",), "INENC1.VAL"),
        "PCOMP1.ENABLE": "PCAP.ACTIVE",
        "PCAP.ENABLE": "PCAP.ACTIVE",
        "PCAP.GATE": "ONE",
        "PCAP.TRIG": "PCOMP1.OUT",
    }
    settings = {"START": step, "STEP": step, "WIDTH": step // 2}
    network = make(wires, {f"PCOMP1.{name}": value for name, value in settings.items()})
    modes = (VALUE, SUM_LOW, SUM_HIGH, MIN, MAX)
    capture(network, {"INENC1.VAL": 0}, [*((0, mode) for mode in modes), (TS_TRIG, VALUE)])
    ticks = 11 * SECOND
    network.move("INENC1.VAL", Trajectory([(ticks, Fraction(0), Fraction(11 * COUNTS))]), 10_000)
    return network


def four_blocks(line: Sequence[int] = BY_ITSELF) -> Network:
    """SEQ at 10 kHz, a pulse for each of its lines, COUNTER and PCAP behind it."""
    wires = {
        "SEQ1.ENABLE": "PCAP.ACTIVE",
        "PULSE1.ENABLE": "ONE",
        "PULSE1.TRIG": "SEQ1.OUTA",
        "COUNTER1.ENABLE": "ONE",
        "COUNTER1.TRIG": "PULSE1.OUT",
        "PCAP.GATE": "ONE",
        "PCAP.ENABLE": "PCAP.ACTIVE",
        "PCAP.TRIG": "PULSE1.OUT",
    }
    if line is AT_BITA:
        wires |= {"CLOCK1.ENABLE": "PCAP.ACTIVE", "SEQ1.BITA": "CLOCK1.OUT"}
    registers = {
        "PULSE1.WIDTH_L": 625,
        "PULSE1.DELAY_L": 125,
        "SEQ1.TABLE_ADDRESS": 5,
        "SEQ1.TABLE_LENGTH": len(line),
    }
    if line is AT_BITA:
        registers["CLOCK1.PERIOD"] = 12_500
    network = make(wires, registers)
    network.store_table(5, line)
    capture(network, {"COUNTER1.OUT": 0}, [(0, VALUE), (TS_TRIG, VALUE), (TS_TRIG + 1, VALUE)])
    return network


def five_blocks() -> Network:
    """The same with a CLOCK that triggers each line."""
    return four_blocks(AT_BITA)


def fast_clock() -> Network:
    """A CLOCK of 16 ns into a COUNTER."""
    wires = {"CLOCK1.ENABLE": "ONE", "COUNTER1.ENABLE": "ONE", "COUNTER1.TRIG": "CLOCK1.OUT"}
    return make(wires, {"CLOCK1.PERIOD": 2, "COUNTER1.MAX": 999})


def idle() -> Network:
    """80 blocks of all types, of which none has anything to do."""
    kinds = sorted(block_types())
    return Network({f"{kinds[n % len(kinds)]}{n}": kinds[n % len(kinds)] for n in range(80)})


def run(network: Network, seconds: float) -> int:
    """Run in slices as the simulator does, and take the rows away; return how many there were."""
    pcap, end, rows = network.blocks.get("PCAP"), network.now + round(seconds * SECOND), 0
    while network.now < end:
        network.run_until(min(end, network.now + SLICE))
        if isinstance(pcap, Pcap):
            rows += len(pcap.stream.take(network.now))
    return rows


def measure(make: Callable[[], Network], seconds: float = 10) -> dict[str, float]:
    """Measure CPU seconds, and say what was done in them."""
    network = make()
    start = time.process_time()
    rows = run(network, seconds)
    cpu = time.process_time() - start
    return {"cpu": cpu, "rows": rows, "events": network.board.engine.events}


def snake() -> Network:
    """An encoder that goes to and fro for ever, compared and captured on its way up."""
    network = encoder()
    network.add(block_type("CLOCK")(network.board, "CLOCK1"))
    there, back = (Fraction(0), Fraction(COUNTS)), (Fraction(COUNTS), Fraction(0))
    for name, value in (("STEP", 50_000), ("WIDTH", 10_000), ("PULSES", 15)):
        network.write(f"PCOMP1.{name}", value, 1500)
    network.wire("PCOMP1.ENABLE", "CLOCK1.OUT")
    network.wire("CLOCK1.ENABLE", "PCAP.ACTIVE")
    network.write("CLOCK1.PERIOD", 4 * SECOND, 1500)
    network.move("INENC1.VAL", Trajectory([(2 * SECOND, *there), (2 * SECOND, *back)], FOREVER), 0)
    return network


if __name__ == "__main__":
    for each in (encoder, four_blocks, five_blocks, fast_clock, idle):
        print(each.__name__, measure(each))
