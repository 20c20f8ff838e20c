"""A PandA as Python objects, to be explored with the Tab key. For example::

    with Panda.open("panda") as panda:
        panda.PULSE1.DELAY.put(2.5, "ms")
        panda.PULSE1.DELAY.UNITS.get()  # "s"
        panda.SEQ1.TABLE.get()["REPEATS"]

`AsyncPanda` is the same on an `AsyncioClient`: there `get`, `put` and the like are to be awaited.
"""

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, cast, overload

from numpy.typing import NDArray

from panda_ioc.client._sockets import COMMAND_TIMEOUT, CONTROL_PORT
from panda_ioc.client._views import BlockNames, LeafView, Root, Send, TableView
from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.blocking import BlockingClient
from panda_ioc.client.introspection import introspect, introspect_blocking
from panda_ioc.client.value_commands import (
    GetTable,
    GetValue,
    PutValue,
    Rows,
    append_table,
    put_table,
)
from panda_ioc.device.codecs import Value
from panda_ioc.device.model import Block, Device

__all__ = [
    "AsyncBlockView",
    "AsyncLeaf",
    "AsyncPanda",
    "AsyncTable",
    "BlockView",
    "Leaf",
    "Panda",
    "Table",
]

Units = Literal["us", "ms", "s", "min"]


class Leaf(LeafView):
    """A field, whose members are its attributes; or an attribute, which has none."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> "Leaf": ...

    @overload
    def get(self, units: Literal[""] = "") -> Value: ...

    @overload
    def get(self, units: Units) -> float: ...

    def get(self, units: str = "") -> Value:
        """Return the value.

        Args:
            units: to have a time in; "": as the PandA has it

        Raises:
            BadValue: it cannot be read, or not in these units
            CommandError: the PandA could not read it
        """
        return cast(Value, self._send(GetValue(self._node, units)))

    def put(self, value: Value, units: str = "") -> None:
        """Set the value.

        Args:
            value: a label, or its index, for enums and muxes
            units: that a time is given in; "": those that the PandA has it in

        Raises:
            BadValue: it cannot be set to this; nothing was sent
            CommandError: the PandA refused it
        """
        self._send(PutValue(self._node, value, units))

    def trigger(self) -> None:
        """Trigger an action; raise `BadValue` if this is none."""
        self._check_action()
        self._send(PutValue(self._node, 1))

    @property
    def attributes(self) -> "Mapping[str, Leaf]":
        return cast("Mapping[str, Leaf]", self._members)


class Table(TableView, Leaf):
    """A table: rows, as structured arrays of numpy.

    Enum columns are numbers when read, and may be given as labels in columns.
    """

    @classmethod
    def _attribute_class(cls) -> type[LeafView]:
        return Leaf

    def get(self, units: str = "") -> NDArray[Any]:  # type: ignore[override]
        """Return the rows, shape (rows,)."""
        return cast(NDArray[Any], self._send(GetTable(self._node)))

    def put(self, value: Rows, units: str = "") -> None:  # type: ignore[override]
        """Replace the rows by a structured array, or by columns: {name: values}.

        Raises:
            BadValue: a column is missing, or a value does not fit; nothing was sent
            CommandError: the PandA refused it
        """
        self._send(put_table(self._node, value))

    def append(self, rows: Rows, last: bool = False) -> None:
        """Append rows to a streaming table; `last` says that no more will follow."""
        self._send(append_table(self._node, rows, last))


class BlockView(BlockNames[Leaf]):
    """One instance of a block; its members are its fields."""

    if TYPE_CHECKING:
        TABLE: Table  # what tables of a PandA are called

        def __getattr__(self, name: str) -> Leaf: ...

    def __init__(self, device: Device, block: Block, send: Send) -> None:
        super().__init__(device, block, send, Leaf, Table)


class Panda(Root[BlockView]):
    """A PandA on a connected `BlockingClient`, which can still be used for commands and data.

    Args:
        client: connected
        device: if it is known; None: ask the PandA what it is
    """

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> BlockView: ...

    def __init__(self, client: BlockingClient, device: Device | None = None) -> None:
        self._client = client
        super().__init__(device or introspect_blocking(client), client.send, BlockView)

    @classmethod
    def open(
        cls,
        host: str,
        control_port: int = CONTROL_PORT,
        data_port: int | None = None,
        timeout: float | None = COMMAND_TIMEOUT,
    ) -> Self:
        """Connect and introspect the PandA; takes the arguments of `BlockingClient`."""
        client = BlockingClient(host, control_port, data_port, timeout)
        client.connect()
        try:
            return cls(client)
        except BaseException:
            client.close()
            raise

    @property
    def client(self) -> BlockingClient:
        """The client, for commands and data."""
        return self._client

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class AsyncLeaf(LeafView):
    """The asyncio side of `Leaf`."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> "AsyncLeaf": ...

    @overload
    def get(self, units: Literal[""] = "") -> Awaitable[Value]: ...

    @overload
    def get(self, units: Units) -> Awaitable[float]: ...

    def get(self, units: str = "") -> Awaitable[Value]:
        """As `Leaf.get`."""
        return cast(Awaitable[Value], self._send(GetValue(self._node, units)))

    def put(self, value: Value, units: str = "") -> Awaitable[None]:
        """As `Leaf.put`."""
        return cast(Awaitable[None], self._send(PutValue(self._node, value, units)))

    def trigger(self) -> Awaitable[None]:
        """As `Leaf.trigger`."""
        self._check_action()
        return cast(Awaitable[None], self._send(PutValue(self._node, 1)))

    @property
    def attributes(self) -> "Mapping[str, AsyncLeaf]":
        return cast("Mapping[str, AsyncLeaf]", self._members)


