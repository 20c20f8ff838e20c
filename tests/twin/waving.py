"""Random networks with clocks that count, looked at now and then."""

from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from panda_ioc.sim.twin.blocks.pcap import Pcap
from panda_ioc.sim.twin.network import Network
from panda_ioc.sim.twin.recorder import Recorder

UNTIL = 4000
CLOCKS = ("CLOCK1", "CLOCK2")
COUNTERS = ("COUNTER1", "COUNTER2", "COUNTER3")
BLOCKS = {
    **dict.fromkeys(CLOCKS, "CLOCK"),
    **dict.fromkeys(COUNTERS, "COUNTER"),
    **dict.fromkeys(("TTLIN1", "TTLIN2", "TTLIN3"), "TTLIN"),
    "DIV1": "DIV",
    "PCAP": "PCAP",
}
WAVES = tuple(f"{name}.OUT" for name in CLOCKS)
COUNTS = tuple(f"{name}.OUT" for name in COUNTERS)
CARRIES = tuple(f"{name}.CARRY" for name in COUNTERS)
LEVELS = ("TTLIN1.VAL", "TTLIN2.VAL", "TTLIN3.VAL", "ONE", "ONE", "ONE")
MIXED = (*LEVELS, *WAVES, *CARRIES, "DIV1.OUTD", "PCAP.ACTIVE")
TRIGGERS = tuple(f"{name}.TRIG" for name in COUNTERS)
SHOWN = (*WAVES, *COUNTS, *CARRIES, "DIV1.OUTD", "DIV1.COUNT", "PCAP.ACTIVE", "PCAP.HEALTH")

# (what to do, name, value or source, delay).
Step: TypeAlias = tuple[str, str, "int | str", int]


@dataclass
class Plan:
    writes: list[tuple[int, str, int]] = field(default_factory=list)
    steps: dict[int, list[Step]] = field(default_factory=dict)


def random_plan(random: Random) -> Plan:
    plan = Plan()
    calm = random.random() < 0.6
    for name in CLOCKS:
        for at in _some(random, 3):
            plan.writes.append((at, f"{name}.PERIOD", _period(random)))
            if random.random() < 0.3:
                plan.writes.append((at + 1, f"{name}.WIDTH", random.choice([0, 1, 2, 5, 40])))
    for name in COUNTERS:
        for at in _some(random, 3):
            apart = random.randint(0, 1)
            settings = enumerate(_settings(random, name))
            plan.writes += [(at + apart * n, *each) for n, each in settings]
    for number in (1, 2, 3):
        level = 0
        for at in sorted(random.sample(range(60, UNTIL), random.choice([1, 2, 7, 30]))):
            level = 1 - level
            plan.writes.append((at, f"TTLIN{number}.VAL", level))
    for at in _some(random, 3):
        plan.writes += _program(random, at + 20, calm)
    plan.writes += [(at + 100, "PCAP.ARM", 0) for at in _some(random, 2)]
    plan.writes += [(3, "DIV1.DIVISOR", random.randint(0, 4))]
    _wires(random, plan, calm)
    for at in (random.randint(1, UNTIL) for _ in range(random.choice([0, 0, 3, 20]))):
        plan.steps.setdefault(at, []).append(("look", random.choice(SHOWN), 0, 0))
    return plan


def _some(random: Random, most: int) -> list[int]:
    # Much happens to several blocks in the same tick, or a few ticks apart.
    few = [*range(400, UNTIL, 400), *range(403, UNTIL, 400)]
    choices = (random.choice([random.randint(5, UNTIL), *few]) for _ in range(most))
    return [1, *(tick for tick in choices if random.random() < 0.6)]


def _period(random: Random) -> int:
    return random.choice([0, 1, 2, 3, 4, 5, 7, 12, random.randint(2, 60), random.randint(2, 700)])


def _settings(random: Random, name: str) -> list[tuple[str, int]]:
    low = random.choice([0, 0, -5, 3, -(2**31)])
    high = random.choice([0, 0, 9, 30, 2**31 - 1, low + random.randint(0, 3)])
    possible = {
        "TRIG_EDGE": random.randint(0, 3),
        "OUT_MODE": int(random.random() < 0.2),
        "START": random.choice([0, 0, 4, -3, 2**31 - 20]),
        "STEP": random.choice([0, 1, 1, 2, 7, -1, 2**30]),
        "SET": random.randint(-5, 12),
        "MAX": high,
        "MIN": low,
    }
    return [(f"{name}.{key}", v) for key, v in possible.items() if random.random() < 0.5]


