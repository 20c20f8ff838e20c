"""Sequences of timing files: what goes in at which tick, and what must come out."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from panda_ioc.sim.twin.blocks import block_types
from panda_ioc.sim.twin.blocks.levels import Levels
from panda_ioc.sim.twin.network import Network

# What happened before the first tick that a file speaks of.
IDLE = 70
# The vectors drive the core of PCAP, which is one register behind these.
BEHIND_A_REGISTER = {"TRIG_EDGE", "SHIFT_SUM"}

Write = tuple[int, str, int]
Change = tuple[int, str, int]


@dataclass
class Case:
    """One sequence.

    Attributes:
        name: as in the file.
        blocks: type by name.
        bits: names of bit sources outside of all blocks.
        positions: names of position sources outside of all blocks.
        wires: source by input.
        delays: ticks by input.
        buses: index by name, of bits and of positions.
        tables: words by address.
        writes: (tick, register, value).
        start: levels at period 0.
        changes: what must be seen, from period 1 on.
        data: (period, word) of what must be captured.
        checked: names to compare; those of all blocks if empty.
        until: the first period that is not compared.
        offset: what to subtract from a period to speak of ticks as the file does.
    """

    name: str
    blocks: dict[str, str]
    bits: list[str]
    positions: list[str]
    wires: dict[str, str]
    writes: list[Write]
    changes: list[Change]
    data: list[tuple[int, int]]
    until: int
    delays: dict[str, int] = field(default_factory=dict)
    buses: dict[str, dict[str, int]] = field(default_factory=dict)
    tables: dict[int, list[int]] = field(default_factory=dict)
    start: dict[str, int] = field(default_factory=dict)
    checked: list[str] = field(default_factory=list)
    offset: int = 0

    def build(self) -> Network:
        """Make the network as it was before the first period."""
        network = Network(self.blocks, start=-IDLE)

        class Outside(Levels):
            bits = tuple(self.bits)
            positions = tuple(self.positions)

        network.add(Outside(network.board, "EXT"))
        for name, source in self.wires.items():
            network.wire(name, source, self.delays.get(name))
        blocks = network.blocks.values()
        there = {output.name for block in blocks for output in block.outputs.values()}
        bits, positions = (
            {name: index for name, index in self.buses.get(bus, {}).items() if name in there}
            for bus in ("bits", "positions")
        )
        network.connect_buses(bits, positions)
        for address, words in self.tables.items():
            network.store_table(address, words)
        return network

    def run(self, network: Network, slices: int | None = None) -> None:
        """Run whole, all writes known before; or in random slices, each write at its tick."""
        writes = sorted(self.writes, key=lambda write: write[0])
        random = Random(slices)
        for tick, name, value in writes:
            while slices is not None and network.now < tick:
                network.run_until(min(tick, network.now + random.randint(1, 40)))
            network.write(name, value, tick)
        while slices is not None and network.now < self.until:
            network.run_until(min(self.until, network.now + random.randint(1, 40)))
        network.run_until(self.until)


def load(path: Path) -> Iterator[Case]:
    """Read the sequences of a file of any kind."""
    content = json.loads(path.read_text())
    if "sequences" not in content:
        yield _wired(content)
        return
    for sequence in content["sequences"]:
        yield _vector(content, sequence)


def _tables(content: dict[str, Any]) -> dict[int, list[int]]:
    return {int(address): words for address, words in content["tables"].items()}


def _wired(content: dict[str, Any]) -> Case:
    writes = [
        (step["tick"], name, value)
        for step in content["steps"]
        for name, value in step["inputs"].items()
    ]
    wires = content["wires"]
    names = [*wires, *wires.values(), *(w[1] for w in writes), *(c[1] for c in content["changes"])]
    blocks = {name.partition(".")[0] for name in names if "." in name} - {"EXT"}
    buses = content["buses"]
    return Case(
        name=content["name"],
        blocks={name: name.rstrip("0123456789") for name in sorted(blocks)},
        bits=[n.partition(".")[2] for n in buses["bits"] if n.startswith("EXT.")],
        positions=[n.partition(".")[2] for n in buses["positions"] if n.startswith("EXT.")],
        wires=wires,
        writes=writes,
        changes=[(tick, name, value) for tick, name, value in content["changes"]],
        data=[(period, word) for period, word in content["data"]],
        until=content["until"] + 1,
        delays=content["delays"],
        buses=buses,
        tables=_tables(content),
        start=content["start"],
    )


def _vector(content: dict[str, Any], sequence: dict[str, Any]) -> Case:
    kind, signals, steps = content["block"], content["signals"], sequence["steps"]
    inputs = [name for step in steps for name in step["inputs"]]
    of_bus = {name: _bus(name) for name in inputs if "[" in name}
    bits = [n for n, role in signals.items() if role == "bit_in"]
    positions = [n for n, role in signals.items() if role == "pos_in"]
    expected = [
        (step["tick"] + 1, name, value) for step in steps for name, value in step["outputs"].items()
    ]
    return Case(
        name=sequence["name"],
        blocks={kind: kind},
        bits=[*bits, *(n for n, (bus, _) in of_bus.items() if bus == "bits")],
        positions=[*positions, *(n for n, (bus, _) in of_bus.items() if bus == "positions")],
        wires={f"{kind}.{name}": f"EXT.{name}" for name in [*bits, *positions]},
        writes=list(_early(kind, signals, steps)),
        changes=[(t, f"{kind}.{name}", v) for t, name, v in expected if name != "DATA"],
        data=[(tick, value) for tick, name, value in expected if name == "DATA"],
        until=steps[-1]["tick"] + 2,
        buses=_entries(of_bus),
        tables=_tables(content),
        checked=[f"{kind}.{n}" for n in sorted({e[1] for e in expected} - {"DATA"})],
        offset=1,
    )


def _bus(name: str) -> tuple[str, int]:
    match = re.fullmatch(r"(BIT|POS)\[(\d+)\]", name)
    if match is None:
        raise ValueError(f"{name}: only BIT[n] and POS[n] have an index")
    return {"BIT": "bits", "POS": "positions"}[match[1]], int(match[2])


def _entries(of_bus: dict[str, tuple[str, int]]) -> dict[str, dict[str, int]]:
    entries: dict[str, dict[str, int]] = {"bits": {}, "positions": {}}
    for name, (bus, index) in of_bus.items():
        entries[bus][f"EXT.{name}"] = index
    return entries


def _early(kind: str, signals: dict[str, str], steps: Iterable[dict[str, Any]]) -> Iterator[Write]:
    """Yield what to do on the buses for the block to see the inputs at the ticks of the steps."""
    front = block_types()[kind].front if kind in block_types() else 0
    latencies = {"bit_in": 2 + front, "pos_in": 1 + front}
    for step in steps:
        for name, value in step["inputs"].items():
            role = signals.get(name, "bus")
            outside = role in latencies or role == "bus"
            behind = role == "bus" or (kind == "PCAP" and name in BEHIND_A_REGISTER)
            early = 1 if behind else latencies.get(role, 0)
            yield step["tick"] - early, f"{'EXT' if outside else kind}.{name}", value