class AsyncTable(TableView, AsyncLeaf):
    """The asyncio side of `Table`."""

    @classmethod
    def _attribute_class(cls) -> type[LeafView]:
        return AsyncLeaf

    def get(self, units: str = "") -> Awaitable[NDArray[Any]]:  # type: ignore[override]
        """As `Table.get`."""
        return cast(Awaitable[NDArray[Any]], self._send(GetTable(self._node)))

    def put(self, value: Rows, units: str = "") -> Awaitable[None]:  # type: ignore[override]
        """As `Table.put`."""
        return cast(Awaitable[None], self._send(put_table(self._node, value)))

    def append(self, rows: Rows, last: bool = False) -> Awaitable[None]:
        """As `Table.append`."""
        return cast(Awaitable[None], self._send(append_table(self._node, rows, last)))


class AsyncBlockView(BlockNames[AsyncLeaf]):
    """The asyncio side of `BlockView`."""

    if TYPE_CHECKING:
        TABLE: AsyncTable

        def __getattr__(self, name: str) -> AsyncLeaf: ...

    def __init__(self, device: Device, block: Block, send: Send) -> None:
        super().__init__(device, block, send, AsyncLeaf, AsyncTable)


class AsyncPanda(Root[AsyncBlockView]):
    """A PandA on a connected `AsyncioClient`::

    async with await AsyncPanda.open("panda") as panda:
        await panda.PULSE1.DELAY.put(2.5)
    """

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> AsyncBlockView: ...

    def __init__(self, client: AsyncioClient, device: Device) -> None:
        self._client = client
        super().__init__(device, client.send, AsyncBlockView)

    @classmethod
    async def open(
        cls,
        host: str,
        control_port: int = CONTROL_PORT,
        data_port: int | None = None,
        timeout: float | None = COMMAND_TIMEOUT,
    ) -> Self:
        """Connect and introspect the PandA; takes the arguments of `AsyncioClient`."""
        client = AsyncioClient(host, control_port, data_port, timeout)
        await client.connect()
        try:
            return cls(client, await introspect(client))
        except BaseException:
            await client.close()
            raise

    @property
    def client(self) -> AsyncioClient:
        """The client, for commands and data."""
        return self._client

    async def close(self) -> None:
        """Close the client."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()
