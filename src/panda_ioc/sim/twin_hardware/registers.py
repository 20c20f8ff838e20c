"""The register writes that follow from what clients write, as the server makes them."""

from collections.abc import Callable, Iterator

from panda_ioc.sim.codecs import BitMux, Mux
from panda_ioc.sim.fields import Param, Register, SimField, WriteAction
from panda_ioc.sim.reports import Attribute
from panda_ioc.sim.state import PandAState
from panda_ioc.sim.twin.fields import WRITABLE
from panda_ioc.sim.twin.network import Network

# A write that sets the position of an encoder.
ALIASES = {"SETP": "VAL"}


class Registers:
    """Writes fields to the twin.

    Args:
        network: the twin
        state: the fields
        settle: lets the ticks go by that the server takes for a write
    """

    def __init__(self, network: Network, state: PandAState, settle: Callable[[], None]) -> None:
        self._network = network
        self._settle = settle
        self._fields = {
            (block.spec.instance_name(number), field.spec.name): field
            for block in state.blocks.values()
            for number, fields in enumerate(block.instances, 1)
            for field in fields.values()
        }

    def write_all(self) -> None:
        """Write the settings that the PandA begins with."""
        for (block, _), field in self._fields.items():
            if isinstance(field, Param) and field.raw:
                self._put(block, field)

    def written(self, field: SimField, attribute: Attribute | None) -> None:
        """Write what a client has written to a field or an attribute of it."""
        block = field.name.rpartition(".")[0]
        if attribute is None or attribute is field.attributes.get("RAW"):
            self._put(block, field)
        elif attribute is field.attributes.get("DELAY"):
            self._delay(block, field)

    def _put(self, block: str, field: SimField) -> None:
        if not isinstance(field, Param | WriteAction):
            return
        if isinstance(field.codec, Mux):
            self._wire(block, field, field.codec)
        else:
            for name, value in self._registers(block, field):
                self.write(name, value)

    def write(self, name: str, value: int) -> None:
        """Write a register."""
        self._network.write(name, value)
        self._settle()

    def _wire(self, block: str, field: Register, mux: Mux) -> None:
        if field.spec.name in self._network.blocks[block].lines:
            self._network.wire(field.name, mux.selected)
            self._settle()

    def _delay(self, block: str, field: SimField) -> None:
        codec = field.codec if isinstance(field, Register) else None
        if isinstance(codec, BitMux) and field.spec.name in self._network.blocks[block].lines:
            self._network.set_delay(field.name, codec.delay)
            self._settle()

    def _registers(self, block: str, field: Register) -> Iterator[tuple[str, int]]:
        """Yield the registers of a field with what to write to them; a long time has two."""
        fields = self._network.blocks[block].fields
        base = ALIASES.get(field.spec.name, field.spec.name)
        for suffix, value in (("", field.raw), ("_L", field.raw), ("_H", field.raw >> 32)):
            register = fields.get(f"{base}{suffix}")
            if register is not None and register.role in WRITABLE:
                yield f"{block}.{base}{suffix}", value
