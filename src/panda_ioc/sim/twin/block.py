"""What all blocks have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappush
from typing import ClassVar

from panda_ioc.errors import TwinError
from panda_ioc.sim.twin.engine import Engine
from panda_ioc.sim.twin.fields import BIT_OUT, INPUTS, OUTPUTS, TwinField
from panda_ioc.sim.twin.line import Line
from panda_ioc.sim.twin.motion import Look
from panda_ioc.sim.twin.outputs import BitOutput, Output, PositionOutput, WireSource


@dataclass(slots=True)
class Backplane:
    """What the blocks of a network share.

    Attributes:
        engine: the clock and the events to come.
        memory: table words by their address.
        bits: sources on the bit bus by their index.
        positions: sources on the position bus by their index.
    """

    engine: Engine
    memory: dict[int, Sequence[int]] = field(default_factory=dict)
    bits: dict[int, WireSource] = field(default_factory=dict)
    positions: dict[int, WireSource] = field(default_factory=dict)


class Block:
    """A block: its fields as attributes, and what it does when some of them change.

    The other side of `panda_ioc.device.model.Block`, which describes a block and does nothing.

    Inputs and registers are numbers, 0 at first. Outputs are objects with `value` and `put`.
    """

    __slots__ = (
        "__dict__",
        "asked",
        "board",
        "changed",
        "engine",
        "generation",
        "lines",
        "name",
        "outputs",
        "wish",
    )

    fields: ClassVar[dict[str, TwinField]] = {}
    flags: ClassVar[dict[str, int]] = {}
    # Registers between the bus and the inputs, besides those of the mux.
    front: ClassVar[int] = 0
    # Position inputs that need no changes of a trajectory: the block asks where it is.
    asks: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        own = {name: f for name, f in vars(cls).items() if isinstance(f, TwinField)}
        for name in own:
            delattr(cls, name)
        cls.fields = {**cls.fields, **own}
        # Flag 1 says only that something happened.
        cls.flags = {name: 2 << number for number, name in enumerate(cls.fields)}

    @classmethod
    def masks(cls, *names: str) -> tuple[int, ...]:
        """Look up the flags that `on` gets for fields."""
        return tuple(cls.flags[name] for name in names)

    def __init__(self, board: Backplane, name: str) -> None:
        self.board = board
        self.engine = board.engine
        self.name = name
        self.changed = 0
        self.generation = 0
        self.wish: int | None = None
        self.outputs: dict[str, Output] = {}
        self.lines: dict[str, Line] = {}
        # What can be asked, by the name of the input in `asks` that is wired to it.
        self.asked: dict[str, Look] = {}
        for key, each in self.fields.items():
            setattr(self, key, self._make(key, each))

    def _make(self, key: str, each: TwinField) -> int | Output:
        if each.role in INPUTS:
            self.lines[key] = Line(self.engine, self, key, each.role)
        if each.role not in OUTPUTS:
            return 0
        kind = BitOutput if each.role == BIT_OUT else PositionOutput
        self.outputs[key] = kind(self.engine, f"{self.name}.{key}")
        return self.outputs[key]

    def on(self, tick: int, changed: int) -> None:
        """Act on all that happens in a period.

        Args:
            tick: the period.
            changed: flags of bit inputs with an edge, of other inputs and registers that came.
        """
        raise NotImplementedError

    def wake(self, tick: int) -> None:
        """Ask to be called at a later tick; forget any such wish of before."""
        engine = self.engine
        if tick < engine.now:
            raise TwinError(f"{self.name} wakes at tick {tick}, now is {engine.now}")
        if tick == self.wish:
            return
        self.wish = tick
        self.generation = generation = self.generation + 1
        # The same as `engine.post`, which is called too often to be called.
        queue = engine.agenda.get(tick)
        if queue is None:
            engine.agenda[tick] = [(self, None, generation, 0)]
            heappush(engine.ticks, tick)
            if len(engine.ticks) > engine.many:
                engine.compact()
        else:
            queue.append((self, None, generation, 0))

    def sleep(self) -> None:
        """Forget the wish to be called."""
        self.wish = None
        self.generation += 1
