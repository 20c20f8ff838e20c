"""Settings of the bridge itself: records whose puts change how it works, not the PandA."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from panda_ioc.errors import PandAError
from panda_ioc.ioc.epics.database import OnPut
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.base import Part
from panda_ioc.ioc.parts.puts import Puts
from panda_ioc.records.specs import RecordSpec

log = logging.getLogger(__name__)

Apply = Callable[[Any], Any]
"""Takes the value that was put and returns what the record is to show; `PandAError` refuses it."""

After = Callable[[], Awaitable[None]]


class Settings(Part):
    """All such records.

    Arguments:
        specs: of all records; those of settings tell the defaults
        puts: ends puts
        applies: what puts do, by record
        after: to be done before a good put ends, by record
    """

    def __init__(
        self,
        specs: Iterable[RecordSpec],
        puts: Puts,
        applies: Mapping[str, Apply],
        after: Mapping[str, After],
    ) -> None:
        self._settings = {
            spec.name: _Setting(spec.value, applies[spec.name], after.get(spec.name), puts)
            for spec in specs
            if spec.name in applies
        }

    def on_put(self) -> Mapping[str, OnPut]:
        """The handlers of puts, by record."""
        return {name: setting.put for name, setting in self._settings.items()}

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        """Take the records, and apply what they hold: their defaults, or what was saved."""
        for name, setting in self._settings.items():
            setting.attach(records[name])


class _Setting:
    def __init__(self, default: Any, apply: Apply, after: After | None, puts: Puts) -> None:
        self._default = default
        self._apply = apply
        self._after = after
        self._puts = puts
        self._now: Any = None

    async def put(self, value: Any) -> None:
        """Apply what a client has put."""
        await self._puts.end(self._record, value, self._change(value), lambda: self._now)

    async def _change(self, value: Any) -> Any:
        now = self._apply(value)
        if self._after is not None:
            await self._after()
        self._now = now
        return now

    def attach(self, record: Record) -> None:
        """Take the record, and apply the value that it has."""
        self._record = record
        with record:
            value = record.read()
        try:
            self._now = self._apply(value)
        except PandAError as error:
            log.warning(
                "%s: saved value %r: %s; using %r", record.name, value, error, self._default
            )
            self._now = self._apply(self._default)
        record.post(self._now)
