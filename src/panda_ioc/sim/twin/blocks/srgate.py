"""SRGATE: a level that one edge sets and another resets."""

from panda_ioc.sim.twin.block import Block
from panda_ioc.sim.twin.edges import RISING, edge_chosen
from panda_ioc.sim.twin.fields import bit_in, bit_out, register, strobe
from panda_ioc.sim.twin.outputs import BitOutput

LOW, HIGH = 0, 1


class Srgate(Block):
    ENABLE: int = bit_in()
    SET: int = bit_in()
    RST: int = bit_in()
    WHEN_DISABLED: int = register()
    SET_EDGE: int = register()
    RST_EDGE: int = register()
    FORCE_SET: int = strobe()
    FORCE_RST: int = strobe()
    OUT: BitOutput = bit_out()

    def on(self, tick: int, changed: int) -> None:
        if self.ENABLE:
            self.OUT.put(tick, self._enabled(changed))
        elif self.WHEN_DISABLED & 3 in (LOW, HIGH):
            self.OUT.put(tick, self.WHEN_DISABLED & 3)

    def _enabled(self, changed: int) -> int:
        if changed & FORCE_RST:
            return 0
        if changed & FORCE_SET:
            return 1
        if changed & RST and edge_chosen(self.RST_EDGE, self.RST, RISING):
            return 0
        if changed & SET and edge_chosen(self.SET_EDGE, self.SET, RISING):
            return 1
        return self.OUT.value


SET, RST, FORCE_SET, FORCE_RST = Srgate.masks("SET", "RST", "FORCE_SET", "FORCE_RST")
TYPES = {"SRGATE": Srgate}
