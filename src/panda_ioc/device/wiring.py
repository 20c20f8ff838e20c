"""Which block is wired to which: a graph, read from the settings of a PandA.

Settings are the lines of a saved state (see `GetState`). They do not tell the types of fields, but
a wire is plain to see: its value is the name of another field. Bits differ from positions in
having a DELAY.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from panda_ioc.protocol.commands import is_table

_SETTING = re.compile(r"([A-Z][A-Z0-9_]*)\.([A-Z0-9_]+)=(.*)")
_SOURCE = re.compile(r"([A-Z][A-Z0-9_]*)\.([A-Z0-9_]+)")
_DELAY = re.compile(r"([A-Z0-9_]+\.[A-Z0-9_]+)\.DELAY=([0-9]+)")
_LABEL = re.compile(r"\*METADATA\.LABEL_([A-Z0-9_]+)=(.+)")


@dataclass(frozen=True, order=True)
class Port:
    """A field of a block, as the end of a wire."""

    block: str
    field: str


@dataclass(frozen=True)
class Wire:
    """One wire.

    Attributes:
        source: what drives it
        target: the mux that is set to the source
        is_bit: it carries a bit, not a position
        delay: clock ticks by which the target delays it
    """

    source: Port
    target: Port
    is_bit: bool
    delay: int = 0


@dataclass(frozen=True)
class Wiring:
    """All wires of a PandA.

    Attributes:
        wires: in natural order of their targets
        labels: what users call blocks, by block
    """

    wires: tuple[Wire, ...]
    labels: Mapping[str, str]

    @cached_property
    def blocks(self) -> tuple[str, ...]:
        """The blocks that are wired, in natural order."""
        found = {port.block for wire in self.wires for port in (wire.source, wire.target)}
        return tuple(sorted(found, key=natural))

    def inputs(self, block: str) -> list[str]:
        """The fields of a block at which wires end."""
        return _fields(wire.target for wire in self.wires if wire.target.block == block)

    def outputs(self, block: str) -> list[str]:
        """The fields of a block at which wires begin."""
        return _fields(wire.source for wire in self.wires if wire.source.block == block)

    def label(self, block: str) -> str:
        """What users call a block; there the number is never left out."""
        return self.labels.get(block) or self.labels.get(f"{block}1") or ""


def read_wiring(state: Sequence[str]) -> Wiring:
    """The wires among the lines of a saved state."""
    lines = list(_settings(state))
    delays = {found[1]: int(found[2]) for line in lines if (found := _DELAY.fullmatch(line))}
    labels = {found[1]: found[2] for line in lines if (found := _LABEL.fullmatch(line))}
    wires = (wire for line in lines if (wire := _wire(line, delays)))
    return Wiring(tuple(sorted(wires, key=_order)), labels)


def natural(name: str) -> tuple[str, int]:
    """Key by which SEQ2 comes before SEQ10."""
    stem = name.rstrip("0123456789")
    return stem, int(name[len(stem) :] or 0)


def _settings(state: Iterable[str]) -> Iterator[str]:
    """All lines but those of tables and comments."""
    lines = iter(state)
    for line in lines:
        if is_table(line):
            while next(lines, ""):
                pass
        else:
            yield line


def _wire(line: str, delays: Mapping[str, int]) -> Wire | None:
    setting = _SETTING.fullmatch(line)
    source = setting and _SOURCE.fullmatch(setting[3])
    if not setting or not source:
        return None
    name = f"{setting[1]}.{setting[2]}"
    return Wire(
        Port(source[1], source[2]),
        Port(setting[1], setting[2]),
        name in delays,
        delays.get(name, 0),
    )


def _order(wire: Wire) -> tuple[tuple[str, int], str]:
    return natural(wire.target.block), wire.target.field


def _fields(ports: Iterable[Port]) -> list[str]:
    return sorted({port.field for port in ports}, key=natural)
