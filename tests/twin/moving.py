"""Random networks that an encoder moves: by trajectories, or by a write at each change."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.blocks.pcap import Pcap
from panda_ioc.sim.twin.fields import register
from panda_ioc.sim.twin.network import Network
from panda_ioc.sim.twin.outputs import PositionOutput
from panda_ioc.sim.twin.recorder import Change
from panda_ioc.sim.twin.trajectory import LOWEST, Trajectory, still

UNTIL = 700
ENCODERS = ("INENC1.VAL", "INENC2.VAL")
BLOCKS = {
    "INENC1": "INENC",
    "INENC2": "INENC",
    "TTLIN1": "TTLIN",
    "TTLIN2": "TTLIN",
    "TTLIN3": "TTLIN",
    "PCOMP1": "PCOMP",
    "PCOMP2": "PCOMP",
    "SEQ1": "SEQ",
    "CALC1": "CALC",
    "FILTER1": "FILTER",
    "PCAP": "PCAP",
}
SHOWN = ("PCOMP1", "PCOMP2", "SEQ1", "CALC1", "FILTER1", "PCAP")
BITS = ("TTLIN1.VAL", "TTLIN2.VAL", "TTLIN3.VAL", "PCOMP1.OUT", "PCOMP2.OUT", "SEQ1.OUTA", "ONE")
POSITIONS = (*ENCODERS, "CALC1.OUT")
BIT_INPUTS = (
    *("PCOMP1.ENABLE", "PCOMP2.ENABLE", "SEQ1.ENABLE", "SEQ1.BITA", "FILTER1.ENABLE"),
    *("FILTER1.TRIG", "PCAP.ENABLE", "PCAP.GATE", "PCAP.TRIG"),
)
POSITION_INPUTS = (
    *("PCOMP1.INP", "PCOMP2.INP", "SEQ1.POSA", "SEQ1.POSB", "SEQ1.POSC", "CALC1.INPA"),
    *("CALC1.INPB", "FILTER1.INP"),
)

# Changes, rows and completion.
Seen = tuple[list[Change], list[tuple[int, list[int]]], str]


@dataclass
class Plan:
    """What happens at which tick.

    Attributes:
        writes: (tick, register, value).
        moves: (tick of the command, encoder, trajectory, tick of its start).
        wires: (tick, input, source).
        table: words of SEQ.
    """

    writes: list[tuple[int, str, int]] = field(default_factory=list)
    moves: list[tuple[int, str, Trajectory, int]] = field(default_factory=list)
    wires: list[tuple[int, str, str]] = field(default_factory=list)
    table: list[int] = field(default_factory=list)


def random_plan(random: Random) -> Plan:
    plan = Plan(table=[word for _ in range(random.randint(1, 5)) for word in _line(random)])
    plan.writes = [
        (tick, name, value)
        for tick, (name, value) in enumerate(_settings(random), start=1)
        if value
    ]
    entries = [
        index << 4 | mode
        for index in range(3)
        for mode in random.sample(range(9), random.randint(1, 3))
    ]
    plan.writes += [(60 + n, "PCAP.WRITE", entry) for n, entry in enumerate(entries)]
    plan.writes += [(90, "PCAP.ARM", 0), (40, "SEQ1.TABLE_LENGTH", len(plan.table))]
    for number in (1, 2, 3):
        level = 0
        for tick in sorted(random.sample(range(95, UNTIL), random.choice([2, 12, 40]))):
            level = 1 - level
            plan.writes.append((tick, f"TTLIN{number}.VAL", level))
    for name in ENCODERS:
        for _ in range(random.randint(1, 3)):
            at = random.randint(80, UNTIL)
            start = at + random.choice([0, 0, 1, random.randint(0, 100)])
            plan.moves.append((at, name, _trajectory(random), start))
    plan.wires = [(0, name, random.choice(BITS)) for name in BIT_INPUTS]
    if random.random() < 0.7:
        # Rows, and sums over more than a few ticks.
        plan.wires += [(0, "PCAP.ENABLE", "ONE"), (0, "PCAP.TRIG", "TTLIN1.VAL")]
    plan.wires += [(0, name, random.choice(POSITIONS)) for name in POSITION_INPUTS]
    for _ in range(random.randint(0, 4)):
        name = random.choice(POSITION_INPUTS)
        plan.wires.append((random.randint(90, UNTIL), name, random.choice(POSITIONS)))
    return plan


def _settings(random: Random) -> Sequence[tuple[str, int]]:
    settings = [
        *(("CALC1.TYPEB", random.randint(0, 1)), ("CALC1.SHIFT", random.randint(0, 2))),
        *(("FILTER1.MODE", random.randint(0, 1)), ("PCAP.TRIG_EDGE", random.randint(0, 2))),
        *(("PCAP.SHIFT_SUM", random.choice([0, 0, 3])), ("SEQ1.REPEATS", random.randint(0, 2))),
        ("SEQ1.TABLE_ADDRESS", 7),
    ]
    for name in ("PCOMP1", "PCOMP2"):
        step = random.randint(1, 9)
        settings += [
            *((f"{name}.START", random.randint(-15, 15)), (f"{name}.STEP", step)),
            (f"{name}.WIDTH", random.randint(1, step)),
            (f"{name}.PRE_START", random.choice([0, 0, random.randint(-3, 5)])),
            *((f"{name}.PULSES", random.randint(0, 6)), (f"{name}.DIR", random.randint(0, 2))),
            (f"{name}.RELATIVE", random.randint(0, 1)),
        ]
    return settings


def _line(random: Random) -> list[int]:
    first = random.randint(0, 2) | random.randint(0, 12) << 16 | random.getrandbits(12) << 20
    return [first, random.randint(-15, 15), random.randint(0, 9), random.randint(0, 9)]


def _trajectory(random: Random) -> Trajectory:
    if random.random() < 0.2:
        return still(random.choice([random.randint(-15, 15), LOWEST]))
    size = random.choice([3, 15, 15, 30, 2**31 - 1])
    legs = [
        (random.randint(1, 200), _position(random, size), _position(random, size))
        for _ in range(random.randint(1, 4))
    ]
    if random.random() < 0.6:
        # One leg begins where the other ends.
        legs = [
            (ticks, legs[number - 1][2] if number else begin, end)
            for number, (ticks, begin, end) in enumerate(legs)
        ]
    return Trajectory(legs, random.randint(0, 3))


def _position(random: Random, size: int) -> Fraction:
    return Fraction(random.randint(-size * 3, size * 3), 3)


class Written(Block):
    """An encoder that knows of no trajectories."""

    VAL: int = register(signed=True)

    def __init__(self, board: Backplane, name: str) -> None:
        super().__init__(board, name)
        self.outputs["VAL"] = PositionOutput(board.engine, f"{name}.VAL")

    def on(self, tick: int, changed: int) -> None:
        self.outputs["VAL"].put(tick - 1, self.VAL)


def build(plan: Plan, moves: bool) -> Network:
    network = Network(BLOCKS)
    for name in ENCODERS if not moves else ():
        network.add(Written(network.board, name.partition(".")[0]))
    network.store_table(7, plan.table)
    outside = {f"TTLIN{number}.VAL": number for number in (1, 2, 3)}
    network.connect_buses(outside, {name: index for index, name in enumerate(POSITIONS)})
    for tick, name, value in plan.writes:
        network.write(name, value, tick)
    return network


def run(plan: Plan, network: Network, moves: bool, slices: Random) -> Seen:
    """Bring a network to the end, with wires and perhaps moves at their ticks."""
    recorder = network.record(
        f"{name}.{out}" for name in SHOWN for out in network.blocks[name].outputs
    )
    ticks = {tick for tick, *_ in [*plan.wires, *plan.moves]} - {0}
    ticks |= {slices.randint(1, UNTIL) for _ in range(slices.choice([0, 0, 30]))}
    for tick in [0, *sorted(ticks)]:
        network.run_until(tick)
        for _, name, source in (wire for wire in plan.wires if wire[0] == tick):
            network.wire(name, source)
        for _, name, trajectory, start in (m for m in plan.moves if moves and m[0] == tick):
            network.move(name, trajectory, start)
    network.run_until(UNTIL)
    pcap = network.blocks["PCAP"]
    assert isinstance(pcap, Pcap)
    return recorder.changes(UNTIL), list(pcap.stream.rows), pcap.completion


def by_trajectories(plan: Plan, slices: Random) -> Seen:
    return run(plan, build(plan, moves=True), True, slices)


def by_writes(plan: Plan) -> Seen:
    """Write each position at its tick."""
    network = build(plan, moves=False)
    for name in ENCODERS:
        value = 0
        for tick in range(UNTIL):
            before, value = value, _position_at(plan, name, tick)
            if value != before:
                network.write(name, value, tick)
    return run(plan, network, False, Random(0))


def _position_at(plan: Plan, name: str, tick: int) -> int:
    """Tell where an encoder is: a command drops motions that would start no sooner."""
    there: list[tuple[int, Trajectory]] = [(0, still(0))]
    for at, moved, trajectory, start in sorted(plan.moves, key=lambda move: move[0]):
        if moved == name and at <= tick:
            there = [each for each in there if each[0] < start] + [(start, trajectory)]
    start, trajectory = max((each for each in there if each[0] <= tick), key=lambda e: e[0])
    return trajectory.value(tick - start)
