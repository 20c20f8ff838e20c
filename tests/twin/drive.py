"""Drive one block as the timing files do."""

from collections.abc import Mapping, Sequence

from panda_ioc.sim.twin.blocks import block_type
from panda_ioc.sim.twin.blocks.levels import Levels
from panda_ioc.sim.twin.fields import BIT_IN, POS_IN
from panda_ioc.sim.twin.network import Network

EARLY = {BIT_IN: 2, POS_IN: 1}
Steps = Mapping[int, Mapping[str, int]]


def drive(
    kind: str,
    steps: Steps,
    until: int,
    tables: Mapping[int, Sequence[int]] | None = None,
    always: bool = False,
) -> dict[str, list[tuple[int, int]]]:
    """Give a block inputs and registers at ticks; list its changes by field, as (tick, value).

    An input of tick t holds from period t on; a change of tick t is seen from period t on.
    With `always` the block is called at every tick.
    """
    fields = block_type(kind).fields
    inputs = {name: f.role for name, f in fields.items() if f.role in EARLY}

    class Outside(Levels):
        bits = tuple(name for name, role in inputs.items() if role == BIT_IN)
        positions = tuple(name for name, role in inputs.items() if role == POS_IN)

    network = Network({"X": kind}, start=-10)
    network.add(Outside(network.board, "OUTSIDE"))
    for name in inputs:
        network.wire(f"X.{name}", f"OUTSIDE.{name}")
    for address, words in (tables or {}).items():
        network.store_table(address, words)
    for tick, values in steps.items():
        for name, value in values.items():
            where, early = ("OUTSIDE", EARLY[inputs[name]]) if name in inputs else ("X", 0)
            network.write(f"{where}.{name}", value, tick - early)
    if always:
        for tick in range(network.now, until):
            network.board.engine.post(tick, (network.blocks["X"], "nudge", 0, 0))
    recorder = network.record([f"X.{name}" for name in network.blocks["X"].outputs])
    network.run_until(until)
    changes: dict[str, list[tuple[int, int]]] = {}
    for tick, name, value in recorder.changes(until):
        changes.setdefault(name.removeprefix("X."), []).append((tick, value))
    return changes
