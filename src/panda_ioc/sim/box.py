"""The state of the simulated PandA: blocks with their fields, and metadata.

Everything here is called from one thread; only `acquisition` is shared with those of the data port.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from panda_ioc.errors import CommandError, ConfigurationError

from .application import Application, BlockSpec, MetadataSpec
from .captured import Captured, ExtOut, PosOut
from .fields import FIELDS, Field
from .reports import Attribute, Bus, Group, Item
from .table import Table

_FIELDS: dict[str, type[Field]] = {**FIELDS, "pos_out": PosOut, "ext_out": ExtOut, "table": Table}
_MAX_METADATA_LINES = 10_000


class Metadata:
    """One `*METADATA` key."""

    def __init__(self, spec: MetadataSpec, bus: Bus):
        self.spec = spec
        self.lines: list[str] = [] if spec.kind == "multiline" else [spec.value]
        self.item: Item | None = None
        if spec.kind != "constant":
            text = None if spec.kind == "multiline" else self._text
            self.item = Item(f"*METADATA.{spec.key}", Group.METADATA, text, bus)

    def _text(self) -> str:
        return self.lines[0]

    def get(self) -> str | list[str]:
        """Its line, or its lines if it may have several."""
        return self.lines if self.spec.kind == "multiline" else self.lines[0]

    def put(self, lines: list[str], kind: str) -> None:
        """Set it; `kind` is what the command would write: "string" or "multiline"."""
        if self.spec.kind != kind:
            raise CommandError(f"Metadata key {self.spec.key} not writeable as {kind}")
        if len(lines) > _MAX_METADATA_LINES:
            raise CommandError(f"Metadata key {self.spec.key} too long")
        self.lines = lines
        if self.item:
            self.item.touch()


@dataclass(frozen=True)
class Block:
    """A block with the fields of its instances; `fields[0]` is the first instance."""

    spec: BlockSpec
    instances: tuple[dict[str, Field], ...]


class Box:
    """All blocks and settings. Lookups raise CommandError with the server's own texts."""

    def __init__(self, application: Application):
        self.bus = Bus()
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
        self._instances = dict(self._instance_names())
        self.captured = self._captured()

    def _block(self, spec: BlockSpec) -> Block:
        return Block(spec, tuple(self._instance(spec, n) for n in range(1, spec.count + 1)))

    def _instance(self, spec: BlockSpec, number: int) -> dict[str, Field]:
        name = spec.instance_name(number)
        return {
            field.name: _FIELDS.get(field.type, Field)(
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

    def _instance_names(self) -> Iterator[tuple[str, tuple[Block, int]]]:
        for name, block in self.blocks.items():
            for number in range(1, block.spec.count + 1):
                yield f"{name}{number}", (block, number)
        for name, block in self.blocks.items():
            if block.spec.count == 1:
                yield name, (block, 1)

    def _captured(self) -> list[Captured]:
        """Fields that can be captured, in the order of `*CAPTURE.*?`: by field, then instance."""
        return [
            field
            for block in self.blocks.values()
            for name in block.spec.fields
            for instance in block.instances
            for field in [instance[name]]
            if isinstance(field, Captured)
        ]

    def instance(self, name: str) -> dict[str, Field]:
        """The fields of a block instance; the number may be missing only if there is one."""
        found = self._instances.get(name)
        if found:
            return found[0].instances[found[1] - 1]
        if name in self.blocks:
            raise CommandError("Missing block number")
        if any(name[:end] in self.blocks for end in _number_starts(name)):
            raise CommandError("Invalid block number")
        raise CommandError("No such block")

    def block(self, name: str) -> Block:
        """A block, whatever number is given."""
        if name in self.blocks:
            return self.blocks[name]
        for end in _number_starts(name):
            if name[:end] in self.blocks:
                return self.blocks[name[:end]]
        raise CommandError("No such block")

    def any_field(self, block: str, field: str) -> Field:
        """The field in the first instance: for what is common to all."""
        fields = self.block(block).instances[0]
        if field not in fields:
            raise CommandError("No such field")
        return fields[field]

    def field(self, block: str, field: str) -> Field:
        """The field of the instance that `block` names."""
        fields = self.instance(block)
        if field not in fields:
            raise CommandError("No such field")
        return fields[field]

    def load_state(self, lines: Iterable[str]) -> None:
        """Put the settings of an application's `state` file."""
        for line in lines:
            name, _, value = line.partition("=")
            block, _, rest = name.partition(".")
            field, _, attribute = rest.partition(".")
            try:
                found = self.field(block, field)
                if attribute:
                    attribute_of(found, attribute).write(value)
                else:
                    found.put(value)
            except CommandError as error:
                raise ConfigurationError(f"state file, {line!r}: {error}") from error


def attribute_of(field: Field, name: str) -> Attribute:
    """The attribute of that name; CommandError if there is none."""
    if name not in field.attributes:
        raise CommandError("No such attribute")
    return field.attributes[name]


def _number_starts(name: str) -> Iterator[int]:
    """Where a trailing number may start: PULSE12 -> 6, 5."""
    end = len(name)
    while end > 1 and name[end - 1].isdigit():
        end -= 1
        yield end
