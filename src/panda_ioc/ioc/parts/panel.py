"""The bridge's own read-only records, shown by name; only what has changed is posted."""

from collections.abc import Mapping

from panda_ioc.ioc.epics.alarms import NO_ALARM, Alarm
from panda_ioc.ioc.epics.memory import Value
from panda_ioc.ioc.epics.record import Record
from panda_ioc.threads import ThreadOwner


class Panel:
    """Shows values in records, by their names."""

    def __init__(self) -> None:
        self._records: Mapping[str, Record] = {}
        self._shown: dict[str, tuple[object, ...]] = {}
        self._owner = ThreadOwner("a panel of records")

    def attach(self, records: Mapping[str, Record]) -> None:
        self._records = records

    def show(
        self, name: str, value: Value, alarm: Alarm = NO_ALARM, stamp: float | None = None
    ) -> None:
        """Show a value with an alarm; arrays are always posted."""
        self._owner.check()
        shown = (value, alarm)
        is_scalar = isinstance(value, str | int | float)
        if is_scalar and self._shown.get(name) == shown:
            return
        self._shown[name] = shown
        self._records[name].post(value, alarm, stamp)