def _program(random: Random, at: int, calm: bool) -> list[tuple[int, str, int]]:
    modes = [0] if calm else [0, 0, 1, 2, 4, 5]
    entries = [index << 4 | random.choice(modes) for index in range(len(COUNTS))]
    writes = [(at, "PCAP.START_WRITE", 0)]
    words = [*entries, 1 << 9 | 7 << 4, 1 << 9 | 4 << 4]
    return writes + [(at + 1 + n, "PCAP.WRITE", entry) for n, entry in enumerate(words)]


def _wires(random: Random, plan: Plan, calm: bool) -> None:
    others = LEVELS if calm else MIXED
    bits = [f"{name}.{bit}" for name in COUNTERS for bit in ("ENABLE", "DIR")]
    bits += [*(f"{name}.ENABLE" for name in CLOCKS), "DIV1.INP", "PCAP.ENABLE", "PCAP.TRIG"]
    bits += ["PCAP.GATE", "DIV1.ENABLE"]
    for name in [*TRIGGERS, *bits, *random.choices([*TRIGGERS, *bits], k=random.choice([0, 2, 6]))]:
        source = random.choice(WAVES if name in TRIGGERS and random.random() < 0.9 else others)
        at = 0 if len(plan.steps.get(0, [])) < len(TRIGGERS) + len(bits) else _at(random)
        delay = random.choice([0, 0, 3, 31, random.randint(0, 31)])
        plan.steps.setdefault(at, []).append(("wire", name, source, delay))
    for _ in range(random.choice([0, 0, 2])):
        step = ("delay", random.choice(TRIGGERS), random.randint(0, 31), 0)
        plan.steps.setdefault(_at(random), []).append(step)
    for _ in range(random.choice([0, 0, 0, 1, 2])):
        start, name = _at(random), random.choice(SHOWN)
        plan.steps.setdefault(start, []).append(("record", name, 0, 0))
        plan.steps.setdefault(_at(random), []).append(("stop", name, 0, 0))


def _at(random: Random) -> int:
    return random.randint(1, UNTIL)


class Run:
    """One run of a plan; `seen` is all that anybody could know of it."""

    def __init__(self, plan: Plan, waves: bool, slices: Random | None = None) -> None:
        self.network = Network(BLOCKS, waves=waves)
        self.seen: list[object] = []
        self._plan = plan
        self._recorders: dict[str, Recorder] = {}
        self.network.connect_buses(
            {name: index for index, name in enumerate([*WAVES, *CARRIES])},
            {name: index for index, name in enumerate(COUNTS)},
        )
        for tick, name, value in plan.writes:
            self.network.write(name, value, tick)
        self._run(slices)

    def _run(self, slices: Random | None) -> None:
        network = self.network
        for tick in sorted(self._plan.steps):
            while slices is not None and network.now < tick:
                network.run_until(min(tick, network.now + slices.randint(1, 400)))
            network.run_until(tick)
            for step in self._plan.steps[tick]:
                self._do(*step)
        network.run_until(UNTIL)
        for name in SHOWN:
            self._do("look", name, 0, 0)
        recorder = network.record(SHOWN)
        network.run_until(UNTIL + 800)
        self.seen.append(recorder.changes(network.now))
        pcap = network.blocks["PCAP"]
        assert isinstance(pcap, Pcap)
        self.seen += [list(pcap.stream.rows), pcap.completion]

    def _do(self, what: str, name: str, value: int | str, delay: int) -> None:
        network = self.network
        if what == "wire":
            network.wire(name, str(value), delay)
        elif what == "delay":
            network.set_delay(name, int(value))
        elif what == "record":
            self._recorders[name] = network.record([name])
        elif what == "stop" and name in self._recorders:
            recorder = self._recorders.pop(name)
            self.seen.append(recorder.changes(network.now))
            recorder.stop()
        elif what == "look":
            output, now = network.output(name), network.now
            levels = [output.value_at(now - back) for back in (0, 1)]
            self.seen.append((now, name, output.value, levels))
