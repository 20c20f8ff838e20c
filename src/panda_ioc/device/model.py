"""The result of introspection: one PandA as frozen data, each field under its name on the wire."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from panda_ioc.device.kinds import UNKNOWN, AttributeKind, FieldKind, is_read_only, kind_of
from panda_ioc.errors import ProtocolError
from panda_ioc.protocol.responses import (
    NAME,
    BlockInfo,
    EnumFieldInfo,
    ExtOutBitsFieldInfo,
    FieldInfo,
    Identification,
    PosOutFieldInfo,
)

MAX_INSTANCES = 1000
"""Of one block; the largest PandAs have 32."""
MAX_FIELDS = 100_000
"""Of all instances together; the largest PandAs have some thousands."""


@dataclass(frozen=True)
class Field:
    """One field of one instance of a block.

    Attributes:
        wire: its name on the wire, "PULSE1.DELAY"
        name: its name in the block, "DELAY"
        info: what introspection found
    """

    wire: str
    name: str
    info: FieldInfo

    @property
    def kind(self) -> FieldKind:
        """What the type of this field means."""
        return kind_of(self.info)

    @property
    def is_unknown(self) -> bool:
        """True if this version does not know the type."""
        return self.kind is UNKNOWN

    def attribute(self, kind: AttributeKind) -> str:
        """The name of an attribute on the wire."""
        return f"{self.wire}.{kind.name}"


@dataclass(frozen=True)
class Block:
    """One instance of a block, as clients see it (`panda_ioc.sim.twin.block.Block` is one at work).

    Attributes:
        wire: "PULSE1", or "PCAP" where there is just one
        type: "PULSE"
        number: 1, 2, ...; None where there is just one
        description: of the type; None if the PandA gave none
        fields: in the order that the PandA displays them
    """

    wire: str
    type: str
    number: int | None
    description: str | None
    fields: tuple[Field, ...]

    @property
    def label_key(self) -> str:
        """The metadata in which users label this block; its number is never left out there."""
        return f"*METADATA.LABEL_{self.type}{self.number or 1}"


@dataclass(frozen=True)
class Device:
    """A whole PandA.

    Attributes:
        identification: versions; None if the PandA would not say
        blocks: instances in natural order: by type, then by number
        metadata: keys of ``*METADATA.*?``
        capture_options: the kinds in which a position can be captured: "Value", "Mean", ...
    """

    identification: Identification | None
    blocks: tuple[Block, ...]
    metadata: tuple[str, ...] = ()
    capture_options: tuple[str, ...] = ()
    idn: str = field(default="", compare=False)

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """All fields by their names on the wire."""
        return {field.wire: field for block in self.blocks for field in block.fields}

    def is_read_only(self, wire: str) -> bool:
        """True if nobody can write this field or attribute; False if there is none of the name."""
        block, _, rest = wire.partition(".")
        name, _, attribute = rest.partition(".")
        found = self.fields.get(f"{self._numbered.get(block, block)}.{name}")
        return found is not None and is_read_only(found.info, attribute)

    @cached_property
    def _numbered(self) -> Mapping[str, str]:
        """Single instances by their names with a number, which may be given."""
        return {f"{block.wire}1": block.wire for block in self.blocks if block.number is None}

    @cached_property
    def positions(self) -> tuple[Field, ...]:
        """The `pos_out` fields, sorted by name."""
        found = (f for f in self.fields.values() if isinstance(f.info, PosOutFieldInfo))
        return tuple(sorted(found, key=lambda f: f.wire))

    @cached_property
    def bit_words(self) -> tuple[Field, ...]:
        """The words in which bits are captured: PCAP.BITS0, ..."""
        found = (f for f in self.fields.values() if isinstance(f.info, ExtOutBitsFieldInfo))
        return tuple(sorted(found, key=lambda f: f.wire))

    @property
    def layout(self) -> tuple[object, ...]:
        """What clients see of the structure: equal for two PandAs that serve the same records."""
        return (self.blocks, self.metadata, self.capture_options)


def make_device(
    identification: Identification | None,
    blocks: Mapping[str, BlockInfo],
    fields: Mapping[str, Mapping[str, FieldInfo]],
    metadata: Sequence[str] = (),
    capture_options: Sequence[str] = (),
    idn: str = "",
) -> Device:
    """A device from the answers to GetBlockInfo, GetFieldInfo (by block type) and the others.

    Capture options that are no names are left out: they become part of names of records.

    Raises:
        ProtocolError: no PandA has so many instances or fields, each of which needs records
    """
    _check_size(blocks, fields)
    instances = (
        _block(type_, number, blocks[type_], fields.get(type_, {}))
        for type_ in sorted(blocks)
        for number in _numbers(blocks[type_].number)
    )
    return Device(
        identification,
        tuple(instances),
        tuple(sorted(metadata)),
        tuple(filter(NAME.fullmatch, capture_options)),
        idn,
    )


def _check_size(
    blocks: Mapping[str, BlockInfo], fields: Mapping[str, Mapping[str, FieldInfo]]
) -> None:
    for type_, info in blocks.items():
        if not 1 <= info.number <= MAX_INSTANCES:
            raise ProtocolError(
                f"block {type_}: {info.number} instances, 1 to {MAX_INSTANCES} can be served"
            )
    total = sum(info.number * len(fields.get(type_, ())) for type_, info in blocks.items())
    if total > MAX_FIELDS:
        raise ProtocolError(f"a PandA of {total} fields, {MAX_FIELDS} can be served")


def _numbers(count: int) -> Iterator[int | None]:
    yield from [None] if count == 1 else range(1, count + 1)


def _block(
    type_: str, number: int | None, info: BlockInfo, fields: Mapping[str, FieldInfo]
) -> Block:
    wire = type_ if number is None else f"{type_}{number}"
    ordered = sorted(fields.items(), key=lambda item: (item[1].index, item[0]))
    return Block(
        wire,
        type_,
        number,
        info.description,
        tuple(Field(f"{wire}.{name}", name, field) for name, field in ordered),
    )


def health_fields(device: Device) -> list[Field]:
    """List the fields that tell the health of a block."""
    return [
        field
        for field in device.fields.values()
        if field.name == "HEALTH" and isinstance(field.info, EnumFieldInfo)
    ]
