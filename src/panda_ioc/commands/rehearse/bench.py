"""A simulated PandA with the digital twin, in this process, whose time goes on when told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panda_ioc import statefile
from panda_ioc.client.introspection import introspect_blocking
from panda_ioc.commands.rehearse.client import LocalClient
from panda_ioc.device.model import Device
from panda_ioc.errors import ConfigurationError
from panda_ioc.protocol.commands import Append, Put, SetState
from panda_ioc.sim import SimSettings
from panda_ioc.sim.application import PACKAGED, load
from panda_ioc.sim.codecs import BitMux, Mux
from panda_ioc.sim.fields import Register
from panda_ioc.sim.machine import Machine
from panda_ioc.sim.state import PandAState
from panda_ioc.sim.table import TableState
from panda_ioc.sim.twin.line import BIT_LATENCY, POSITION_LATENCY
from panda_ioc.sim.twin.network import Network
from panda_ioc.sim.twin_hardware import TwinHardware
from panda_ioc.statefile import Loaded
from panda_ioc.statefile.lines import Setting, lines_of

# Lines of a streaming table that are sent at once.
CHUNK = 2048


@dataclass(frozen=True)
class BenchWire:
    """What an input is wired to.

    Attributes:
        source: an output, ZERO or ONE
        target: the input
        latency: ticks from the bus to where the input acts
        is_bit: whether it carries a bit
    """

    source: str
    target: str
    latency: int
    is_bit: bool


class Bench:
    """A PandA to be set up and run.

    Args:
        config: directory of its application; None for the packaged one

    Attributes:
        client: sends commands to it
        hardware: its twin
        streamed: words sent to streaming tables, by table
    """

    def __init__(self, config: Path | None = None) -> None:
        self.machine = Machine(
            load(config or PACKAGED), SimSettings(drain=0.0), alive=False, hardware=self._make
        )
        self.client = LocalClient(self.machine)
        self.streamed: dict[str, NDArray[np.uint32]] = {}

    def _make(self, state: PandAState) -> TwinHardware:
        self.hardware = TwinHardware(state)
        return self.hardware

    @property
    def network(self) -> Network:
        """The blocks of the twin."""
        return self.hardware.network

    @property
    def now(self) -> int:
        """The tick reached."""
        return self.network.now

    @cached_property
    def device(self) -> Device:
        """What a client finds it to be."""
        return introspect_blocking(self.client)

    # Setting up

    def load(self, settings: Sequence[Setting]) -> Loaded:
        """Set it as `panda-ioc load` does."""
        to_send, left_out = statefile.sort_out(self.device, settings)
        refused = self.client.send(SetState(lines_of(to_send))) or ()
        return statefile.loaded(to_send, left_out, refused)

    def put(self, name: str, value: str) -> None:
        """Set one field or attribute, or a level from outside, such as TTLIN1.VAL.

        Raises:
            CommandError: it was refused
        """
        is_level = name in self.hardware.levels
        self.client.send(Put("*SIM.SET", f"{name}={value}") if is_level else Put(name, value))

    def write_table(self, name: str, words: NDArray[np.uint32]) -> None:
        """Write a table whole."""
        self.client.send(Put(name, []))
        self.client.send(Put(name, words, base64=True))

    def stream_table(self, name: str, words: NDArray[np.uint32], row_words: int) -> None:
        """Write a table in chunks, all of which wait for the block to play them."""
        self.client.send(Put(name, []))
        size = CHUNK * row_words
        for start in range(0, len(words), size):
            chunk, last = words[start : start + size], start + size >= len(words)
            self.client.send(Append(name, chunk, last=last, base64=True))
        self.streamed[name] = words

    # Looking at it

    def blocks(self, kind: str) -> list[str]:
        """Return the names of the blocks of a kind that the twin has."""
        block = self.machine.state.blocks.get(kind)
        if block is None:
            return []
        names = [block.spec.instance_name(n + 1) for n in range(len(block.instances))]
        return [name for name in names if self.network.blocks[name].fields]

    def raw(self, name: str) -> int:
        """Return the register of a field, 0 if there is none."""
        field = self.machine.state.fields.get(name)
        return field.raw if isinstance(field, Register) else 0

    def units(self, name: str) -> str:
        """Return the UNITS of a time, "" if it has none."""
        attribute = self.machine.state.fields[name].attributes.get("UNITS")
        return str(attribute.get()) if attribute else ""

    def table(self, name: str) -> NDArray[np.uint32]:
        """Return the words of a table, of all chunks if it streams."""
        if name in self.streamed:
            return self.streamed[name]
        field = self.machine.state.fields.get(name)
        return field.words if isinstance(field, TableState) else np.empty(0, "<u4")

    def labels(self, name: str) -> Mapping[int, str]:
        """Return the labels of an enum by their numbers."""
        field = self.machine.state.fields.get(name)
        return dict(field.spec.labels) if field else {}

    def wire(self, name: str) -> BenchWire:
        """Return what an input is wired to.

        Raises:
            ConfigurationError: there is no such input
        """
        field = self.machine.state.fields.get(name)
        if not isinstance(field, Register) or not isinstance(field.codec, Mux):
            raise ConfigurationError(f"{name} is neither an output of the twin nor an input")
        delay = field.codec.delay if isinstance(field.codec, BitMux) else None
        front = self.network.blocks[name.rpartition(".")[0]].front
        latency = POSITION_LATENCY if delay is None else BIT_LATENCY + delay
        return BenchWire(field.codec.selected, name, latency + front, delay is not None)

    def wires(self) -> list[BenchWire]:
        """Return all wires from outputs, in the order of the inputs."""
        found = [
            self.wire(name)
            for name, field in self.machine.state.fields.items()
            if isinstance(field, Register) and isinstance(field.codec, Mux)
        ]
        return [wire for wire in found if wire.source not in ("ZERO", "ONE")]
