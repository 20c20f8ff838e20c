"""Starts a trajectory when a bit rises."""

from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.fields import bit_in
from panda_ioc.sim.twin.motion import Motion
from panda_ioc.sim.twin.outputs import BitOutput
from panda_ioc.sim.twin.trajectory import Trajectory


class Departure(Block):
    """Sees the bit as any block does, 2 ticks after the bus, and starts the motion a tick later."""

    TRIG: int = bit_in()

    def __init__(self, board: Backplane, motion: Motion, trajectory: Trajectory) -> None:
        super().__init__(board, motion.name)
        self._motion = motion
        self._trajectory = trajectory
        self._source: BitOutput | None = None

    def wait_for(self, source: BitOutput) -> None:
        """Wait for the next time that the bit rises."""
        self.cancel()
        self._source = source
        source.attach(self.lines["TRIG"])

    def cancel(self) -> None:
        """Wait no more."""
        if self._source is not None:
            self._source.detach(self.lines["TRIG"])
        self._source = None

    def on(self, tick: int, changed: int) -> None:
        if self.TRIG and self._source is not None:
            self.cancel()
            self._motion.follow(self._trajectory, tick + 1)
