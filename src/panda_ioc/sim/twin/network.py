"""Blocks, wires and writes: the twin as a library."""

from collections.abc import Iterable, Mapping, Sequence

from panda_ioc.errors import TwinError
from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.blocks import block_type
from panda_ioc.sim.twin.departure import Departure
from panda_ioc.sim.twin.engine import FOREVER, Engine, Event
from panda_ioc.sim.twin.fields import WRITABLE, signed32, unsigned32
from panda_ioc.sim.twin.line import ONE, ZERO, Line
from panda_ioc.sim.twin.motion import Motion
from panda_ioc.sim.twin.outputs import BitOutput, Output, WireSource
from panda_ioc.sim.twin.recorder import MOST_CHANGES, Recorder
from panda_ioc.sim.twin.trajectory import Trajectory, still


class Network:
    """Blocks on two buses. Wires, delays and writes take effect at the tick reached, `now`.

    Args:
        blocks: names of blocks and of their types, such as `{"COUNTER1": "COUNTER"}`.
        start: the tick to begin with.
        waves: whether blocks may count the edges of a CLOCK by arithmetic; the result is the same.
    """

    def __init__(
        self, blocks: Mapping[str, str] | None = None, start: int = 0, waves: bool = True
    ) -> None:
        self.board = Backplane(Engine(start, waves))
        self.blocks: dict[str, Block] = {}
        self._departures: dict[str, Departure] = {}
        for name, kind in (blocks or {}).items():
            self.add(block_type(kind)(self.board, name))

    @property
    def now(self) -> int:
        return self.board.engine.now

    def add(self, block: Block) -> None:
        """Take in a block that was made with this network's board."""
        self.blocks[block.name] = block

    def run_until(self, end: int, most: int = FOREVER) -> None:
        """Do all ticks before `end`; stop after a tick with which there were `most` events."""
        self.board.engine.run_until(end, most)

    def write(self, name: str, value: int, tick: int | None = None) -> None:
        """Write a register, now or at a later tick.

        Args:
            name: block and register, such as `CLOCK1.PERIOD`.
            value: its 32 bits, signed or not.
            tick: the period from which on the block sees the value.
        """
        block, field = self._find(name)
        if field not in block.fields or block.fields[field].role not in WRITABLE:
            raise TwinError(f"{name} cannot be written; {block.name} has {_names(block, WRITABLE)}")
        at = self.now if tick is None else tick
        if at < self.now:
            raise TwinError(f"write of {name} at tick {at}: now is {self.now}, use a later tick")
        convert = signed32 if block.fields[field].signed else unsigned32
        self._replace(at, (block, field, convert(value), block.flags[field]))

    def _replace(self, tick: int, event: Event) -> None:
        """Let the last write of a tick count."""
        engine = self.board.engine
        queue = engine.agenda.get(tick, [])
        queue[:] = [e for e in queue if e[:2] != event[:2]]
        engine.post(tick, event)

    def wire(self, name: str, source: str, delay: int | None = None) -> None:
        """Wire an input to an output, ZERO or ONE, and set its delay if one is given."""
        line = self._line(name)
        line.wire(self.source(source))
        if delay is not None:
            line.set_delay(delay)

    def move(
        self, name: str, trajectory: Trajectory, tick: int | None = None, trigger: str = ""
    ) -> None:
        """Let an encoder follow a trajectory; a write to it ends that.

        Args:
            name: what moves, such as `INENC1.VAL`.
            trajectory: how.
            tick: the period of its tick 0, now if left out.
            trigger: a bit such as `PCAP.ACTIVE`; the motion waits at its first position until that
                rises. It starts 3 ticks after the bus, as the output of any block would follow.
        """
        motion = self._motion(name)
        bit = self.source(trigger) if trigger else None
        if bit is not None and not isinstance(bit, BitOutput):
            raise TwinError(f"{trigger} is no bit that rises, so it cannot start {name}")
        at = self.now if tick is None else tick
        if at < self.now:
            raise TwinError(f"motion of {name} from tick {at}: now is {self.now}, use a later tick")
        if name in self._departures:
            self._departures.pop(name).cancel()
        motion.follow(trajectory if bit is None else still(trajectory.first), at)
        if bit is not None:
            self._departures[name] = Departure(self.board, motion, trajectory)
            self._departures[name].wait_for(bit)

    def _motion(self, name: str) -> Motion:
        outputs = {o.name: o for block in self.blocks.values() for o in block.outputs.values()}
        motion = self.source(name)
        if not isinstance(motion, Motion):
            moving = [each for each, output in outputs.items() if isinstance(output, Motion)]
            raise TwinError(f"{name} cannot move; there are {', '.join(moving) or 'no encoders'}")
        return motion

    def set_delay(self, name: str, delay: int) -> None:
        """Set the delay of a bit input."""
        self._line(name).set_delay(delay)

    def connect_buses(self, bits: Mapping[str, int], positions: Mapping[str, int]) -> None:
        """Give outputs their places on the buses, which PCAP reads by index."""
        self.board.bits.update({index: self.source(name) for name, index in bits.items()})
        self.board.positions.update({index: self.source(name) for name, index in positions.items()})

    def store_table(self, address: int, words: Sequence[int]) -> None:
        """Put table words where a write of TABLE_ADDRESS can find them."""
        self.board.memory[address] = [unsigned32(word) for word in words]

    def output(self, name: str) -> Output:
        """Find an output or read-only field."""
        block, field = self._find(name)
        if field not in block.outputs:
            raise TwinError(f"{name} is no output; {block.name} has {', '.join(block.outputs)}")
        return block.outputs[field]

    def source(self, name: str) -> WireSource:
        """Find what an input can be wired to."""
        constants: dict[str, WireSource] = {"ZERO": ZERO, "ONE": ONE}
        return constants[name] if name in constants else self.output(name)

    def record(self, names: Iterable[str] | None = None, most: int = MOST_CHANGES) -> Recorder:
        """Record the changes of outputs, of all when no names are given."""
        if names is None:
            outputs = [o for block in self.blocks.values() for o in block.outputs.values()]
        else:
            outputs = [self.output(name) for name in names]
        return Recorder(outputs, most)

    def _find(self, name: str) -> tuple[Block, str]:
        block, _, field = name.partition(".")
        if block not in self.blocks:
            raise TwinError(f"no block {block!r} for {name!r}; there are {', '.join(self.blocks)}")
        return self.blocks[block], field

    def _line(self, name: str) -> Line:
        block, field = self._find(name)
        if field not in block.lines:
            raise TwinError(f"{name} is no input; {block.name} has {', '.join(block.lines)}")
        return block.lines[field]


def _names(block: Block, roles: frozenset[str]) -> str:
    return ", ".join(name for name, field in block.fields.items() if field.role in roles)
