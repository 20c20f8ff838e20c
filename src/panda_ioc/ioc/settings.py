"""Settings of the bridge itself: records whose puts change how it works, not the PandA."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from panda_ioc.errors import PandAError
from panda_ioc.ioc.links import reason, status
from panda_ioc.ioc.memory import Record
from panda_ioc.ioc.reports import Reports

log = logging.getLogger(__name__)


class Setting:
    """One such record.

    Arguments:
        apply: takes the value and returns what the record is to show; PandAError refuses it
        reports: is told how puts ended
        after: to be done before a good put is
    """

    def __init__(
        self,
        apply: Callable[[Any], Any],
        reports: Reports,
        after: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.record: Record
        self._apply = apply
        self._after = after
        self._reports = reports
        self._now: Any = None

    async def put(self, value: Any) -> None:
        """Apply what a client has put."""
        try:
            shown = self._apply(value)
            if self._after is not None:
                await self._after()
        except PandAError as error:
            self.record.refuse(value, self._now, reason(error), status=status(error))
            self._reports.refused(self.record, error)
        else:
            self._now = shown
            self.record.settle(value, shown)
            self._reports.accepted(self.record)

    def attach(self, record: Record, default: Any) -> None:
        """Take the record, and apply the value that it has: its default, or what was saved."""
        self.record = record
        with record:
            value = record.read()
        try:
            self._now = self._apply(value)
        except PandAError as error:
            log.warning("%s: saved value %r: %s; using %r", record.name, value, error, default)
            self._now = self._apply(default)
        record.post(self._now)
