"""Settings of the bridge itself: records whose puts change how it works, not the PandA."""

from collections.abc import Callable
from typing import Any

from panda_ioc.errors import PandAError
from panda_ioc.ioc.links import reason, status
from panda_ioc.ioc.memory import Record
from panda_ioc.ioc.reports import Reports


class Setting:
    """One such record.

    Arguments:
        apply: takes the value and returns what the record is to show; PandAError refuses it
        reports: is told how puts ended
    """

    def __init__(self, apply: Callable[[Any], Any], reports: Reports) -> None:
        self.record: Record
        self._apply = apply
        self._reports = reports
        self._now: Any = None

    async def put(self, value: Any) -> None:
        """Apply what a client has put."""
        try:
            shown = self._apply(value)
        except PandAError as error:
            self.record.refuse(value, self._now, reason(error), status=status(error))
            self._reports.refused(self.record, error)
        else:
            self._now = shown
            self.record.settle(shown)
            self._reports.accepted(self.record)

    def attach(self, record: Record) -> None:
        """Take the record, which has its initial value by now."""
        self.record = record
        with record:
            self._now = record.read()
