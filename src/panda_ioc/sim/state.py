"""The state of the simulated PandA: blocks with their fields, and metadata.

Everything here is called from one thread; only `acquisition` is shared with those of the data port.
"""

from collections.abc import Callable
from dataclasses import dataclass

from panda_ioc.errors import CommandError
from panda_ioc.sim.application import Application, BlockSpec, MetadataSpec
from panda_ioc.sim.captured import Captured, ExtOut, PosOut
from panda_ioc.sim.fields import FIELDS, SimField
from panda_ioc.sim.reports import Bus, Group, Item, TextItem
from panda_ioc.sim.scan import Cursor
from panda_ioc.sim.table import TableState

_FIELDS: dict[str, type[SimField]] = {
    **FIELDS,
    "pos_out": PosOut,
    "ext_out": ExtOut,
    "table": TableState,
}
_MAX_METADATA_LINES = 10_000


class Metadata:
    """One `*METADATA` key."""

    def __init__(self, spec: MetadataSpec, bus: Bus) -> None:
        self.spec = spec
        self.lines: list[str] = [] if spec.kind == "multiline" else [spec.value]
        self.item: Item | None = None
        name = f"*METADATA.{spec.key}"
        if spec.kind == "multiline":
            self.item = Item(name, Group.METADATA, None, bus)
        elif spec.kind == "string":
            self.item = TextItem(name, Group.METADATA, self._text, bus)

    def _text(self) -> str:
        return self.lines[0]

    def get(self) -> str | list[str]:
        """Return its line, or its lines if it may have several."""
        return self.lines if self.spec.kind == "multiline" else self.lines[0]

    def put(self, text: str) -> None:
        """Carry out `*METADATA.key=text`."""
        if self.spec.kind != "string":
            raise CommandError("Cannot write to this field")
        self._set([text])

    def writer(self) -> "MetadataWriter":
        """Begin to write its lines."""
        if self.spec.kind != "multiline":
            raise CommandError("Not a multi-line field")
        return MetadataWriter(self._set)

    def _set(self, lines: list[str]) -> None:
        self.lines = lines
        if self.item:
            self.item.touch()


class MetadataWriter:
    """A write of several lines that is under way."""

    def __init__(self, done: Callable[[list[str]], None]) -> None:
        self._done = done
        self._lines: list[str] = []

    def write(self, line: str) -> None:
        """Take one line."""
        if len(self._lines) == _MAX_METADATA_LINES:
            raise CommandError("Too many lines")
        self._lines.append(Cursor(line).utf8())

    def close(self, complete: bool) -> None:
        """Keep the lines, if they are complete and were good."""
        if complete:
            self._done(self._lines)


@dataclass(frozen=True)
class BlockState:
    """A block with the fields of its instances; `fields[0]` is the first instance."""

    spec: BlockSpec
    instances: tuple[dict[str, SimField], ...]


class PandAState:
    """All blocks and settings.

    Attributes:
        pinned: names of the fields that `*SIM.SET` holds in place
    """

    def __init__(self, application: Application) -> None:
        self.bus = Bus()
        self.pinned: set[str] = set()
        self.blocks = {spec.name: self._block(spec) for spec in application.blocks}
        self.bus.complete()
        self.metadata = {spec.key: Metadata(spec, self.bus) for spec in application.metadata}
        self.fields = {
            field.name: field
            for block in self.blocks.values()
            for instance in block.instances
            for field in instance.values()
        }
        self.items = self._items()
        self.captured = self._captured()

    def _block(self, spec: BlockSpec) -> BlockState:
        return BlockState(spec, tuple(self._instance(spec, n) for n in range(1, spec.count + 1)))

    def _instance(self, spec: BlockSpec, number: int) -> dict[str, SimField]:
        name = spec.instance_name(number)
        return {
            field.name: _FIELDS.get(field.type, SimField)(
                field, f"{name}.{field.name}", number, self.bus
            )
            for field in spec.fields.values()
        }

    def _items(self) -> dict[Group, list[Item]]:
        items: dict[Group, list[Item]] = {group: [] for group in Group}
        for field in self.fields.values():
            for item in field.items:
                items[item.group].append(item)
        items[Group.METADATA] = [entry.item for entry in self.metadata.values() if entry.item]
        return items

    def _captured(self) -> list[Captured]:
        """Return what can be captured, in the order of `*CAPTURE.*?`: by field, then instance."""
        return [
            field
            for block in self.blocks.values()
            for name in block.spec.fields
            for instance in block.instances
            for field in [instance[name]]
            if isinstance(field, Captured)
        ]
