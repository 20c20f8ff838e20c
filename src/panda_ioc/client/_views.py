"""What the blocking and the asyncio view of a PandA share: names and descriptions.

The views are plain objects whose attributes are blocks, fields and attributes. What a get or a put
returns differs: that is in `panda`.
"""

import difflib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar, cast

from numpy.typing import NDArray

from panda_ioc.client.value_commands import empty_rows, layout_of
from panda_ioc.client.values import Node, field_node
from panda_ioc.device.codecs import ActionCodec
from panda_ioc.device.kinds import Access
from panda_ioc.device.model import Block, Device
from panda_ioc.device.tables import TableColumn
from panda_ioc.errors import BadValue
from panda_ioc.protocol.commands import Command

Send = Callable[[Command[Any]], Any]

_ACCESS = {
    Access.NONE: "no value",
    Access.READ: "read only",
    Access.WRITE: "write only",
    Access.READ_WRITE: "read and write",
}


class Names:
    """An object whose public attributes are those of a PandA; they cannot be assigned to.

    They are plain attributes: IPython completes no others unless it is told to run code for it.
    """

    def __init__(self, members: "Mapping[str, Names]") -> None:
        self._members = MappingProxyType(dict(members))
        self.__dict__.update(members)

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_"):
            raise AttributeError(f"{name} cannot be assigned to: use .{name}.put({value!r})")
        object.__setattr__(self, name, value)


class LeafView(Names):
    """A field, whose members are its attributes; or an attribute, which has none."""

    def __init__(self, node: Node, send: Send) -> None:
        make = type(self)._attribute_class()
        super().__init__({name: make(each, send) for name, each in node.attributes.items()})
        self._node, self._send = node, send

    @classmethod
    def _attribute_class(cls) -> "type[LeafView]":
        return cls

    @property
    def name(self) -> str:
        """On the wire: "PULSE1.DELAY"."""
        return self._node.wire

    @property
    def type(self) -> str:
        """Type and subtype, as the PandA names them: "param time"."""
        return self._node.type

    @property
    def description(self) -> str:
        """The description by the PandA."""
        return self._node.description

    @property
    def choices(self) -> tuple[str, ...]:
        """The choices; empty if this is not a choice."""
        return tuple(self._node.choices)

    def _check_action(self) -> None:
        if not isinstance(self._node.codec, ActionCodec):
            raise BadValue(f"{self._node.wire} is no action to trigger")

    def __repr__(self) -> str:
        return f"<{self.name}: {self.type}, {_ACCESS[self._node.access]}>"


class TableView(LeafView):
    """What both views of a table know without asking the PandA."""

    def empty(self, rows: int) -> NDArray[Any]:
        """Return this many rows of zeros, to be filled in and put."""
        return empty_rows(self._node, rows)

    @property
    def columns(self) -> Mapping[str, TableColumn]:
        """Types, limits, labels and descriptions of the columns, by name."""
        return {column.name: column for column in layout_of(self._node).columns}


LeafT = TypeVar("LeafT", bound=LeafView)
BlockT = TypeVar("BlockT", bound=Names)


class BlockNames(Names, Generic[LeafT]):
    """One instance of a block; its members are its fields."""

    def __init__(
        self, device: Device, block: Block, send: Send, leaf: type[LeafT], table: type[LeafT]
    ) -> None:
        nodes = {field.name: field_node(device, field) for field in block.fields}
        super().__init__(
            {name: (table if node.layout else leaf)(node, send) for name, node in nodes.items()}
        )
        self._block = block

    @property
    def name(self) -> str:
        """On the wire: "PULSE1"."""
        return self._block.wire

    @property
    def description(self) -> str:
        """The description by the PandA."""
        return self._block.description or ""

    @property
    def fields(self) -> Mapping[str, LeafT]:
        """Fields by name, in the order in which the PandA shows them."""
        return cast("Mapping[str, LeafT]", self._members)

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self._members)} fields>"


class Root(Names, Generic[BlockT]):
    """A PandA; its members are its blocks."""

    def __init__(
        self, device: Device, send: Send, make: Callable[[Device, Block, Send], BlockT]
    ) -> None:
        super().__init__({block.wire: make(device, block, send) for block in device.blocks})
        self._device = device

    @property
    def device(self) -> Device:
        """The result of introspection."""
        return self._device

    @property
    def blocks(self) -> Mapping[str, BlockT]:
        return cast("Mapping[str, BlockT]", self._members)

    def __getitem__(self, name: str) -> Any:
        """Return a block, field or attribute by its name on the wire."""
        found: Names = self
        for part in name.split("."):
            if part not in found._members:
                like = difflib.get_close_matches(part.upper(), list(found._members), 3)
                hint = f"; did you mean {' or '.join(like)}?" if like else ""
                raise KeyError(f"{name}: this PandA has no {part} there{hint}")
            found = found._members[part]
        return found

    def _ipython_key_completions_(self) -> list[str]:
        return [*self._members, *self._device.fields]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._device.idn or 'PandA'}>"
