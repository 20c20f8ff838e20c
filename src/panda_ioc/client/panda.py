"""A PandA as Python objects, to be explored with the Tab key. For example::

    with Panda.open("panda-box") as panda:
        panda.PULSE1.DELAY.put(2.5, "ms")
        panda.PULSE1.DELAY.UNITS.get()  # "s"
        panda.SEQ1.TABLE.get()["REPEATS"]

`AsyncPanda` is the same on an `AsyncioClient`: there `get`, `put` and the like are to be awaited.
"""

import difflib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, cast

from numpy.typing import NDArray

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.blocking import BlockingClient
from panda_ioc.client.introspection import introspect, introspect_blocking
from panda_ioc.client.value_commands import (
    GetTable,
    GetValue,
    PutValue,
    Rows,
    append_table,
    empty_rows,
    layout_of,
    put_table,
)
from panda_ioc.client.values import Node, field_node
from panda_ioc.device.codecs import ActionCodec, Value
from panda_ioc.device.kinds import Access
from panda_ioc.device.model import Block, Device
from panda_ioc.device.tables import Column
from panda_ioc.errors import BadValue
from panda_ioc.protocol.commands import Command

__all__ = ["AsyncPanda", "BlockView", "Leaf", "Panda", "Table"]

Send = Callable[[Command[Any]], Any]


class _Names:
    """An object whose public attributes are those of a PandA; they can not be assigned to.

    They are plain attributes: IPython completes no others unless it is told to run code for it.
    """

    def __init__(self, members: "Mapping[str, _Names]") -> None:
        self._members = MappingProxyType(dict(members))
        self.__dict__.update(members)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_"):
            raise AttributeError(f"{name} can not be assigned to: use .{name}.put({value!r})")
        object.__setattr__(self, name, value)


class Leaf(_Names):
    """A field, whose members are its attributes; or an attribute, which has none."""

    def __init__(self, node: Node, send: Send) -> None:
        super().__init__({name: Leaf(each, send) for name, each in node.attributes.items()})
        self._node, self._send = node, send

    def get(self, units: str = "") -> Any:
        """Its value: bool, int, float or str.

        Args:
            units: "us", "ms", "s" or "min", to have a time in; "": as the box has it

        Raises:
            BadValue: it can not be read, or not in these units
            CommandError: the box could not read it
        """
        return self._send(GetValue(self._node, units))

    def put(self, value: Value, units: str = "") -> Any:
        """Set it.

        Args:
            value: a label, or its index, for enums and muxes
            units: that a time is given in; "": those that the box has it in

        Raises:
            BadValue: it can not be set to this; nothing was sent
            CommandError: the box refused it
        """
        return self._send(PutValue(self._node, value, units))

    def trigger(self) -> Any:
        """Have an action done; BadValue if this is none."""
        if not isinstance(self._node.codec, ActionCodec):
            raise BadValue(f"{self._node.wire} is no action to trigger")
        return self._send(PutValue(self._node, 1))

    @property
    def name(self) -> str:
        """On the wire: "PULSE1.DELAY"."""
        return self._node.wire

    @property
    def type(self) -> str:
        """As the box has it: "param time"."""
        return self._node.type

    @property
    def description(self) -> str:
        """The box's own."""
        return self._node.description

    @property
    def choices(self) -> tuple[str, ...]:
        """What it can be set to; empty if it is not a choice."""
        return tuple(self._node.choices)

    @property
    def attributes(self) -> "Mapping[str, Leaf]":
        """By name."""
        return cast("Mapping[str, Leaf]", self._members)

    def __repr__(self) -> str:
        return f"<{self.name}: {self.type}, {_ACCESS[self._node.access]}>"


_ACCESS = {
    Access.NONE: "no value",
    Access.READ: "read only",
    Access.WRITE: "write only",
    Access.READ_WRITE: "read and write",
}


