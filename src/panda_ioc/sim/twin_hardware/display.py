"""Shows clients what the twin does: buses, readings, and that something changed at all."""

from collections.abc import Callable, Iterator, Sequence

from panda_ioc.sim.captured import PosOut
from panda_ioc.sim.codecs import WireCodec
from panda_ioc.sim.fields import BitOut, Read, Register, SimField
from panda_ioc.sim.scan import UINT32_MAX, to_int32
from panda_ioc.sim.state import PandAState
from panda_ioc.sim.twin.network import Network
from panda_ioc.sim.twin.outputs import Output
from panda_ioc.sim.twin_hardware.tables import TableChannel

Reading = tuple[Read, Output, Callable[[int], int]]


class Display:
    """The fields that the twin sets.

    A bit or position that changed is reported even where it has the same value again, as the FPGA
    notes changes for the server.
    """

    def __init__(self, network: Network, state: PandAState, tables: Sequence[TableChannel]) -> None:
        self._tables = tables
        self._buses = list(_bus_outputs(network, state))
        self._readings = list(_readings(network, state))

    def refresh(self) -> None:
        """Bring all fields to the tick that the twin has reached."""
        for shown in self._buses:
            shown.refresh()
        for field, output, convert in self._readings:
            field.show(convert(output.value))
        for table in self._tables:
            table.show()


class _BusOutput:
    """A field of a bus, and the last change that was shown."""

    def __init__(self, field: BitOut | PosOut, output: Output) -> None:
        self._field = field
        self._output = output
        self._seen = output.last_change

    def refresh(self) -> None:
        last = self._output.last_change
        if last != self._seen or self._output.value != self._field.raw:
            self._seen = last
            self._field.raw = self._output.value
            self._field.changed()


def _bus_outputs(network: Network, state: PandAState) -> Iterator[_BusOutput]:
    for field in state.fields.values():
        if isinstance(field, BitOut | PosOut):
            yield _BusOutput(field, network.output(field.name))


def _readings(network: Network, state: PandAState) -> Iterator[Reading]:
    for field in state.fields.values():
        block = network.blocks[field.name.rpartition(".")[0]]
        if isinstance(field, Read) and field.spec.name in block.outputs:
            signed = type(field.codec) is WireCodec
            yield field, block.outputs[field.spec.name], to_int32 if signed else _unsigned


def _unsigned(value: int) -> int:
    return value & UINT32_MAX


def is_shown(network: Network, field: SimField) -> bool:
    """Tell whether the twin sets a field."""
    block = network.blocks[field.name.rpartition(".")[0]]
    return isinstance(field, Register) and field.spec.name in block.outputs
