"""Short sequences: what is written at which tick, and what an oscilloscope shows then."""

from itertools import groupby

from panda_ioc.sim.twin.network import Network


def run(network: Network, writes: str, until: int = 1000) -> str:
    """Write `tick NAME=value NAME=value; tick ...` and tell in the same form what changes.

    Terminals and encoders, which the writes set, are left out.
    """
    for step in writes.split(";"):
        tick, *settings = step.split()
        for setting in settings:
            name, _, value = setting.partition("=")
            network.write(name, int(value, 0), int(tick))
    outside = ("TTLIN", "LVDSIN", "INENC")
    recorder = network.record(
        output.name
        for block in network.blocks.values()
        if not block.name.startswith(outside)
        for output in block.outputs.values()
    )
    network.run_until(until)
    by_tick = groupby(recorder.changes(until), key=lambda change: change[0])
    return "; ".join(
        f"{tick} " + " ".join(f"{name}={value}" for _, name, value in changes)
        for tick, changes in by_tick
    )


def block_alone(kind: str, bits: str = "", positions: str = "") -> Network:
    """Make a network of one block with each input wired to a terminal or encoder of its own.

    The terminal of the first bit is TTLIN1, the encoder of the first position INENC1.
    """
    bit_names, position_names = bits.split(), positions.split()
    outside = {f"TTLIN{i}": "TTLIN" for i, _ in enumerate(bit_names, 1)}
    outside |= {f"INENC{i}": "INENC" for i, _ in enumerate(position_names, 1)}
    network = Network({f"{kind}1": kind, **outside})
    for i, name in enumerate(bit_names, 1):
        network.wire(f"{kind}1.{name}", f"TTLIN{i}.VAL")
    for i, name in enumerate(position_names, 1):
        network.wire(f"{kind}1.{name}", f"INENC{i}.VAL")
    return network
