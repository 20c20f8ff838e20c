"""Tables: column by column with MODE over CA, or as one structure over PVA.

Columns may be long, so what shows them runs in a thread of its own, not in the event loop.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from panda_ioc.client.changes import Batch
from panda_ioc.device.tables import TableLayout
from panda_ioc.errors import BadValue, CommandError, ConnectionLost
from panda_ioc.ioc.epics.alarms import (
    DISCONNECTED,
    INVALID,
    MINOR,
    NO_ALARM,
    READ,
    UNDEFINED,
    UNREADABLE,
    WRITE,
    Alarm,
)
from panda_ioc.ioc.epics.database import Validate
from panda_ioc.ioc.epics.late import Late
from panda_ioc.ioc.epics.record import Locker, Record
from panda_ioc.ioc.panda.connection import Connection
from panda_ioc.ioc.panda.news import Board, Follower
from panda_ioc.ioc.parts.base import Part, PutHandler
from panda_ioc.ioc.parts.columns import Columns, columns_of, words_of
from panda_ioc.ioc.parts.puts import Puts
from panda_ioc.ioc.parts.streaming import NOTHING, Writer
from panda_ioc.ioc.parts.whole import Whole
from panda_ioc.protocol.commands import Command, Put
from panda_ioc.records.specs import pv_name
from panda_ioc.records.tables import DISCARD, EDIT, SUBMIT, VIEW

log = logging.getLogger(__name__)

T = TypeVar("T")


class TablePart(Part, Follower):
    """One table and its records.

    Args:
        wire: its name on the wire
        layout: its columns
        connection: to the PandA
        puts: ends puts
        worker: one thread, in which its records are touched
        late: holds PVA puts
    """

    def __init__(
        self,
        wire: str,
        layout: TableLayout,
        connection: Connection,
        puts: Puts,
        worker: Executor,
        late: Late,
    ) -> None:
        self._wire = wire
        self._name = pv_name(wire)
        self._layout = layout
        self._connection = connection
        self._worker = worker
        self._whole = Whole(puts, late, self._edited, self._send, self._show_whole)
        self._loop = asyncio.get_running_loop()
        self._device: Columns = {}
        self._words: NDArray[np.uint32] | None = None
        self._alarm = UNDEFINED  # with which the table is shown
        self._trusted_from = 0
        self._is_odd = False
        self._mode = VIEW
        self._writer = Writer(wire, self._name, self._clear)

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        """Bind to the records and follow the table."""
        self._columns = {c.name: records[f"{self._name}:{c.name}"] for c in self._layout.columns}
        self._put_record = self._whole.record = records[f"{self._name}:PUT"]
        self._mode_record = records[f"{self._name}:MODE"]
        for mode, word in ((EDIT, "EDIT"), (SUBMIT, "SUBMIT")):
            records[f"{self._name}:MODE:{word}"].post(mode)
        self._lock = Locker([*self._columns.values(), self._put_record])
        self._mode_record.post(VIEW)
        if self._layout.streams:
            self._writer.attach(records)
        board.add_table(self, self._wire)

    # -- device -> PV ---------------------------------------------------------------------------

    def table_from_device(self, words: NDArray[np.uint32], batch: Batch) -> None:
        """Show a new table of the PandA."""
        if batch.number < self._trusted_from:
            self._connection.recheck_table(self._wire)
            return
        if self._words is not None and np.array_equal(words, self._words):
            return  # the alarm of a refused put stays
        try:
            self._take(words)
        except BadValue as error:
            if not self._is_odd:
                log.warning("%s", error)
            self._is_odd = True
            self._invalid(Alarm(INVALID, READ, str(error)))
        else:
            self._run(self._show)

    def in_error(self, wire: str) -> None:
        """Mark the table as unknown and ask until the PandA tells it."""
        self._invalid(UNREADABLE)
        self._connection.recheck_table_later(self._wire)

    def stale(self) -> None:
        """The connection is lost."""
        self._trusted_from = 0
        self._invalid(DISCONNECTED)

    def connected(self) -> None:
        """Show the table after a reconnection, even if the end of a put has hidden it."""
        self._run(self._show)

    def _invalid(self, alarm: Alarm) -> None:
        self._words = None
        self._alarm = alarm
        self._run(self._publish, {}, alarm)

    def _take(self, words: NDArray[np.uint32]) -> None:
        """Remember the table of the PandA, as far as there is room for it."""
        columns, room = columns_of(self._layout, words), self._layout.max_rows
        rows = len(words) // self._layout.row_words
        self._device = {name: values[:room] for name, values in columns.items()}
        self._words = words
        is_cut = room and rows > room
        cut = Alarm(MINOR, READ, f"{rows} rows, the first {room} shown")
        self._alarm = cut if is_cut else NO_ALARM

    def _show(self, is_news: bool = False) -> None:
        """Show the table of the PandA; a user who is editing keeps the columns."""
        columns = {} if self._mode == EDIT else self._device
        self._publish(columns, self._alarm, is_news)

    def _publish(self, columns: Columns, alarm: Alarm, is_news: bool = False) -> None:
        """Post changed columns (or the alarm alone), then the member that triggers the structure.

        `is_news`: monitors of the structure have not seen what the columns show.
        """
        stamp = time.time()
        with self._lock():
            news = [
                record.show(columns.get(name) if columns else None, alarm, stamp)
                for name, record in self._columns.items()
            ]
            self._put_record.show(None, alarm, stamp, is_news=is_news or any(news))

    # -- PV -> device ---------------------------------------------------------------------------

    def validate(self) -> Mapping[str, Validate]:
        """What takes a put of the whole."""
        return {f"{self._name}:PUT": self._whole.validate}

    def on_put(self) -> Mapping[str, PutHandler]:
        """What to do about puts, by record."""
        columns = {f"{self._name}:{c.name}": self._on_column(c.name) for c in self._layout.columns}
        return columns | {
            f"{self._name}:PUT": self._whole.handler(),
            f"{self._name}:MODE": PutHandler(self._change_mode, lambda: self._mode),
            f"{self._name}:MODE:EDIT": self._on_shortcut(EDIT),
            f"{self._name}:MODE:SUBMIT": self._on_shortcut(SUBMIT),
            **(self._writer.on_put() if self._layout.streams else {}),
        }

    def _on_column(self, name: str) -> PutHandler:
        """Return the handler of puts to a column."""

        async def put(values: Any) -> None:
            # A PVA put of the whole table also comes by here.
            await self._in_worker(self._settle_column, name, np.asarray(values))

        return PutHandler(put, settles=True)

    def _settle_column(self, name: str, put: NDArray[Any]) -> None:
        if put.dtype.kind == "U":
            put = np.char.encode(put)
        with self._columns[name] as record:  # not before a PVA put of the whole is begun
            device = self._device.get(name, np.empty(0))
            # What differs from what was put has been replaced with a whole table since.
            is_over = not np.array_equal(record.read(), put)
            is_allowed = self._mode == EDIT or self._whole.is_under_way
            if is_allowed or is_over or np.array_equal(put, device):
                record.settle(put)
                record.set_alarm(self._alarm)  # an outage, say, goes on
            else:
                first = f"put EDIT to {self._mode_record.name} first"
                record.refuse(put, device, Alarm(INVALID, WRITE, first))

    def _on_shortcut(self, mode: int) -> PutHandler:
        """Return the handler of puts to MODE:EDIT or MODE:SUBMIT."""

        async def put(_: Any) -> int:
            self._mode_record.post(await self._change_mode(mode))
            return mode

        return PutHandler(put, lambda: mode)

    async def _change_mode(self, mode: int) -> int:
        """Begin to edit, submit, or discard; return the mode after it."""
        if mode not in (VIEW, EDIT, SUBMIT, DISCARD):
            raise BadValue(f"{self._name}:MODE: {mode} is none of VIEW, EDIT, SUBMIT, DISCARD")
        if mode == SUBMIT:
            await self._send(await self._in_worker(self._edited))
        was_edited = self._mode == EDIT
        self._mode = EDIT if mode == EDIT else VIEW
        if mode != EDIT:
            await self._in_worker(self._show, was_edited)
        return self._mode

    async def _show_whole(self, refused: Alarm | None) -> None:
        """Show how a put of the whole ended."""
        if refused is None:
            self._mode = VIEW
        await self._in_worker(self._publish_whole, refused)
        if refused is None:
            self._mode_record.post(VIEW)

    def _publish_whole(self, refused: Alarm | None) -> None:
        stamp = time.time()
        with self._lock():
            for name, record in self._columns.items():
                record.show(self._device.get(name, np.empty(0)), self._alarm, stamp)
            self._put_record.show(None, refused or self._alarm, stamp, is_news=True)

    def _edited(self) -> NDArray[np.uint32]:
        """Return the words that the edited columns make up."""
        columns = {name: record.read_put() for name, record in self._columns.items()}
        return words_of(self._layout, columns)

    async def _send(self, words: NDArray[np.uint32]) -> None:
        replaces = self._writer.replaces
        await self._put(self._writer.command(words))
        if replaces:
            self._take(words)
        self._settle()

    async def _clear(self) -> None:
        """Empty the table on the PandA, whatever its state."""
        await self._put(Put(self._wire, NOTHING))
        self._take(NOTHING)
        self._settle()
        await self._in_worker(self._show)

    async def _put(self, command: Command[None]) -> None:
        try:
            await self._connection.put(command)
        except (CommandError, ConnectionLost, TimeoutError):
            self._connection.recheck_table(self._wire)  # it may have been applied all the same
            raise

    def _settle(self) -> None:
        """Ignore answers to earlier questions; ask anew."""
        self._trusted_from = self._connection.tick()
        if self._layout.streams:
            self._connection.recheck(f"{self._wire}.MODE")

    # -- the worker -----------------------------------------------------------------------------

    def _run(self, function: Callable[..., None], *arguments: Any) -> None:
        self._worker.submit(function, *arguments)

    async def _in_worker(self, function: Callable[..., T], *arguments: Any) -> T:
        return await self._loop.run_in_executor(self._worker, function, *arguments)
