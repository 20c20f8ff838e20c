"""The twin's blocks and buses, made of the blocks that the application has."""

from collections.abc import Mapping
from dataclasses import dataclass

from panda_ioc.errors import ConfigurationError
from panda_ioc.sim.application import BlockSpec, FieldSpec
from panda_ioc.sim.captured import PosOut
from panda_ioc.sim.fields import BitOut, SimField
from panda_ioc.sim.state import PandAState
from panda_ioc.sim.twin.block import Block
from panda_ioc.sim.twin.blocks import block_types
from panda_ioc.sim.twin.blocks.levels import Levels
from panda_ioc.sim.twin.blocks.pcap import Pcap
from panda_ioc.sim.twin.network import Network

# Blocks in which nothing happens that another block could see.
PASSIVE = frozenset({"TTLOUT", "LVDSOUT", "OUTENC", "SYSTEM"})
_MUXES = frozenset({"bit_mux", "pos_mux"})
_OUTPUTS = frozenset({"bit_out", "pos_out"})


@dataclass(frozen=True)
class Assembly:
    """The twin, and how far it is the application.

    Attributes:
        network: the twin
        pcap: its block PCAP
        living: names of blocks that do what the FPGA does
        levels: names of outputs that do what the user says
        strange: names of blocks that hold their settings and do nothing
    """

    network: Network
    pcap: Pcap
    living: frozenset[str]
    levels: frozenset[str]
    strange: tuple[str, ...]


def assemble(state: PandAState) -> Assembly:
    """Make a twin of the blocks of an application.

    Raises:
        ConfigurationError: the application's PCAP is not the one that the twin knows
    """
    network = Network()
    living: set[str] = set()
    levels: set[str] = set()
    for name, block in state.blocks.items():
        made = _known(block.spec)
        if made:
            living.add(name)
        for number, fields in enumerate(block.instances, 1):
            kind = made or _user_levels(fields)
            network.add(kind(network.board, block.spec.instance_name(number)))
        if made is None or issubclass(made, Levels):
            levels.update(f.name for i in block.instances for f in i.values() if _is_output(f))
    _connect(network, state)
    pcap = network.blocks.get("PCAP")
    if not isinstance(pcap, Pcap):
        raise ConfigurationError(
            "the digital twin needs a block PCAP with ENABLE, GATE, TRIG and ACTIVE, which this"
            " application does not have; run the simulator without --twin"
        )
    strange = tuple(name for name in state.blocks if name not in living | PASSIVE)
    return Assembly(network, pcap, frozenset(living), frozenset(levels), strange)


def _known(spec: BlockSpec) -> type[Block] | None:
    """Find the twin of a block, if it has all inputs, outputs and tables that the block has."""
    kind = block_types().get(spec.name)
    if kind is None or all(_fits(kind, field) for field in spec.fields.values()):
        return kind
    return None


def _fits(kind: type[Block], field: FieldSpec) -> bool:
    if issubclass(kind, Levels):
        return field.type not in _OUTPUTS or field.name in (*kind.bits, *kind.positions)
    if field.type == "table":
        return f"{field.name}_ADDRESS" in kind.fields
    return field.type not in _MUXES | _OUTPUTS or field.name in kind.fields


def _user_levels(fields: Mapping[str, SimField]) -> type[Block]:
    """Make a block whose outputs are those of these fields, and do what the user says."""

    class UserLevels(Levels):
        bits = tuple(name for name, field in fields.items() if isinstance(field, BitOut))
        positions = tuple(name for name, field in fields.items() if isinstance(field, PosOut))

    return UserLevels


def _is_output(field: SimField) -> bool:
    return isinstance(field, BitOut | PosOut)


def _connect(network: Network, state: PandAState) -> None:
    bits, positions = (
        {name: index for index, name in bus.items()}
        for bus in (state.bus.bits, state.bus.positions)
    )
    network.connect_buses(bits, positions)