class Table(Leaf):
    """A table: rows, as structured arrays of numpy. Enum columns are numbers when read, and may be
    given as labels in columns."""

    def get(self, units: str = "") -> Any:
        """Its rows, shape (rows,)."""
        return self._send(GetTable(self._node))

    def put(self, value: Rows, units: str = "") -> Any:  # type: ignore[override]
        """Replace its rows by a structured array, or by columns: {name: values}.

        Raises:
            BadValue: a column is missing, or a value does not fit; nothing was sent
            CommandError: the box refused it
        """
        return self._send(put_table(self._node, value))

    def append(self, rows: Rows, last: bool = False) -> Any:
        """Give a streaming table its next rows; last: there will be no more."""
        return self._send(append_table(self._node, rows, last))

    def empty(self, rows: int) -> NDArray[Any]:
        """So many rows of zeros, to be filled in and put."""
        return empty_rows(self._node, rows)

    @property
    def columns(self) -> Mapping[str, Column]:
        """Types, limits, labels and descriptions of the columns, by name."""
        return {column.name: column for column in layout_of(self._node).columns}


class BlockView(_Names):
    """One instance of a block; its members are its fields."""

    def __init__(self, device: Device, block: Block, send: Send) -> None:
        nodes = {field.name: field_node(device, field) for field in block.fields}
        super().__init__(
            {name: (Table if node.layout else Leaf)(node, send) for name, node in nodes.items()}
        )
        self._block = block

    @property
    def name(self) -> str:
        """On the wire: "PULSE1"."""
        return self._block.wire

    @property
    def description(self) -> str:
        """The box's own."""
        return self._block.description or ""

    @property
    def fields(self) -> Mapping[str, Leaf]:
        """By name, in the order in which the box shows them."""
        return cast("Mapping[str, Leaf]", self._members)

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self._members)} fields>"


class _Root(_Names):
    """What both have in common: blocks as members."""

    def __init__(self, device: Device, send: Send) -> None:
        super().__init__({block.wire: BlockView(device, block, send) for block in device.blocks})
        self._device = device

    @property
    def device(self) -> Device:
        """What introspection found."""
        return self._device

    @property
    def blocks(self) -> Mapping[str, BlockView]:
        """By name."""
        return cast("Mapping[str, BlockView]", self._members)

    def __getitem__(self, name: str) -> Any:
        """A block, field or attribute by its name on the wire; KeyError if there is none."""
        found: _Names = self
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


class Panda(_Root):
    """A PandA on a connected `BlockingClient`, which remains of use for commands and data.

    Args:
        client: connected
        device: if it is known; None: ask the box what it is
    """

    def __init__(self, client: BlockingClient, device: Device | None = None) -> None:
        self._client = client
        super().__init__(device or introspect_blocking(client), client.send)

    @classmethod
    def open(cls, host: str, *arguments: Any, **keywords: Any) -> Self:
        """Connect, and ask the box what it is; arguments are those of `BlockingClient`."""
        client = BlockingClient(host, *arguments, **keywords)
        client.connect()
        try:
            return cls(client)
        except BaseException:
            client.close()
            raise

    @property
    def client(self) -> BlockingClient:
        """For commands and data."""
        return self._client

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class AsyncPanda(_Root):
    """A PandA on a connected `AsyncioClient`::

    async with await AsyncPanda.open("panda-box") as panda:
        await panda.PULSE1.DELAY.put(2.5)
    """

    def __init__(self, client: AsyncioClient, device: Device) -> None:
        self._client = client
        super().__init__(device, client.send)

    @classmethod
    async def open(cls, host: str, *arguments: Any, **keywords: Any) -> Self:
        """Connect, and ask the box what it is; arguments are those of `AsyncioClient`."""
        client = AsyncioClient(host, *arguments, **keywords)
        await client.connect()
        try:
            return cls(client, await introspect(client))
        except BaseException:
            await client.close()
            raise

    @property
    def client(self) -> AsyncioClient:
        """For commands and data."""
        return self._client

    async def close(self) -> None:
        """Close the client."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()
