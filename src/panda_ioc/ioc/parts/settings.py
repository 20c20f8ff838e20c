"""Settings of the bridge itself: records whose puts change how it works, not the PandA."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from panda_ioc.errors import PandAError
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.autosave import Autosave
from panda_ioc.ioc.parts.base import Part, PutHandler
from panda_ioc.records.specs import RecordSpec
from panda_ioc.records.values import checked

log = logging.getLogger(__name__)

Apply = Callable[[Any], Any]
"""Takes the value that was put and returns what the record is to show; `PandAError` refuses it."""

After = Callable[[], Awaitable[None]]


class BridgeSettings(Part):
    """The settings of the bridge and their records.

    Args:
        specs: of all records; those of settings tell the defaults
        applies: what puts do, by record
        after: to be done before a good put ends, by record
        autosave: keeps their values
    """

    def __init__(
        self,
        specs: Iterable[RecordSpec],
        applies: Mapping[str, Apply],
        after: Mapping[str, After],
        autosave: Autosave,
    ) -> None:
        self._settings = {
            spec.name: _Setting(spec, applies[spec.name], after.get(spec.name), autosave)
            for spec in specs
            if spec.name in applies
        }

    def on_put(self) -> Mapping[str, PutHandler]:
        """Take puts of all settings."""
        return {
            name: PutHandler(setting.put, setting.now) for name, setting in self._settings.items()
        }

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        """Bind to the records and apply the saved values, or the defaults."""
        for name, setting in self._settings.items():
            setting.attach(records[name])


class _Setting:
    def __init__(
        self, spec: RecordSpec, apply: Apply, after: After | None, autosave: Autosave
    ) -> None:
        self._spec = spec
        self._apply = apply
        self._after = after
        self._autosave = autosave
        self._now: Any = None

    def now(self) -> Any:
        """The value that the record shows."""
        return self._now

    async def put(self, value: Any) -> Any:
        """Apply and keep what was put; return what the record then shows."""
        now = self._apply(value)
        if self._after is not None:
            await self._after()
        self._now = now
        self._autosave.keep(self._spec.name, now)
        return now

    def attach(self, record: Record) -> None:
        """Bind to the record and show the saved value in it, or the default."""
        self._record = record
        kept = self._autosave.kept(self._spec.name)
        if kept is None or not self._use(kept):
            self._now = self._apply(self._spec.value)
            if kept is None:
                self._autosave.keep(self._spec.name, self._now)
        record.post(self._now)

    def _use(self, kept: object) -> bool:
        """Apply a saved value; return whether that succeeded. If not, it stays in the file."""
        try:
            self._now = self._apply(checked(self._spec, kept))
        except PandAError as error:
            log.warning(
                "%s: saved value %r cannot be used: %s; it stays in %s, the setting is %r now",
                self._record.name,
                kept,
                error,
                self._autosave.path,
                self._spec.value,
            )
            return False
        return True
