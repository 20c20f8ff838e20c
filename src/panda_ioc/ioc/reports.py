"""ERROR and ERROR:PV: what was refused last, in full. Alarm messages hold 39 characters only."""

import logging
from collections.abc import Mapping

from panda_ioc.errors import PandAError
from panda_ioc.ioc.memory import MINOR, STATE, Record

log = logging.getLogger(__name__)


class Reports:
    """Where links report how puts ended."""

    def __init__(self) -> None:
        self.refusals = 0
        self._about: Record | None = None
        self._records: Mapping[str, Record] = {}

    def attach(self, records: Mapping[str, Record]) -> None:
        """Take the records."""
        self._records = records
        self._show(None, "")

    def refused(self, record: Record, error: PandAError) -> None:
        """A put was refused."""
        self.refusals += 1
        log.warning("put to %s refused: %s", record.name, error)
        self._show(record, str(error))

    def accepted(self, record: Record) -> None:
        """A put was good; if the one before it to this record was not, that is over."""
        if record is self._about:
            self._show(None, "")

    def _show(self, record: Record | None, text: str) -> None:
        self._about = record
        severity = MINOR if record else 0
        status = STATE if record else 0
        self._records["ERROR"].post(text, severity, status)
        self._records["ERROR:PV"].post(record.name if record else "")
